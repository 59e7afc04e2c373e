"""Tempo, beats and onsets of sounds whose times are known."""

from pathlib import Path

import numpy as np
import pytest

from demo.piece import Piece, compose
from harken.audio import MAX_TIMES, Feature, Onsets, Rhythm, analyze
from harken.audio import rhythm as rhythm_module
from tests.audio.signals import chord, clicks, noise, sine, write

RATE = 22_050


def rhythm(path: Path) -> Rhythm:
    found = analyze(path, [Feature.RHYTHM]).rhythm
    assert found is not None
    return found


def onsets(path: Path) -> Onsets:
    found = analyze(path, [Feature.ONSETS]).onsets
    assert found is not None
    return found


@pytest.mark.parametrize("bpm", [60, 72.5, 80, 93.3, 100, 110, 120, 128, 140, 155, 174])
def test_a_metronome_has_its_tempo(tmp_path: Path, bpm: float) -> None:
    ticks, _ = clicks(bpm, 12.0, rate=RATE)
    found = rhythm(write(tmp_path / "a.wav", ticks, rate=RATE))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.005)
    assert found.tempo_confidence is not None
    # Bare ticks could be counted in halves or doubles.
    assert 0.3 < found.tempo_confidence <= 1.0


@pytest.mark.parametrize("bpm", [45, 180, 190, 200, 220])
def test_an_extreme_metronome_has_its_tempo_among_the_candidates(
    tmp_path: Path, bpm: float
) -> None:
    ticks, _ = clicks(bpm, 12.0, rate=RATE)
    found = rhythm(write(tmp_path / "a.wav", ticks, rate=RATE))
    assert min(abs(candidate.bpm / bpm - 1) for candidate in found.tempo_candidates) < 0.01


def test_the_beats_are_the_ticks(tmp_path: Path) -> None:
    ticks, times = clicks(120, 12.0, rate=RATE)
    found = rhythm(write(tmp_path / "a.wav", ticks, rate=RATE))
    assert found.beat_count == len(found.beats_s)
    errors = [np.abs(times - beat).min() for beat in found.beats_s]
    assert max(errors) < 0.02
    assert found.beat_count >= len(times) - 2


@pytest.mark.parametrize("bpm", [84, 96, 112, 126, 138, 152])
@pytest.mark.parametrize(("key", "mode"), [("A", "minor"), ("F", "major")])
def test_a_piece_has_the_tempo_it_was_composed_in(
    tmp_path: Path, bpm: float, key: str, mode: str
) -> None:
    piece = compose(tempo_bpm=bpm, key=key, mode=mode, duration_s=16.0)
    samples = piece.samples.astype(np.float64)
    found = rhythm(write(tmp_path / "a.wav", samples, rate=piece.sample_rate))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.01)


def test_the_beats_of_a_piece_fall_where_they_were_written(piece: Piece, piece_path: Path) -> None:
    found = rhythm(piece_path)
    expected = np.array(piece.beats_s)
    errors = [np.abs(expected - beat).min() for beat in found.beats_s]
    assert np.median(errors) < 0.015
    assert found.beat_count == pytest.approx(expected.shape[0], abs=2)


@pytest.mark.parametrize(
    ("loop", "bpm"),
    [
        ("loop_120-funkybeat", 120),
        ("loop_130-discobeat", 130),
        ("loop_Bass_A_Major_72BPM", 72),
        ("loop_Bass_C_Minor_76BPM", 76),
        ("loop_Drums_170BPM", 170),
        ("loop_Melody_B_Minor_73BPM", 73),
    ],
)
def test_a_loops_tempo_is_among_the_candidates(samples: Path, loop: str, bpm: float) -> None:
    found = rhythm(samples / "loops" / f"{loop}.wav")
    assert found.tempo_candidates
    assert found.tempo_candidates[0].bpm == found.tempo_bpm
    assert found.tempo_candidates[0].confidence == found.tempo_confidence
    confidences = [candidate.confidence for candidate in found.tempo_candidates]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0.0 < confidence <= 1.0 for confidence in confidences)
    assert min(abs(candidate.bpm / bpm - 1) for candidate in found.tempo_candidates) < 0.02


def without_a_pulse() -> dict[str, np.ndarray]:
    return {
        "silence": np.zeros(6 * RATE),
        "white noise": noise(6.0, rate=RATE),
        "brown noise": np.cumsum(noise(6.0, rate=RATE, seed=3)) / 200,
        "a tone": sine(440, 6.0, rate=RATE),
        "one chord": chord([60, 64, 67], 6.0, rate=RATE),
        "one click": np.concatenate([np.zeros(RATE), [0.9], np.zeros(4 * RATE)]),
        "a constant": np.full(6 * RATE, 0.3),
        "a fast train, but short": clicks(240, 1.9, rate=RATE)[0],
    }


@pytest.mark.parametrize("name", without_a_pulse())
def test_what_has_no_pulse_has_no_tempo(tmp_path: Path, name: str) -> None:
    found = rhythm(write(tmp_path / "a.wav", without_a_pulse()[name], rate=RATE))
    assert found == Rhythm(beat_count=0)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("seconds", [2.0, 4.0, 20.0])
def test_chance_is_not_taken_for_a_pulse(tmp_path: Path, seconds: float, seed: int) -> None:
    path = write(tmp_path / "a.wav", noise(seconds, rate=RATE, seed=seed), rate=RATE)
    assert rhythm(path).tempo_bpm is None


def test_onsets_are_where_the_sounds_begin(tmp_path: Path) -> None:
    ticks, times = clicks(75, 10.0, rate=RATE)
    found = onsets(write(tmp_path / "a.wav", ticks, rate=RATE))
    assert found.onset_count == len(times)
    assert found.onsets_s == pytest.approx(times, abs=0.035)
    assert found.rate_hz == pytest.approx(len(times) / 10.0)


def test_soft_and_loud_notes_both_begin(tmp_path: Path) -> None:
    notes = [chord([60 + step], 0.5) * gain for step, gain in ((0, 1), (4, 0.2), (7, 1), (12, 0.2))]
    found = onsets(write(tmp_path / "a.wav", np.concatenate([np.zeros(22_050), *notes])))
    assert found.onsets_s == pytest.approx([0.5, 1.0, 1.5, 2.0], abs=0.035)


def test_silence_has_no_onset(tmp_path: Path) -> None:
    found = onsets(write(tmp_path / "a.wav", np.zeros(44_100)))
    assert found == Onsets(onset_count=0, rate_hz=0.0)


def test_very_many_onsets_are_cut_but_counted(tmp_path: Path) -> None:
    """More than two thousand seconds of ticks, five a second."""
    ticks, _ = clicks(300, 60.0, rate=8_000, first_s=0.1)
    path = write(tmp_path / "a.wav", np.tile(ticks, 35), rate=8_000, subtype="PCM_U8")
    result = analyze(path, [Feature.ONSETS, Feature.RHYTHM])
    assert result.onsets is not None
    assert result.onsets.onset_count is not None
    assert result.onsets.onset_count > MAX_TIMES
    assert len(result.onsets.onsets_s) == MAX_TIMES
    assert result.onsets.rate_hz == pytest.approx(5.0, rel=0.02)


def test_hours_of_music_are_heard_an_hour_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here in parts of ten seconds: the beats go on across the seams, the tempo is that of all."""
    monkeypatch.setattr(rhythm_module, "LONGEST_S", 10.0)
    ticks, times = clicks(120, 36.0, rate=RATE)
    found = rhythm(write(tmp_path / "a.wav", ticks, rate=RATE))
    assert found.tempo_bpm == pytest.approx(120, rel=0.005)
    assert found.beat_count == pytest.approx(len(times), abs=4)
    assert max(np.abs(times - beat).min() for beat in found.beats_s) < 0.02
    assert (np.diff(found.beats_s) > 0.25).all()
    assert sum(tempo.confidence for tempo in found.tempo_candidates) <= 1.0


def test_a_tempo_that_holds_for_most_of_the_hours_is_the_tempo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rhythm_module, "LONGEST_S", 10.0)
    music = np.concatenate([clicks(bpm, 10.0, rate=RATE)[0] for bpm in (96, 120, 120)])
    found = rhythm(write(tmp_path / "a.wav", music, rate=RATE))
    assert found.tempo_bpm == pytest.approx(120, rel=0.01)
    assert any(tempo.bpm == pytest.approx(96, rel=0.01) for tempo in found.tempo_candidates)
