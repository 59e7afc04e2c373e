"""Key, tuning and chroma of sounds whose notes are known."""

from pathlib import Path

import numpy as np
import pytest

from demo.piece import KEYS, compose
from harken.audio import Feature, Tonal, analyze
from harken.audio import tonal as tonality
from tests.audio.signals import chord, clicks, noise, sine, write

CADENCES = {
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 10, 14)),
}


def tonal(path: Path) -> Tonal:
    found = analyze(path, [Feature.TONAL]).tonal
    assert found is not None
    return found


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_has_the_key_of_its_tonic(tmp_path: Path, tonic: int, mode: str) -> None:
    first, fourth, fifth = CADENCES[mode]
    chords = [
        chord([60 + tonic + step for step in steps], seconds)
        for steps, seconds in ((first, 1.0), (fourth, 0.5), (fifth, 0.5), (first, 1.0))
    ]
    found = tonal(write(tmp_path / "a.wav", np.concatenate(chords)))
    assert (found.key, found.mode) == (KEYS[tonic], mode)
    assert found.key_confidence is not None
    assert 0.3 < found.key_confidence <= 1.0


@pytest.mark.parametrize(("key", "mode"), [("F", "major"), ("C#", "minor"), ("G", "minor")])
def test_a_piece_with_drums_has_the_key_it_was_composed_in(
    tmp_path: Path, key: str, mode: str
) -> None:
    piece = compose(key=key, mode=mode, duration_s=20.0)
    path = write(tmp_path / "a.wav", piece.samples.astype(np.float64), rate=piece.sample_rate)
    found = tonal(path)
    assert (found.key, found.mode) == (key, mode)


@pytest.mark.parametrize("cents", [-40.0, -15.0, 0.0, 10.0, 30.0])
def test_tuning_is_measured_from_a_440(tmp_path: Path, cents: float) -> None:
    found = tonal(write(tmp_path / "a.wav", chord([57, 61, 64, 69], 2.0, cents=cents)))
    assert found.tuning_cents == pytest.approx(cents, abs=3.0)
    assert found.key == "A"


@pytest.mark.parametrize("midi", range(60, 72))
def test_a_note_is_the_strongest_of_the_chroma(tmp_path: Path, midi: int) -> None:
    hertz = 440.0 * 2 ** ((midi - 69) / 12)
    found = tonal(write(tmp_path / "a.wav", sine(hertz, 1.0)))
    assert int(np.argmax(found.chroma_mean)) == midi % 12
    assert max(found.chroma_mean) == pytest.approx(1.0, abs=0.02)
    assert min(found.chroma_mean) >= 0.0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("seconds", [0.5, 3.0, 12.0])
def test_noise_has_chroma_but_no_key(tmp_path: Path, seed: int, seconds: float) -> None:
    found = tonal(write(tmp_path / "a.wav", noise(seconds, seed=seed)))
    assert found.key is None
    assert found.mode is None
    assert found.key_confidence is None
    assert found.tuning_cents is None
    assert len(found.chroma_mean) == 12


def test_a_metronome_has_no_key(tmp_path: Path) -> None:
    ticks, _ = clicks(120, 8.0)
    assert tonal(write(tmp_path / "a.wav", ticks)).key is None


@pytest.mark.parametrize("loop", ["loop_Drums_170BPM", "loop_120-funkybeat", "loop_130-discobeat"])
def test_a_drum_loop_has_no_key(samples: Path, loop: str) -> None:
    assert tonal(samples / "loops" / f"{loop}.wav").key is None


def test_silence_has_nothing_tonal(tmp_path: Path) -> None:
    assert tonal(write(tmp_path / "a.wav", np.zeros(44_100))) == Tonal()


@pytest.mark.parametrize(
    ("note", "key"), [("flute-A4", "A"), ("oboe-A4", "A"), ("violin-B3", "B"), ("soprano-E4", "E")]
)
def test_a_played_note_is_its_own_tonic(samples: Path, note: str, key: str) -> None:
    assert tonal(samples / "notes" / f"note_{note}.wav").key == key


def test_the_threshold_for_pitch_lies_between_noise_and_music() -> None:
    assert 0.3 <= tonality.LEAST_PITCHEDNESS <= 0.5
