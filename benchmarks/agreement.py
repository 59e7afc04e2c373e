"""How far the engine is from librosa, pyloudnorm and the EBU: `python -m benchmarks.agreement [folder of samples]`.

1. Every mean of the spectral features beside librosa's (tests/audio/reference.py), over composed music
   in six formats, plain signals and generated drums; and over recordings, if the folder of samples
   is there (HARKEN_SAMPLES). A difference is a share of the file's mean; of the largest coefficient
   for MFCC, of the mean over the bands for contrast; of chroma's full scale, which is 1.
2. Integrated loudness beside pyloudnorm's, on the same files, where it is installed: as it comes, and
   with its filter of the standard's values (DeMan) on whole steps of 100 ms.
3. Loudness, range and true peak beside the nominal values of EBU Tech 3341 and 3342.

Prints medians and the largest difference with its file. Bounded: about a minute, two with recordings.
"""

import csv
import importlib
import importlib.util
import os
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.sounds.collection import drums
from benchmarks.sounds.primitives import RATE as DRUM_RATE
from demo import piece
from harken.audio import AnalysisResult, Feature, Loudness, Onsets, analyze
from harken.audio.decode import Recording
from tests.audio.reference import Reference, reference
from tests.audio.signals import chord, clicks, noise, sine, steps, write
from tests.audio.test_loudness import INTEGRATED, RANGES, TRUE_PEAKS

SEED: Final = 2
PIECES: Final = ((112.0, "A", "minor"), (84.0, "D#", "major"), (140.0, "F", "minor"))
PIECE_S: Final = 20.0
FORMATS: Final = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
LONGEST_S: Final = 180.0  # of the recordings, so that it ends
FEATURES: Final = tuple(
    feature for feature in Feature if feature not in (Feature.RHYTHM, Feature.EMBEDDING)
)
NOMINAL_LUFS: Final = -23.0
EBU_RATE: Final = 48_000


def main() -> None:
    """Run all three."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HARKEN_SAMPLES", ""))
    with tempfile.TemporaryDirectory(prefix="harken-agreement-") as made:
        compare("generated material", material(Path(made)))
        if (folder / "manifest.csv").exists():
            compare("recordings", recordings(folder))
        nominal(Path(made))


def material(folder: Path) -> list[Path]:
    """Music, signals and drums, made here."""
    paths: list[Path] = []
    for tempo, key, mode in PIECES:
        music = piece.compose(tempo, key, mode, PIECE_S)
        for extension in FORMATS:
            paths.append(folder / f"{tempo:.0f} bpm {key} {mode}{extension}")
            piece.write(paths[-1], music)
    for rate in (8_000, 22_050, 44_100, 96_000):
        sound = noise(4.0, rate=rate) + sine(700, 4.0, rate=rate)
        paths.append(write(folder / f"noise and tone {rate}.wav", sound, rate=rate, tile=2))
    paths.append(write(folder / "chord.wav", chord((60, 64, 67), 4.0), subtype="PCM_16"))
    paths.append(write(folder / "clicks.wav", clicks(120, 8.0)[0], subtype="PCM_16"))
    for hit in drums(SEED, each=2):
        path = folder / f"{hit.kind} {hit.source}.wav"
        paths.append(write(path, hit.samples, rate=DRUM_RATE, subtype="PCM_16"))
    return paths


def recordings(folder: Path) -> list[Path]:
    """Every recording with sound, up to three minutes."""
    with (folder / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["decode"] == "ok" and row["duration_s"]]
    return [
        folder / row["path"]
        for row in rows
        if float(row["duration_s"]) < LONGEST_S and "noaudio" not in row["path"]
    ]


def compare(title: str, paths: Sequence[Path]) -> None:
    """One table."""
    found: dict[str, list[tuple[float, str]]] = {}
    heard = 0
    other_onsets: list[str] = []
    for path in paths:
        result = analyze(path, FEATURES)
        if not result.spectral or result.spectral.centroid_hz_mean is None:
            continue  # digital silence has no shape to compare
        heard += 1
        expected = reference(path)
        for name, difference in differences(result, expected).items():
            found.setdefault(name, []).append((difference, path.name))
        if result.loudness and (lufs := result.loudness.integrated_lufs) is not None:
            for name, theirs in by_pyloudnorm(path).items():
                found.setdefault(name, []).append((abs(lufs - theirs), path.name))
        if not same(result.onsets, expected.onsets_s):
            other_onsets.append(path.name)
    print(f"\n{title}: {heard} files{'':24} median   largest  where")
    for name, pairs in found.items():
        largest, where = max(pairs)
        median = np.median([difference for difference, _ in pairs])
        print(f"  {name:42} {median:9.1e} {largest:9.1e}  {where}")
    others = f", not in {', '.join(other_onsets)}" if other_onsets else ""
    print(f"  onsets: the very same times in {heard - len(other_onsets)} of {heard} files{others}")


def differences(result: AnalysisResult, expected: Reference) -> dict[str, float]:
    """By feature, how far the file's means are from librosa's."""
    spectral, timbre, tonal = result.spectral, result.timbre, result.tonal
    assert spectral is not None
    assert timbre is not None
    assert tonal is not None
    found: dict[str, float] = {}
    for name, key in (
        ("centroid", "centroid_hz_mean"),
        ("bandwidth", "bandwidth_hz_mean"),
        ("rolloff", "rolloff_hz_mean"),
        ("flatness", "flatness_mean"),
        ("zero_crossing_rate", "zero_crossing_rate_mean"),
    ):
        mean = getattr(expected, name).mean()
        if mean > 0:
            found[name] = abs(getattr(spectral, key) / mean - 1.0)
    contrast, mfcc = expected.contrast.mean(axis=1), expected.mfcc.mean(axis=1)
    found["contrast"] = _largest(spectral.contrast_mean, contrast) / float(contrast.mean())
    found["MFCC"] = _largest(timbre.mfcc_mean, mfcc) / float(np.abs(mfcc).max())
    found["chroma"] = _largest(tonal.chroma_mean, expected.chroma.mean(axis=1))
    return found


def same(found: Onsets | None, expected_s: NDArray[np.float64]) -> bool:
    """Whether the onsets are the very same."""
    times = np.array(found.onsets_s if found else ())
    return times.shape == expected_s.shape and np.allclose(times, expected_s)


def by_pyloudnorm(path: Path) -> dict[str, float]:
    """The loudness of a mono or stereo file, as it comes and as the standard has it, in LUFS.

    Nothing where there is none, or no pyloudnorm: `make bench-engine` alone installs it.
    """
    if importlib.util.find_spec("pyloudnorm") is None:
        return {}
    pyloudnorm: Any = importlib.import_module("pyloudnorm")
    with Recording(str(path)) as recording:
        samples = np.concatenate([block.samples for block in recording.blocks()], axis=1)
    rate = recording.sample_rate
    if samples.shape[0] > 2 or samples.shape[1] < 0.4 * rate:
        return {}
    step = rate // 10
    whole = samples.T[: samples.shape[1] // step * step]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by zero where the gates leave nothing
        found = {
            name: float(pyloudnorm.Meter(rate, filter_class=kind).integrated_loudness(part))
            for name, kind, part in (
                ("loudness, pyloudnorm (LU)", "K-weighting", samples.T.astype(np.float64)),
                ("loudness, pyloudnorm as the standard (LU)", "DeMan", whole.astype(np.float64)),
            )
        }
    return {name: lufs for name, lufs in found.items() if np.isfinite(lufs)}


def nominal(folder: Path) -> None:
    """The EBU's own signals."""
    path = folder / "ebu.wav"
    print("\nlargest distance from the nominal value")
    composed = [piece.compose(tempo, key, mode, PIECE_S) for tempo, key, mode in PIECES]
    away: list[float] = []
    for music in composed:
        write(path, music.samples.astype(np.float64), rate=music.sample_rate)
        away.append((_of(path).integrated_lufs or 0.0) - music.integrated_lufs)
    _off("composed loudness", away, "LU")
    integrated = [_loudness(path, levels).integrated_lufs or 0.0 for levels in INTEGRATED.values()]
    _off(
        "EBU Tech 3341, integrated",
        [lufs - NOMINAL_LUFS for lufs in integrated],
        "LU (allowed: 0.1)",
    )
    ranges = [
        (_loudness(path, [(level, 20.0) for level in levels]).range_lu or 0.0) - lu
        for levels, lu in RANGES.values()
    ]
    _off("EBU Tech 3342, range", ranges, "LU (allowed: 1)")
    peaks: list[float] = []
    for share, peak, degrees, dbtp in TRUE_PEAKS:
        tone = sine(EBU_RATE / share, 1.0, dbfs=20 * np.log10(peak), rate=EBU_RATE, degrees=degrees)
        fade = np.minimum(1.0, np.arange(tone.shape[0]) / 1000)
        write(path, tone * fade * fade[::-1], rate=EBU_RATE, tile=2)
        peaks.append((_of(path).true_peak_dbtp or 0.0) - dbtp)
    _off("EBU Tech 3341, true peak", peaks, "dB (allowed: -0.4 to +0.2)")


def _loudness(path: Path, levels: Sequence[tuple[float, float]]) -> Loudness:
    return _of(write(path, steps(levels, rate=EBU_RATE), rate=EBU_RATE, tile=2))


def _of(path: Path) -> Loudness:
    found = analyze(path, [Feature.LOUDNESS]).loudness
    assert found is not None
    return found


def _off(name: str, distances: Sequence[float], unit: str) -> None:
    farthest = max(distances, key=abs)
    print(f"  {name:28} {farthest:+.4f} {unit}, {len(distances)} signals")


def _largest(found: Iterable[float], expected: NDArray[np.float64]) -> float:
    return float(np.abs(np.array([*found]) - expected).max())


if __name__ == "__main__":
    main()
