"""Pitch beside librosa.pyin: who is right within 50 cents on labelled notes, how long it takes, and who errs on voices.

    HARKEN_SAMPLES=… python -m benchmarks.pitch [--rounds 5]

Times are of the process's CPU, taken in turns, as medians; both start from the same mono samples at 22,050 Hz.

The voices are made (voices.py), so that their pitch is known in every frame. An error is gross where both truth and
tracker have a pitch and these are more than 50 cents apart; the voicing is wrong in frames where only one has.
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

from benchmarks.voices import SPEAKERS, spoken
from harken.audio.blocks import SAMPLE_RATE, Doubles, Floats
from harken.audio.pitch.candidates import (
    FRAME,
    HIGHEST_HZ,
    HOP,
    LOWEST_HZ,
    WINDOW,
    find_candidates,
)
from harken.audio.pitch.path import PitchPath
from harken.audio.pitch.tracker import PitchTracker

RIGHT_CENTS = 50.0
BLOCK = 65_536
SEEDS = (10, 11)


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
    judge_voices()


def judge_voices() -> None:
    """The shares of wrong frames on voices that are made."""
    print(f"\n{'% of frames':20} {'gross errors':>16} {'voicing wrong':>16}")
    print(f"{'':20} " + " ".join(f"{'harken':>8}{'pyin':>8}" for _ in range(2)))
    for speaker in SPEAKERS:
        wrong = np.zeros((2, 2))  # way, kind of error
        for seed in SEEDS:
            samples, truth = spoken(speaker, seed)
            for number, (way, hop, centre) in enumerate(FRAMES):
                wrong[number] += np.asarray(errors(way(samples), truth, hop, centre)) / len(SEEDS)
        print(
            f"{speaker.name:20} " + " ".join(f"{us:8.1f}{them:8.1f}" for us, them in 100 * wrong.T)
        )


def errors(found: Floats, truth: Doubles, hop: int, centre: int) -> tuple[float, float]:
    """The shares of frames whose pitch is wrong, and whose voicing; `found` is NaN where there is no pitch."""
    middles = np.clip(np.arange(found.shape[0]) * hop + centre, 0, truth.shape[0] - 1)
    due, pitched = truth[middles], ~np.isnan(found)
    both = pitched & (due > 0)
    cents = 1200 * np.abs(np.log2(found[both] / due[both]))
    return float(np.mean(cents > RIGHT_CENTS)), float(np.mean(pitched != (due > 0)))


def harken_frames(samples: Floats) -> Floats:
    """The pitch of each frame in Hz by harken."""
    path = PitchPath()
    frames = (samples.shape[0] - FRAME) // HOP + 1
    decided = [*path.push(*find_candidates(samples, frames)), path.finish()]
    cents = np.concatenate([cents for cents, _ in decided])
    return (LOWEST_HZ * 2.0 ** (cents / 1200)).astype(np.float32)


def librosa_frames(samples: Floats) -> Floats:
    """The same by librosa.pyin, with its defaults and harken's range."""
    return librosa.pyin(samples, fmin=LOWEST_HZ, fmax=HIGHEST_HZ, sr=SAMPLE_RATE)[0]


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


FRAMES = (
    (harken_frames, HOP, WINDOW // 2),
    (librosa_frames, 512, 0),
)  # and the middle of the first

if __name__ == "__main__":
    main()
