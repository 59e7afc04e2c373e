"""The fingerprint: alike sounds lie close, whatever their level."""

import csv
from pathlib import Path

import numpy as np
import pytest

from harken.audio import Embedding, Feature, analyze
from tests.audio.signals import RATE, chord, noise, write


def vector(path: Path) -> np.ndarray:
    found = analyze(path, [Feature.EMBEDDING]).embedding
    assert found is not None
    assert found.model == "harken-mfcc-1"
    return np.array(found.vector)


def test_it_has_128_numbers_and_unit_length(piece_path: Path) -> None:
    found = vector(piece_path)
    assert found.shape == (128,)
    assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-9)


def test_it_is_the_same_every_time(piece_path: Path) -> None:
    assert vector(piece_path).tolist() == vector(piece_path).tolist()


@pytest.mark.parametrize("gain", [0.5, 0.1, 0.02])
def test_the_level_does_not_matter(tmp_path: Path, gain: float) -> None:
    sound = np.concatenate([chord([60, 64, 67], 1.0), noise(0.5), chord([62, 65, 69], 1.0)])
    loud = vector(write(tmp_path / "a.wav", sound))
    soft = vector(write(tmp_path / "b.wav", gain * sound))
    assert loud @ soft > 0.9999


@pytest.mark.parametrize("samples_long", [1, 100, round(0.05 * RATE), RATE])
def test_even_the_shortest_sound_has_one(tmp_path: Path, samples_long: int) -> None:
    found = vector(write(tmp_path / "a.wav", noise(2.0)[:samples_long]))
    assert np.isfinite(found).all()
    assert np.linalg.norm(found) == pytest.approx(1.0)


def test_silence_sounds_like_nothing(tmp_path: Path) -> None:
    found = analyze(write(tmp_path / "a.wav", np.zeros(RATE)), [Feature.EMBEDDING]).embedding
    assert found == Embedding(model="harken-mfcc-1")


def test_the_nearest_sound_is_mostly_of_the_same_class(samples: Path) -> None:
    """Over the one-shots that have company in their class: far above the one in twelve of chance."""
    with (samples / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "oneshot"]
    classes = [row["class"] for row in rows]
    rows = [row for row in rows if classes.count(row["class"]) > 1]
    vectors = np.stack([vector(samples / row["path"]) for row in rows])
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1.0)
    nearest = likeness.argmax(axis=1)
    hits = [rows[at]["class"] == rows[other]["class"] for at, other in enumerate(nearest)]
    assert np.mean(hits) > 0.5
