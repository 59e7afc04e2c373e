"""Whether the beats are where the band played them, at one tempo and at changing ones."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.rhythm.scores import f_measure
from demo.piece import compose
from harken.audio import Feature, analyze
from tests.audio.band.instruments import RATE
from tests.audio.band.performance import Take, loop, ramp, step
from tests.audio.signals import write


def beats(folder: Path, take: Take) -> tuple[float, ...]:
    found = analyze(write(folder / "a.wav", take.samples, rate=RATE), [Feature.RHYTHM]).rhythm
    assert found is not None
    assert found.beat_count == len(found.beats_s)
    assert list(found.beats_s) == sorted(set(found.beats_s))
    assert all(0.0 <= beat < take.duration_s for beat in found.beats_s)
    return found.beats_s


@pytest.mark.parametrize("seed", [101, 103, 105])
@pytest.mark.parametrize(("first", "last"), [(90.0, 140.0), (140.0, 90.0)])
def test_beats_follow_a_ramp(tmp_path: Path, seed: int, first: float, last: float) -> None:
    take = ramp(seed, first, last, 40.0)
    assert f_measure(beats(tmp_path, take), take.beats_s) >= 0.9


@pytest.mark.parametrize("seed", [101, 103, 105])
@pytest.mark.parametrize(("first", "last"), [(100.0, 130.0), (125.0, 96.0)])
def test_beats_follow_a_step(tmp_path: Path, seed: int, first: float, last: float) -> None:
    take = step(seed, first, last, 40.0)
    assert f_measure(beats(tmp_path, take), take.beats_s) >= 0.9


@pytest.mark.parametrize("bpm", [78, 104, 131, 158])
def test_beats_of_a_piece_at_one_tempo(tmp_path: Path, bpm: float) -> None:
    piece = compose(tempo_bpm=bpm, duration_s=20.0)
    path = write(tmp_path / "a.wav", piece.samples.astype(np.float64), rate=piece.sample_rate)
    found = analyze(path, [Feature.RHYTHM]).rhythm
    assert found is not None
    assert f_measure(found.beats_s, piece.beats_s, trimmed_s=0.0) >= 0.95


def test_beats_of_loops_begin_with_them(tmp_path: Path) -> None:
    """The median over forty, for a loop's beat may be counted at half or double."""
    scores: list[float] = []
    for seed in range(40_001, 40_081, 2):
        take = loop(seed)
        scores.append(f_measure(beats(tmp_path, take), take.beats_s, trimmed_s=0.0))
    assert np.median(scores) >= 0.9
