"""The key is right as often as it says, on pieces composed for it (benchmarks/key.py at scale)."""

from pathlib import Path

import numpy as np
import pytest

from harken.audio import Feature, Tonal, analyze
from tests.audio.degradations import degraded
from tests.audio.progressions import Progression, atonal
from tests.audio.signals import write
from tests.audio.timbres import RATE, Samples

Found = tuple[Progression, Tonal]
SEED = 500


def listened(folder: Path, samples: Samples) -> Tonal:
    path = write(folder / "a.wav", samples.astype(np.float64), rate=RATE)
    found = analyze(path, [Feature.TONAL]).tonal
    assert found is not None
    return found


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """A piece in each of the 24 keys."""
    return [heard(tmp_path_factory.mktemp("clean"), number, "clean") for number in range(24)]


@pytest.fixture(scope="module")
def worn(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """Another in each key, every one under one of the degradations."""
    conditions = ("detuned", "drums", "noise", "mp3")
    return [
        heard(tmp_path_factory.mktemp("worn"), 24 + number, conditions[number % 4])
        for number in range(24)
    ]


def heard(folder: Path, number: int, condition: str) -> Found:
    tonic, mode = number // 2 % 12, ("major", "minor")[number % 2]
    piece, samples = degraded(SEED + number, tonic=tonic, mode=mode)[condition]()
    return piece, listened(folder, samples)


def right(pairs: list[Found]) -> list[bool]:
    return [(found.key, found.mode) == (piece.key, piece.mode) for piece, found in pairs]


def test_clean_pieces_in_all_24_keys_are_heard_in_their_key(clean: list[Found]) -> None:
    assert len({(piece.key, piece.mode) for piece, _ in clean}) == 24
    assert np.mean(right(clean)) >= 0.95


def test_drums_noise_detuning_and_mp3_leave_the_key_right(worn: list[Found]) -> None:
    assert np.mean(right(worn)) >= 0.85


def test_the_tuning_is_right_to_three_cents_under_every_degradation(
    clean: list[Found], worn: list[Found]
) -> None:
    for piece, found in clean + worn:
        assert found.tuning_cents == pytest.approx(piece.cents, abs=3.0)


def test_the_confidence_is_how_often_the_key_is_right(
    clean: list[Found], worn: list[Found]
) -> None:
    pairs = clean + worn
    confidences = [found.key_confidence for _, found in pairs]
    said = [confidence for confidence in confidences if confidence is not None]
    assert len(said) == len(pairs)
    assert np.mean(said) == pytest.approx(np.mean(right(pairs)), abs=0.1)


def test_music_without_a_key_is_said_to_have_none_or_hardly_one(tmp_path: Path) -> None:
    confidences = [
        listened(tmp_path, atonal(SEED + number)).key_confidence or 0.0 for number in range(8)
    ]
    assert np.mean(confidences) < 0.3
