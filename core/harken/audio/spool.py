"""Frames that wait for the end of the recording: in memory while few, in a temporary file beyond."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

import numpy as np

from harken.audio.blocks import FRAME_RATE, Floats

MEMORY_S: Final = 600.0  # frames of a longer recording go to disk, so that memory stays flat
BLOCK_FRAMES: Final = 512  # 12 s a step when they are read again


class FrameSpool:
    """Appends frames of a fixed number of columns, then gives them back in order; use `with`."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        limit = round(MEMORY_S * FRAME_RATE) * columns * 4
        # Closed by __exit__, which the linter cannot see.
        self._file = tempfile.SpooledTemporaryFile(max_size=limit)  # noqa: SIM115

    def add(self, frames: Floats) -> None:
        """Append `frames` of shape (n, columns)."""
        self._file.write(np.ascontiguousarray(frames, dtype=np.float32).tobytes())

    def blocks(self) -> Iterator[Floats]:
        """All frames from the first on, a few seconds a block."""
        self._file.seek(0)
        while raw := self._file.read(BLOCK_FRAMES * self._columns * 4):
            yield np.frombuffer(raw, dtype=np.float32).reshape(-1, self._columns)

    def frames(self, first: int, last: int) -> Floats:
        """Those from `first` up to `last`, fewer where they end before; to be asked for once all are there."""
        self._file.seek(first * self._columns * 4)
        raw = self._file.read(max(last - first, 0) * self._columns * 4)
        return np.frombuffer(raw, dtype=np.float32).reshape(-1, self._columns)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
