"""Pitch beside librosa.pyin on labelled notes: who is right within 50 cents, and how long it takes.

    HARKEN_SAMPLES=… python -m benchmarks.pitch [--rounds 5]

Times are of the process's CPU, taken in turns, as medians; both start from the same mono samples at 22,050 Hz.
"""

import argparse
import csv
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import librosa
import numpy as np

from harken.audio.blocks import SAMPLE_RATE, Floats
from harken.audio.pitch.candidates import HIGHEST_HZ, LOWEST_HZ
from harken.audio.pitch.tracker import PitchTracker

RIGHT_CENTS = 50.0
BLOCK = 65_536


def main() -> None:
    """Prints both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    notes = list(labelled_notes())
    print(f"{'note':34} {'label':>5} {'harken':>9} {'pyin':>9}  cents from the label")
    right = [0, 0]
    for path, label, samples in notes:
        errors = [cents_off(way(samples), label) for way in (harken_hz, librosa_hz)]
        right = [
            count + (abs(error) <= RIGHT_CENTS) for count, error in zip(right, errors, strict=True)
        ]
        print(f"{path.name:34} {label:>5} {errors[0]:9.1f} {errors[1]:9.1f}")
    print(f"right within {RIGHT_CENTS:g} cents: harken {right[0]}, pyin {right[1]} of {len(notes)}")
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(sum(cpu_s(harken_hz, samples) for _, _, samples in notes))
        theirs.append(sum(cpu_s(librosa_hz, samples) for _, _, samples in notes))
    seconds = sum(samples.shape[0] for _, _, samples in notes) / SAMPLE_RATE
    us, them = statistics.median(ours), statistics.median(theirs)
    print(f"{seconds:.1f} s of sound: harken {us:.3f} s, pyin {them:.3f} s, {them / us:.0f} times")


def labelled_notes() -> Iterator[tuple[Path, str, Floats]]:
    """The notes of the manifest that have a label, as mono samples."""
    samples = Path(os.environ["HARKEN_SAMPLES"])
    with (samples / "manifest.csv").open() as manifest:
        for row in csv.DictReader(manifest):
            if row["pitch"]:
                path = samples / row["path"]
                sound, _ = librosa.load(path, sr=SAMPLE_RATE, mono=True)
                yield path, row["pitch"], np.ascontiguousarray(sound, dtype=np.float32)


def harken_hz(samples: Floats) -> float:
    """The median by harken."""
    tracker = PitchTracker()
    for start in range(0, samples.shape[0], BLOCK):
        tracker.on_mono(samples[start : start + BLOCK])
    return tracker.finish().f0_hz_median or math.nan


def librosa_hz(samples: Floats) -> float:
    """The median by librosa.pyin, with its defaults and harken's range."""
    f0, _, _ = librosa.pyin(samples, fmin=LOWEST_HZ, fmax=HIGHEST_HZ, sr=SAMPLE_RATE)
    voiced = f0[~np.isnan(f0)]
    return float(np.median(voiced)) if voiced.size else math.nan


def cents_off(hertz: float, label: str) -> float:
    """How far a frequency is above a note, in cents."""
    return 1200.0 * math.log2(hertz / float(librosa.note_to_hz(label)))


def cpu_s(way: Callable[[Floats], float], samples: Floats) -> float:
    """The CPU time that one way takes."""
    begun = time.process_time()
    way(samples)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
