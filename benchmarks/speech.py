"""How well speech is found, and what it costs: `python -m benchmarks.speech [--fit]`, with HARKEN_SAMPLES set.

Prints what the labelled recordings are taken for, the errors on generated speech in noise, and the time of a pass with
and without it. With --fit: the weights of core/harken/audio/speech/kinds.py, and how often a model is right about
recordings that it was not fitted to, a twelfth of the recordings left out at a time.
"""

import csv
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import soundfile

from demo.piece import compose
from harken.audio import DEFAULT_FEATURES, Speech, analyze
from harken.audio.decode import Recording
from harken.audio.mono import MonoStream
from harken.audio.spectrum import SpectrumStream
from harken.audio.speech.frames import LEVEL, frames_of
from harken.audio.speech.kinds import KINDS, MUSIC, NOISE, SPEECH
from harken.audio.speech.texture import STEP, WINDOW, texture
from tests.audio.spoken import RATE, Spoken, speak

NOISES: Final = frozenset(
    (
        *("chainsaw", "clock_tick", "helicopter", "rain", "sea_waves", "person_sneeze"),
        *("dog_bark", "clap", "rooster", "baby_cry", "bird"),
    )
)
FOLDS: Final = 12
PENALTY: Final = 3e-3
STEPS: Final = 1_500  # of the descent, by which nothing moves any more
MOST_WINDOWS: Final = 12  # of a recording count: a long one is no better known
ROUNDS: Final = 7


def labelled(root: Path) -> Iterator[tuple[str, int]]:
    """The recordings that people have called speech, music or a noise."""
    with (root / "manifest.csv").open() as file:
        for row in csv.DictReader(file):
            if row["kind"] == "speech" or row["class"] == "voice":
                yield row["path"], SPEECH
            elif row["kind"] in ("music", "loop", "note", "stem"):
                yield row["path"], MUSIC
            elif row["class"] in NOISES:
                yield row["path"], NOISE


def colours() -> dict[str, Any]:
    """White, pink and brown noise."""
    count = 20 * RATE
    white = np.random.default_rng(0).standard_normal(count)
    spectrum, bins = np.fft.rfft(white), np.maximum(np.arange(count // 2 + 1), count * 60 / RATE)
    made = {"white": white, "pink": np.fft.irfft(spectrum / np.sqrt(bins), count)}
    return {**made, "brown": np.fft.irfft(spectrum / bins, count)}


def noisy(samples: Any, noise: Any, snr_db: float, said: Any = None) -> Any:
    """`samples` with noise so far below what is said in them."""
    level = np.std(samples if said is None else said) * 10 ** (-snr_db / 20)
    repeated = np.resize(noise, samples.shape[0])
    return samples + repeated / np.std(repeated) * level


def said_in(spoken: Spoken) -> Any:
    """The samples within the phrases."""
    parts = [spoken.samples[round(a * RATE) : round(b * RATE)] for a, b in spoken.phrases]
    return np.concatenate(parts)


def found_in(samples: Any) -> Speech:
    """What the engine finds."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        soundfile.write(file.name, samples, RATE, subtype="FLOAT")
        return analyze(file.name, ["speech"]).speech or Speech()


def recordings(root: Path) -> None:
    """What each is taken for: the kind with the largest share of what is not silent."""
    names = ("speech", "music", "noise")
    table = np.zeros((KINDS, KINDS), dtype=int)
    for path, kind in labelled(root):
        found = analyze(root / path, ["speech"]).speech or Speech()
        shares = [found.speech_share or 0, found.music_share or 0, found.noise_share or 0]
        table[kind, int(np.argmax(shares))] += 1
    print("recordings taken for:     speech   music   noise")
    for kind, row in enumerate(table):
        print(f"  {names[kind]:<22}" + "".join(f"{count:8d}" for count in row))
    wrong_speech = table[1:, SPEECH].sum()
    right = table[SPEECH, SPEECH] + table[1:].sum() - wrong_speech
    print(
        f"  speech or not, right: {right / table.sum():.1%}; all three: {np.trace(table) / table.sum():.1%}"
    )


def generated() -> None:
    """Errors on speech of known phrases, syllables and noise."""
    print("noise   dB     SNR found  speech found  edges ms (median, worst)  syllables found")
    spoken = [speak(6, seed=seed, pitch_hz=100 + 25 * seed) for seed in range(4)]
    for name, noise in (("none", None), *list(colours().items())[:2]):
        for snr_db in (0, 5, 10, 15, 20, 30) if noise is not None else (99,):
            ratios, shares, edges, counts = [], [], [], []
            for one in spoken:
                mixed = (
                    one.samples
                    if noise is None
                    else noisy(one.samples, noise, snr_db, said_in(one))
                )
                found = found_in(mixed)
                ratios.append(np.nan if found.snr_db is None else found.snr_db)
                shares.append((found.speech_s or 0) / (said_in(one).shape[0] / RATE))
                counts.append((found.syllable_count or 0) / one.syllables)
                if found.segment_count == len(one.phrases):
                    for segment, (start, end) in zip(found.segments, one.phrases, strict=True):
                        edges += [
                            abs((segment.start_s or 0) - start),
                            abs((segment.end_s or 0) - end),
                        ]
            shown = (
                f"{1000 * median(edges):6.0f} {1000 * max(edges):6.0f}"
                if edges
                else "   phrases merged or cut"
            )
            ratio = float(np.nanmedian(ratios)) if np.isfinite(ratios).any() else float("nan")
            print(
                f"{name:<6} {snr_db:3d} {ratio:12.1f} {np.mean(shares):12.0%}   {shown:>22}   {np.mean(counts):12.0%}"
            )


def cost() -> None:
    """Processor time of a pass with the first eight features, and with speech beside them."""
    piece = compose(duration_s=120.0)
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        soundfile.write(file.name, piece.samples, piece.sample_rate)
        times: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(ROUNDS + 1):
            for beside in times:
                features = (*DEFAULT_FEATURES, "speech") if beside else DEFAULT_FEATURES
                begun = time.process_time()
                analyze(file.name, features)
                times[beside].append(time.process_time() - begun)
        print(
            f"pass with speech ÷ without: {median(times[True][1:]) / median(times[False][1:]):.3f}"
        )


def windows(root: Path) -> tuple[Any, Any, Any]:
    """The textures of all windows, the kind of each, and the recording it is of."""
    sounds: dict[str, list[tuple[int, Any]]] = {}
    noises = colours()
    for path, kind in labelled(root):
        samples = _mono(root / path)
        sounds[path] = [(kind, samples)]
        if kind == MUSIC:
            sounds[path].append((MUSIC, noisy(samples[: 40 * RATE], noises["pink"], 10)))
    for seed in range(4):
        made = speak(4, seed=seed, pitch_hz=95 + 40 * seed).samples
        sounds[f"spoken {seed}"] = [(SPEECH, made)]
    for parts in sounds.values():
        kind, samples = parts[0]
        if kind == SPEECH:
            mixes = (
                ("white", 0),
                ("white", 5),
                ("white", 15),
                ("pink", 0),
                ("pink", 5),
                ("brown", 5),
            )
            parts += [(SPEECH, noisy(samples, noises[name], snr)) for name, snr in mixes]
    piece = compose(duration_s=20.0)
    stream = MonoStream(piece.sample_rate)
    sounds["piece"] = [
        (MUSIC, stream.push(np.ascontiguousarray(piece.samples.T, dtype=np.float32)))
    ]
    sounds |= {name: [(NOISE, 0.05 * noise / np.std(noise))] for name, noise in noises.items()}
    textures, kinds, names = [], [], []
    for name, parts in sounds.items():
        for place, (kind, samples) in enumerate(parts):
            columns = _frames(samples)
            levels = columns[:, LEVEL]
            least = np.percentile(levels, 10) + 3 if place else levels.max() - 30
            for start in range(0, max(columns.shape[0] - WINDOW, 0) + 1, STEP):
                part = columns[start : start + WINDOW]
                if kind == NOISE or part.shape[0] < WINDOW or (part[:, LEVEL] > least).mean() > 0.4:
                    textures.append(texture(part))
                    kinds.append(kind)
                    names.append(name)
    return np.array(textures, dtype=float), np.array(kinds), np.array(names)


def fitted(textures: Any, kinds: Any, names: Any) -> tuple[Any, Any]:
    """The weights and what is added, of a multinomial logistic model."""
    share = np.zeros(len(kinds))
    for name in set(names):
        mine = names == name
        share[mine] = min(mine.sum(), MOST_WINDOWS) ** 0.5 / mine.sum()
    for kind in range(KINDS):
        share[kinds == kind] /= KINDS * share[kinds == kind].sum()
    mean, spread = textures.mean(axis=0), textures.std(axis=0)
    rows = np.c_[(textures - mean) / spread, np.ones(len(kinds))]
    weights, wanted = np.zeros((rows.shape[1], KINDS)), np.eye(KINDS)[kinds]
    for _ in range(STEPS):
        scores = rows @ weights
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        penalty = PENALTY * np.r_[weights[:-1], np.zeros((1, KINDS))]
        weights -= rows.T @ ((chances - wanted) * share[:, None]) + penalty
    raw = weights[:-1] / spread[:, None]
    return raw.T, weights[-1] - mean @ raw


def fit(root: Path) -> None:
    """Prints the weights, and what a model finds in what it has not seen."""
    textures, kinds, names = windows(root)
    known = sorted(set(names))
    recordings = np.zeros((KINDS, 2))
    for fold in range(FOLDS):
        left = np.isin(names, known[fold::FOLDS])
        weights, bias = fitted(textures[~left], kinds[~left], names[~left])
        for name in set(names[left]):
            mine = names == name
            right = (textures[mine] @ weights.T + bias).argmax(axis=1) == kinds[mine]
            recordings[kinds[mine][0]] += (right.mean() > 0.5, 1)
    for kind, name in enumerate(("speech", "music", "noise")):
        print(
            f"left out, {name}: {recordings[kind, 0]:.0f} of {recordings[kind, 1]:.0f} recordings right"
        )
    weights, bias = fitted(textures, kinds, names)
    print("WEIGHTS", weights.round(2).tolist(), "\nBIAS", bias.round(2).tolist())


def _frames(samples: Any) -> Any:
    stream = SpectrumStream()
    blocks = [*stream.push(samples.astype(np.float32)), *stream.finish()]
    return np.concatenate([frames_of(block.power) for block in blocks])


def _mono(path: Path) -> Any:
    with Recording(str(path)) as recording:
        stream, parts = None, []
        for block in recording.blocks():
            stream = stream or MonoStream(block.sample_rate)
            parts.append(stream.push(block.samples))
        return np.concatenate([*parts, stream.finish()] if stream else parts)


def main() -> int:
    """Run it; 2 without recordings."""
    root = Path(os.environ.get("HARKEN_SAMPLES", ""))
    if not (root / "manifest.csv").is_file():
        print(
            "Set HARKEN_SAMPLES to the folder of recordings and their manifest.csv.",
            file=sys.stderr,
        )
        return 2
    if "--fit" in sys.argv[1:]:
        fit(root)
        return 0
    recordings(root)
    generated()
    cost()
    return 0


if __name__ == "__main__":
    sys.exit(main())
