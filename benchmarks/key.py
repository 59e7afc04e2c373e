"""How often the key is right, and what its confidence is worth: `python benchmarks/key.py`.

Generated pieces (tests/audio/progressions.py) in all keys, clean and under each degradation, drawn from
seeds that no constant was chosen on. Prints the share exactly right and the MIREX score; keys
given to what has none; the expected calibration error of the confidence; the error of the tuning;
and the CPU time.

    --pieces N          how many pieces, each under five conditions (default 120: six minutes)
    --fit               fit the confidence on the even seeds, and print its constants
    --essentia PYTHON   an interpreter that has Essentia, to measure KeyExtractor on the same sound
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import scipy.fft
import soxr
from numpy.typing import NDArray

from harken.audio.blocks import FRAME, HOP, SAMPLE_RATE
from harken.audio.fourier import hann
from harken.audio.key import NAMES, Key, estimate_key
from harken.audio.key_confidence import evidence, probability
from harken.audio.pitch_classes import Pitches, PitchHistogram
from harken.audio.tonal import is_tonal
from tests.audio import degradations, progressions
from tests.audio.timbres import RATE, Samples

FIRST_SEED: Final = 1000  # earlier ones were listened to while the method was chosen
BLOCK: Final = 64  # frames
CALIBRATION_BINS: Final = 10
RIDGE: Final = 1e-3
PROFILES: Final = ("bgate", "edma", "temperley", "shaath")
ESSENTIA: Final = """
import json, sys
import essentia
essentia.log.infoActive = False
import essentia.standard as es, numpy as np
extractors = {name: es.KeyExtractor(profileType=name) for name in sys.argv[1].split(",")}
for line in sys.stdin:
    samples = np.load(line.strip())
    print(json.dumps({name: find(samples)[:2] for name, find in extractors.items()}), flush=True)
"""
FLATS: Final = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}

Truth = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One sound, what is true of it, and what was found."""

    seed: int
    condition: str
    truth: Truth | None  # None where there is no key
    cents: float
    pitches: Pitches | None
    key: Key | None
    essentia: dict[str, Truth]

    @property
    def right(self) -> bool:
        """Whether tonic and mode are both right."""
        return self.key is not None and (self.key.tonic, self.key.mode) == self.truth


class Peer:
    """Essentia's KeyExtractor in a process of its own."""

    def __init__(self, python: str, folder: Path) -> None:
        self._file = folder / "samples.npy"
        self._process = subprocess.Popen(
            [python, "-c", ESSENTIA, ",".join(PROFILES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def keys(self, samples: Samples) -> dict[str, Truth]:
        """What each profile says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        np.save(self._file, samples)
        self._process.stdin.write(f"{self._file}\n")
        self._process.stdin.flush()
        found: dict[str, list[str]] = json.loads(self._process.stdout.readline())
        return {name: (FLATS.get(key, key), mode) for name, (key, mode) in found.items()}

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Measure all of it."""
    options = argparse.ArgumentParser()
    options.add_argument("--pieces", type=int, default=120)
    options.add_argument("--fit", action="store_true")
    options.add_argument("--essentia", metavar="PYTHON")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="harken-key-") as folder:
        peer = Peer(chosen.essentia, Path(folder)) if chosen.essentia else None
        heard = [hear(*sound, peer) for sound in sounds(chosen.pieces)]
        if peer:
            peer.close()
    accuracy(heard)
    without_key(heard)
    tuning(heard)
    confidence(heard, fit=chosen.fit)
    cost()


def sounds(pieces: int) -> Iterator[tuple[int, str, Truth | None, float, Samples]]:
    """All 24 keys in turn, each under every condition; and now and then what has no one key."""
    for number in range(pieces):
        seed = FIRST_SEED + number
        mode = "major" if number // 2 % 2 else "minor"  # so that either half has both
        for condition, make in degradations.degraded(
            seed, tonic=number // 4 % 12, mode=mode
        ).items():
            piece, samples = make()
            yield seed, condition, (piece.key, piece.mode), piece.cents, samples
        if number // 2 % 3 == 0:
            piece = progressions.modulating(seed)
            yield seed, "modulating", (piece.key, piece.mode), 0.0, piece.samples
            yield seed, "atonal", None, 0.0, progressions.atonal(seed)
            yield seed, "speech-like", None, 0.0, degradations.speech_like(seed)
            kit = degradations.drums(seed, seconds=8.0, beat_s=0.3 + 0.002 * number)
            yield seed, "drums alone", None, 0.0, kit
            hiss = np.random.default_rng(seed).standard_normal(RATE * (1 + number % 8))
            yield seed, "noise alone", None, 0.0, (0.1 * hiss).astype(np.float32)


def listen(samples: Samples) -> Pitches | None:
    """What the engine's analysis hears, without its files."""
    histogram = PitchHistogram()
    for block in blocks(samples):
        histogram.add(block)
    return histogram.finish()


def blocks(samples: Samples) -> list[NDArray[np.float32]]:
    """Magnitudes, (bins, frames) each."""
    signal = np.pad(soxr.resample(samples, RATE, SAMPLE_RATE, quality="HQ"), FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP]
    return [
        np.ascontiguousarray(magnitude(frames[at : at + BLOCK]).T)
        for at in range(0, frames.shape[0], BLOCK)
    ]


def magnitude(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of windowed frames, (frames, bins)."""
    spectrum: NDArray[np.complex128] = np.asarray(scipy.fft.rfft(frames * hann(FRAME)))
    return np.abs(spectrum).astype(np.float32)


def hear(
    seed: int,
    condition: str,
    truth: Truth | None,
    cents: float,
    samples: Samples,
    peer: Peer | None,
) -> Heard:
    """What harken, and the peer if there is one, makes of a sound."""
    pitches = listen(samples)
    key = estimate_key(pitches) if pitches and is_tonal(pitches) else None
    return Heard(
        seed=seed, condition=condition, truth=truth, cents=cents, pitches=pitches, key=key,
        essentia=peer.keys(samples) if peer and truth else {},
    )  # fmt: skip


def mirex(found: Truth | None, truth: Truth) -> float:
    """1 for the key, 0.5 a fifth away, 0.3 for the relative, 0.2 for the parallel key."""
    if found is None:
        return 0.0
    up = (NAMES.index(found[0]) - NAMES.index(truth[0])) % 12
    if found[1] == truth[1]:
        return {0: 1.0, 7: 0.5, 5: 0.5}.get(up, 0.0)
    relative = 9 if truth[1] == "major" else 3
    return {0: 0.2, relative: 0.3}.get(up, 0.0)


def accuracy(heard: list[Heard]) -> None:
    """Exact and MIREX-weighted, condition by condition."""
    scores: dict[str, dict[str, list[tuple[bool, float]]]] = defaultdict(lambda: defaultdict(list))
    for one in heard:
        if one.truth is None:
            continue
        found = {"harken": (one.key.tonic, one.key.mode) if one.key else None, **one.essentia}
        for name, key in found.items():
            scores[one.condition][name].append((key == one.truth, mirex(key, one.truth)))
    print("key: exactly right / MIREX-weighted")
    for condition, by_name in scores.items():
        values = (
            f"{name} {np.mean([right for right, _ in rows]):.3f}/{np.mean([score for _, score in rows]):.3f}"
            for name, rows in by_name.items()
        )
        print(f"  {condition:12s}", "   ".join(values), f"  ({len(by_name['harken'])} pieces)")


def without_key(heard: list[Heard]) -> None:
    """How often a key is given to what has none."""
    print("given a key, and its confidence")
    for condition in ("atonal", "speech-like", "drums alone", "noise alone"):
        rows = [one for one in heard if one.condition == condition]
        sure = [probability(one.key) for one in rows if one.key]
        mean = f", confidence {np.mean(sure):.2f} on average" if sure else ""
        print(f"  {condition:12s} {len(sure)} of {len(rows)}{mean}")


def tuning(heard: list[Heard]) -> None:
    """How far the tuning is from the one composed in."""
    errors = [
        abs((one.pitches.tuning_cents - one.cents + 50) % 100 - 50)
        for one in heard
        if one.truth and one.pitches
    ]
    print(f"tuning: off by {np.median(errors):.2f} cents (median), {np.max(errors):.2f} (worst)")


def confidence(heard: list[Heard], *, fit: bool) -> None:
    """Expected calibration error (Naeini 2015) of either half; with `fit`, of new constants."""
    known = [one for one in heard if one.key]
    table = np.array([evidence(one.key) for one in known if one.key])
    right = np.array([one.right for one in known], dtype=np.float64)
    even = np.array([one.seed % 2 == 0 for one in known])
    if fit:
        intercept, weights = logistic(table[even], right[even])
        print(f"INTERCEPT: Final = {intercept:.3f}")
        print(f"WEIGHTS: Final = ({', '.join(f'{weight:.3f}' for weight in weights)})")
        sure = 1.0 / (1.0 + np.exp(-(intercept + table @ weights)))
    else:
        sure = np.array([probability(one.key) for one in known if one.key])
    for name, half in (("fitted on (even seeds)", even), ("held out (odd seeds)", ~even)):
        error, rows = calibration(sure[half], right[half])
        print(f"confidence {name}: calibration error {error:.3f}, right {right[half].mean():.3f}")
        print("   said/right/count:", "  ".join(f"{s:.2f}/{r:.2f}/{n}" for s, r, n in rows))


def logistic(
    table: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Maximum likelihood by Newton's method, on standardised columns with a slight ridge."""
    mean, spread = table.mean(axis=0), table.std(axis=0)
    columns = np.column_stack([np.ones(table.shape[0]), (table - mean) / spread])
    weights = np.zeros(columns.shape[1])
    ridge = RIDGE * table.shape[0] * np.eye(columns.shape[1])
    ridge[0, 0] = 0.0
    for _ in range(50):
        sure = 1.0 / (1.0 + np.exp(-(columns @ weights)))
        slope = columns.T @ (right - sure) - ridge @ weights
        curve = (columns * (sure * (1 - sure))[:, None]).T @ columns + ridge
        weights += np.linalg.solve(curve, slope)
    plain = weights[1:] / spread
    return float(weights[0] - plain @ mean), plain


def calibration(
    sure: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[float, list[tuple[float, float, int]]]:
    """The mean distance between what is said and what is right, and both for every tenth."""
    bins = np.minimum((sure * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    rows = [
        (
            float(sure[bins == bin_].mean()),
            float(right[bins == bin_].mean()),
            int((bins == bin_).sum()),
        )
        for bin_ in range(CALIBRATION_BINS)
        if (bins == bin_).any()
    ]
    return sum(abs(said - was) * count for said, was, count in rows) / len(sure), rows


def cost() -> None:
    """CPU of key and tuning, from the spectrum on."""
    piece = progressions.compose(FIRST_SEED).samples
    for seconds, rounds in ((180.0, 20), (0.5, 200)):
        given = blocks(np.resize(piece, int(seconds * RATE)))
        times: list[float] = []
        for _ in range(rounds):
            start = time.process_time()
            histogram = PitchHistogram()
            for block in given:
                histogram.add(block)
            pitches = histogram.finish()
            if pitches is not None and is_tonal(pitches) and (key := estimate_key(pitches)):
                probability(key)
            times.append(time.process_time() - start)
        print(f"cost: {1000 * float(np.median(times)):.2f} ms for {seconds} s of sound")


if __name__ == "__main__":
    main()
