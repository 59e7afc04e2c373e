"""How good and how fast the embedding is: `python -m benchmarks.embedding [folder of samples]`.

1. How often the nearest neighbour is of the same kind, on generated sounds that the metric was not
   fitted to (another seed, so other kits, places, words and voices): the raw 128 numbers against
   the mean and spread of 20 MFCC, standardised on the very set.
2. The same on recorded one-shots, if the folder of samples is there (HARKEN_SAMPLES).
3. How far gain, a cut and an MP3-like loss of treble move the vector of generated sounds.
4. CPU time in a warm process.

Prints medians. Bounded: about three minutes.
"""

import csv
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from scipy import fft

from benchmarks.sounds.collection import COLLECTIONS, Labelled, drums
from benchmarks.sounds.primitives import RATE, Samples, noise
from harken.audio.blocks import FRAME, HOP, Floats
from harken.audio.decode import Recording
from harken.audio.embedding import embed
from harken.audio.excerpts import Excerpt, Excerpts
from harken.audio.mel import mel_filters
from harken.audio.mono import MonoStream
from harken.audio.spectrum import SpectrumStream
from harken.audio.timbre import cosines

SEED: Final = 2
ROUNDS: Final = 30


def main() -> None:
    """Run all four."""
    print("nearest neighbour of the same kind     sounds    MFCC   harken")
    for name, generate in COLLECTIONS.items():
        compare(f"generated {name}", list(generate(SEED)), across=name == "words")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HARKEN_SAMPLES", ""))
    if (folder / "manifest.csv").exists():
        compare("recorded one-shots", recorded(folder), across=False)
    print("\nleast and median likeness to itself")
    for name, change in CHANGES.items():
        moved(name, change)
    print("\nCPU time")
    rng = np.random.default_rng(SEED)
    for seconds in (0.05, 0.5, 5.0, 19.0, 180.0):
        sound = noise(rng, round(seconds * RATE), 50, 9000) / 10
        cost(seconds, sound.astype(np.float32))


def compare(name: str, sounds: list[Labelled], *, across: bool) -> None:
    """Both on one set; `across` asks for another source, a speaker."""
    statistics = np.stack([mfcc_statistics(sound.samples) for sound in sounds])
    statistics = (statistics - statistics.mean(axis=0)) / (statistics.std(axis=0) + 1e-9)
    vectors = np.stack([vector(sound.samples) for sound in sounds])
    peers = [nearest(values, sounds, across=across) for values in (statistics, vectors)]
    print(f"  {name:34} {len(sounds):8} {peers[0]:8.3f} {peers[1]:8.3f}")


def nearest(values: Samples, sounds: list[Labelled], *, across: bool) -> float:
    """The share of sounds whose nearest neighbour is of the same kind."""
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -2.0)
    kinds = np.array([sound.kind for sound in sounds])
    if across:
        sources = np.array([sound.source for sound in sounds])
        likeness[sources[:, None] == sources[None]] = -2.0
    return float(np.mean(kinds[likeness.argmax(axis=1)] == kinds))


def vector(samples: Samples) -> Samples:
    """The embedding of a sound that is not silent."""
    found = embed(Excerpt(stretches=samples.astype(np.float32)[None], whole=True))
    if found is None:
        raise ValueError("silence")
    return found


def mfcc_statistics(samples: Samples) -> Samples:
    """Mean and spread of 20 MFCC as librosa makes them."""
    padded = np.pad(samples, FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    mel = (np.abs(np.asarray(fft.rfft(frames * window, axis=1))) ** 2) @ mel_filters()
    decibels = 10 * np.log10(np.maximum(mel, 1e-10))
    cepstra = np.maximum(decibels, decibels.max() - 80) @ cosines(20)
    return np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0)])


def recorded(folder: Path) -> list[Labelled]:
    """The one-shots that have company in their class."""
    with (folder / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "oneshot"]
    classes = [row["class"] for row in rows]
    chosen = [row for row in rows if classes.count(row["class"]) > 1]
    return [
        Labelled(kind=row["class"], source=n, samples=mono(folder / row["path"]))
        for n, row in enumerate(chosen)
    ]


def mono(path: Path) -> Samples:
    """A file as the engine hears it."""
    with Recording(str(path)) as recording:
        samples = np.concatenate([block.samples for block in recording.blocks()], axis=1)
        stream = MonoStream(recording.sample_rate)
    return np.concatenate([stream.push(samples), stream.finish()]).astype(np.float64)


def moved(name: str, change: Callable[[Samples], Samples]) -> None:
    """What a change of the recording does to generated drums."""
    sounds = [sound.samples for sound in drums(SEED, each=10)]
    likeness = [vector(samples) @ vector(change(samples)) for samples in sounds]
    print(f"  {name:34} {min(likeness):.4f} {np.median(likeness):.4f}")


def _softer(samples: Samples) -> Samples:
    return np.round(samples * 0.1 * 32768) / 32768


def _silence(samples: Samples) -> Samples:
    return np.pad(samples, RATE // 3)


def _duller(samples: Samples) -> Samples:
    spectrum = np.asarray(fft.rfft(samples))
    spectrum[np.arange(spectrum.shape[0]) > spectrum.shape[0] * 8000 / (RATE / 2)] = 0
    return np.asarray(fft.irfft(spectrum, samples.shape[0]))


CHANGES: Final = {
    "20 dB softer, in 16 bits": _softer,
    "a third of a second of silence": _silence,
    "nothing above 8 kHz": _duller,
}


def cost(seconds: float, signal: Floats) -> None:
    """CPU time of the analysis alone: the spectrum is made for others too."""
    stream = SpectrumStream()
    blocks = [*stream.push(signal), *stream.finish()]
    times: list[float] = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        excerpts = Excerpts()
        for block in blocks:
            excerpts.add(block)
        embed(excerpts.finish())
        times.append(time.process_time() - start)
    print(f"  {seconds:6.2f} s of sound {1e3 * float(np.median(times[1:])):8.2f} ms")


if __name__ == "__main__":
    main()
