"""How fast and how good stems are beside librosa: `python -m benchmarks.separation [folder of samples]`.

1. CPU time of taking thirty seconds of stereo at 44.1 kHz apart, harken's and librosa's in turn, and the ratio of the
   medians: `librosa.decompose.hpss` with its transform there and back, and the recipe of librosa's example of vocal
   separation (`nn_filter` by cosine, the median of what is found), a channel at a time as it wants.
2. SI-SDR of each stem against what was mixed, of real stems and of speech over music, if the folder of samples is there
   (HARKEN_SAMPLES): the mix's own, librosa's and harken's. The recipe's masks are taken with margins of 1, with which
   they sum to the whole as harken's do, and which is better than its own 2 and 10. A second table has mixes that are
   made of a seed (made_mixes.py). Below it stands how many stems are level with librosa's or better.

3. The largest memory that the process has taken up after two minutes of stereo that are taken apart into files, both
   ways at once, after ten, and after an hour.

Bounded: about fifteen minutes.
"""

import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import librosa
import numpy as np

from benchmarks.made_mixes import made_mixes
from harken.audio.blocks import Floats, SoundBlock
from harken.audio.decode import Recording
from harken.audio.separation.foreground_background import foreground_background
from harken.audio.separation.harmonic_percussive import harmonic_percussive
from harken.audio.separation.separator import Separator
from harken.audio.separation.splitter import SEPARATIONS, StemSplitter

RATE: Final = 44_100
SECONDS: Final = 30
ROUNDS: Final = 3
MINUTES: Final = (2, 10, 60)
BLOCK: Final = 1 << 16  # samples, as the engine hands them on
FRAME: Final = 2048  # librosa's own default
APART_S: Final = 2.0  # the recipe's
LEVEL_DB: Final = 0.02  # nobody hears it
SEEDS: Final = (0, 1)

Stems = tuple[Floats, Floats]
Way = Callable[[Floats], Stems]


def main() -> None:
    """All three."""
    grown()
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HARKEN_SAMPLES", ""))
    mixes = list(real_mixes(folder)) if (folder / "manifest.csv").exists() else []
    sound = sum(mixes[0][2]) if mixes else np.random.default_rng(0).random((2, SECONDS * RATE))
    sound = np.asarray(sound, dtype=np.float32)
    print(f"CPU s of {sound.shape[1] / RATE:.0f} s of stereo        librosa  harken  ratio")
    for name, (theirs, ours) in WAYS.items():
        compare(name, theirs, ours, sound)
    if mixes:
        judge_all("of both stems", mixes)
    made = (
        (name, HPSS if strikes else REPET, stems)
        for seed in SEEDS
        for name, strikes, stems in made_mixes(seed)
    )
    judge_all("of stems that are made", made)


def grown() -> None:
    """Memory against the length of the recording; first, before anything else has taken more."""
    rng = np.random.default_rng(0)
    block = SoundBlock(
        samples=0.1 * rng.standard_normal((2, BLOCK), dtype=np.float32),
        sample_rate=RATE,
        channels=("FL", "FR"),
    )
    splitter = StemSplitter(SEPARATIONS, lambda _: None)
    print("memory at the most, MB: ", end="")
    for number in range(MINUTES[-1] * 60 * RATE // BLOCK + 1):
        splitter.on_sound(block)
        if number in {minutes * 60 * RATE // BLOCK for minutes in MINUTES}:
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{most:.0f} after {number * BLOCK / RATE / 60:.0f} minutes  ", end="", flush=True
            )
    splitter.close_files()
    print("\n")


def compare(name: str, theirs: Way, ours: Way, sound: Floats) -> None:
    """The CPU time of both, in turn."""
    ours(sound[:, : 2 * RATE])  # compiles
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for way, spent in zip((theirs, ours), times, strict=True):
            start = time.process_time()
            way(sound)
            spent.append(time.process_time() - start)
    one, other = (float(np.median(spent)) for spent in times)
    print(f"  {name:34} {one:7.2f} {other:7.2f} {one / other:6.1f}")


def judge_all(title: str, mixes: Iterable[tuple[str, str, Stems]]) -> None:
    """The ratios of all mixes, and in how many of them harken is not below librosa."""
    print(f"\nSI-SDR in dB, {title:22}  mix            librosa         harken")
    ahead = [gain for mix in mixes for gain in judge(*mix)]
    level = sum(gain >= -LEVEL_DB for gain in ahead)
    print(
        f"  level or better (within {LEVEL_DB} dB): {level} of {len(ahead)} stems;"
        f" beside librosa's {min(ahead):+.2f} dB at the least, {np.mean(ahead):+.2f} dB in the mean"
    )


def judge(name: str, way: str, stems: Stems) -> list[float]:
    """The ratios of a mix; how far harken's are above librosa's."""
    mix = stems[0] + stems[1]
    theirs, ours = WAYS[way]
    rows = [(mix, mix), theirs(mix), ours(mix)]
    figures = [tuple(si_sdr(e, t) for e, t in zip(row, stems, strict=True)) for row in rows]
    text = "  ".join(f"{one:6.2f} {other:6.2f} " for one, other in figures)
    print(f"  {name:32} {text}", flush=True)
    return [ours - theirs for ours, theirs in zip(figures[2], figures[1], strict=True)]


def si_sdr(estimate: Floats, truth: Floats) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019)."""
    one, other = estimate.ravel().astype(np.float64), truth.ravel().astype(np.float64)
    target = other * (one @ other) / (other @ other)
    return float(10 * np.log10((target @ target) / ((one - target) @ (one - target))))


def real_mixes(folder: Path) -> Iterator[tuple[str, str, Stems]]:
    """Names, ways and stems, as the way names them."""
    names = ("bassguitar", "clav", "drums", "horns", "leadguitar")
    bass, clav, drums, horns, lead = (
        # The plain sum of the five goes far beyond full scale.
        (read(folder / f"stems/stem_{name}.mp3") * np.float32(0.35)).astype(np.float32)
        for name in names
    )
    yield "drums / all others", HPSS, (mixed(bass, clav, horns, lead), drums)
    yield "drums / clav, horns", HPSS, (mixed(clav, horns), drums)
    yield "lead / rhythm", REPET, (mixed(bass, clav, drums), lead)
    yield "lead, horns / rhythm", REPET, (mixed(bass, clav, drums), mixed(horns, lead))
    voice = np.concatenate(
        [read(folder / f"speech/speech_libri{number}.ogg") for number in (1, 2)], axis=1
    )
    for name in ("groovin", "backbeat", "downtownboogie"):
        music = read(folder / f"music/music_freepd_{name}.mp3")
        speech = voice[:, : music.shape[1]]
        level = np.sqrt(np.mean(music**2) / np.mean(speech**2))
        yield f"speech / {name}", REPET, (music, (speech * level).astype(np.float32))


def mixed(*stems: Floats) -> Floats:
    """Their sum."""
    return np.stack(stems).sum(axis=0)


def read(path: Path) -> Floats:
    """The first seconds of a file in stereo."""
    with Recording(str(path)) as recording:
        samples = np.concatenate([block.samples for block in recording.blocks()], axis=1)
        rate = recording.sample_rate
    if rate != RATE:
        samples = librosa.resample(samples, orig_sr=rate, target_sr=RATE)
    stereo = np.repeat(samples, 2, axis=0) if samples.shape[0] == 1 else samples
    return np.ascontiguousarray(stereo[:, : SECONDS * RATE], dtype=np.float32)


def by_harken(make: Callable[[int, int], Separator]) -> Way:
    """A separator over a whole recording."""

    def way(sound: Floats) -> Stems:
        separator = make(RATE, sound.shape[0])
        parts = [
            separator.push(sound[:, start : start + BLOCK])
            for start in range(0, sound.shape[1], BLOCK)
        ]
        parts.append(separator.finish())
        stem = np.concatenate([part.stems[0] for part in parts], axis=1)
        return stem, sound - stem

    return way


def hpss(sound: Floats) -> Stems:
    """As librosa does it by medians."""
    both = librosa.decompose.hpss(librosa.stft(sound, n_fft=FRAME))
    one, other = (librosa.istft(stem, length=sound.shape[1]) for stem in both)
    return one, other


def repet(sound: Floats) -> Stems:
    """As librosa's example does it."""
    both = [_repet(channel) for channel in sound]
    return np.stack([one for one, _ in both]), np.stack([other for _, other in both])


def _repet(channel: Floats) -> Stems:
    spectrum = librosa.stft(channel, n_fft=FRAME)
    magnitude = np.abs(spectrum)
    away = int(librosa.time_to_frames(APART_S, sr=RATE, hop_length=FRAME // 4))
    alike = librosa.decompose.nn_filter(magnitude, aggregate=np.median, metric="cosine", width=away)
    alike = np.minimum(magnitude, alike)
    mask = librosa.util.softmask(alike, magnitude - alike, power=2)
    one, other = (
        librosa.istft(spectrum * share, length=channel.shape[0]) for share in (mask, 1 - mask)
    )
    return one, other


HPSS: Final = "harmonic, percussive"
REPET: Final = "background, foreground"
WAYS: Final[dict[str, tuple[Way, Way]]] = {
    HPSS: (hpss, by_harken(harmonic_percussive)),
    REPET: (repet, by_harken(foreground_background)),
}

if __name__ == "__main__":
    main()
