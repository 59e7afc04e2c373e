"""Tempo, its confidence and the beats: fitted on one half of what the band plays, judged on the other.

    python -m benchmarks.rhythm.corpus FOLDER      # writes what the band plays, about 300 MB
    python -m benchmarks.rhythm.fit FOLDER         # fits the constants of tempo_model.py, prints them
    python -m benchmarks.rhythm.peers FOLDER       # librosa and Essentia, whichever is installed
    python -m benchmarks.rhythm.accuracy FOLDER    # prints all figures

Even seeds are for fitting, odd seeds for judging.
"""
