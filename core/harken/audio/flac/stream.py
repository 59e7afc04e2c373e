"""The frames of a plain FLAC file, one after the other, without FFmpeg."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from av.audio.stream import AudioStream

from harken.audio.blocks import Floats
from harken.audio.flac.bits import PADDING
from harken.audio.flac.frame import MOST_SAMPLES, read_frame, scale_samples
from harken.audio.flac.residual import BEFORE, BROKEN
from harken.audio.sound_source import BLOCK_S, BLOCK_SAMPLES
from harken.audio.source_file import SourceFile

_LAYOUTS: Final = {"mono": 1, "stereo": 2}
_MOST_BITS: Final = 24  # of a sample
_STREAM_INFO_BYTES: Final = 34
_MOST_METADATA: Final = 1_000  # blocks; files have some five
_READ_BYTES: Final = 1 << 18
_MOST_TAGS: Final = 1 << 16  # bytes behind the last frame: some programs put tags there


class FlacStream:
    """One or two channels of up to 24 bits; what it says is that of the frames so far."""

    first_pts_s = 0.0

    def __init__(
        self, file: SourceFile, start: int, info: bytes, channels: tuple[str, ...]
    ) -> None:
        """start: of the first frame. info: the header's STREAMINFO."""
        form = int.from_bytes(info[10:18], "big")  # bits: 20 rate, 3 channels, 5 width, 36 samples
        self._file = file
        self._start = start
        self._width = (form >> 36 & 31) + 1
        self._promised = form & (1 << 36) - 1
        longest = int.from_bytes(info[2:4], "big") or MOST_SAMPLES
        self._lines = np.zeros((len(channels), BEFORE + longest), dtype=np.int32)
        # A header need not say how large frames are: at most plain numbers, and headers.
        most = len(channels) * (longest * (_MOST_BITS + 1) // 8 + 64)
        self._most_bytes = min(int.from_bytes(info[7:10], "big") or most, most)
        self._data = np.zeros(self._most_bytes + _READ_BYTES + PADDING, dtype=np.uint8)
        self._at = self._end = 0  # what of it is yet to be read
        self.sample_rate = form >> 44
        self.channels = channels
        self.samples = 0  # of each channel
        self.non_finite_samples = 0
        self.bytes_done = start

    @classmethod
    def of(cls, file: SourceFile, stream: AudioStream) -> "FlacStream | None":
        """The frames of a file that FFmpeg calls "flac"; None for one whose header is not plain."""
        info = stream.codec_context.extradata or b""
        layout = stream.codec_context.layout
        start = _first_frame(file)
        if start is None or len(info) < _STREAM_INFO_BYTES or layout.name not in _LAYOUTS:
            return None
        found = cls(file, start, info, tuple(channel.name for channel in layout.channels))
        return found if found.sample_rate > 0 and found._width <= _MOST_BITS else None

    @property
    def coded_bytes(self) -> int:
        """Bytes of the frames."""
        return self.bytes_done - self._start

    @property
    def coded_s(self) -> float:
        """Their seconds."""
        return self.samples / self.sample_rate

    @property
    def is_over(self) -> bool:
        """Whether nothing follows the frames but tags."""
        left = self._file.size - self.bytes_done
        return left == 0 or (self.samples == self._promised > 0 and left <= _MOST_TAGS)

    def pieces(self) -> Iterator[Floats]:
        """The samples, (channels, n), up to what is no whole frame in the form that the header promises."""
        most = min(BLOCK_SAMPLES, max(round(BLOCK_S * self.sample_rate), 1))
        piece, held = self._room(most), 0
        while (count := self._next_frame()) != BROKEN:
            given = 0
            while given < count:
                part = min(count - given, most - held)
                scale_samples(self._lines, given, self._width, piece, held, part)
                given, held = given + part, held + part
                if held == most:
                    yield piece
                    piece, held = self._room(most), 0
        if held:
            yield np.ascontiguousarray(piece[:, :held])

    def _room(self, samples: int) -> Floats:
        return np.empty((len(self.channels), samples), dtype=np.float32)

    def _next_frame(self) -> int:
        """Read a frame into `_lines`: its samples, or BROKEN."""
        there = self._end - self._at
        if there < self._most_bytes and self.bytes_done + there < self._file.size:
            self._fill()
        data = self._data[self._at :]
        size = self._end - self._at
        count, length = read_frame(data, size, self.sample_rate, self._width, self._lines)
        if count == BROKEN or (self.samples == 0 and data[4] != 0):  # a stream cut out of another
            return BROKEN
        self._at += length
        self.bytes_done += length
        self.samples += count
        return count

    def _fill(self) -> None:
        left = self._end - self._at
        self._data[:left] = self._data[self._at : self._end].copy()
        room = self._data[left : self._data.shape[0] - PADDING]
        self._at, self._end = 0, left + self._file.read_into(room, self.bytes_done + left)
        self._data[self._end : self._end + PADDING] = 0


def _first_frame(file: SourceFile) -> int | None:
    """Where the blocks of metadata end; None where they do not begin with the file or have no end."""
    head = np.zeros(4, dtype=np.uint8)
    if file.read_into(head, 0) < 4 or head.tobytes() != b"fLaC":
        return None
    at = 4
    for _ in range(_MOST_METADATA):
        if file.read_into(head, at) < 4:
            return None
        at += 4 + int.from_bytes(head[1:].tobytes(), "big")
        if head[0] & 0x80:  # the last one
            return at
    return None
