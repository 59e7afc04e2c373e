"""The music that the engine's tests know everything about."""

from pathlib import Path

import pytest

from demo.piece import Piece, compose, write
from tests.audio.two_ways import Ways


@pytest.fixture(scope="session")
def piece() -> Piece:
    """Twenty seconds in A minor at 112 BPM and -16 LUFS."""
    return compose(duration_s=20.0)


@pytest.fixture(scope="session")
def piece_path(piece: Piece, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a FLAC file."""
    path = tmp_path_factory.mktemp("piece") / "piece.flac"
    write(path, piece)
    return path


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    """How files are read during the test."""
    return Ways(monkeypatch)
