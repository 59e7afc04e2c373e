"""Generated sounds with known classes: what the embedding is fitted to and measured on.

Every class draws its parameters anew for each sound, in ranges as wide as one name covers in real
collections, and every sound is then "recorded" by another chain (recording.py). Mono, 22,050 Hz.

    drums          single hits by type
    surroundings   animals, people, weather, household, machines
    words          made-up words, each said by many voices

Nothing here is heard by a user; nothing here comes from a recording.
"""
