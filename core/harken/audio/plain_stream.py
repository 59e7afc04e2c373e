"""Streams whose frames harken finds by itself, as long as nothing is unusual in the file."""

from collections.abc import Iterator
from typing import Protocol

from av.audio.stream import AudioStream

from harken.audio.blocks import Floats
from harken.audio.flac.stream import FlacStream
from harken.audio.mp3.stream import Mp3Stream
from harken.audio.source_file import SourceFile


class PlainStream(Protocol):
    """The whole frames that a file begins with; what it says is that of the frames so far (as of a SoundSource)."""

    sample_rate: int
    channels: tuple[str, ...]
    samples: int  # given, of each channel
    non_finite_samples: int
    bytes_done: int

    @property
    def first_pts_s(self) -> float | None:
        """The time stamp of the first sample."""
        ...

    @property
    def coded_bytes(self) -> int:
        """Bytes of the frames."""
        ...

    @property
    def coded_s(self) -> float:
        """How long they claim to be."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether the sound ends here; if not, what follows is for FFmpeg."""
        ...

    def pieces(self) -> Iterator[Floats]:
        """The samples in order, (channels, n), up to what is no whole frame like the first."""
        ...


def plain_stream(format_name: str, file: SourceFile, stream: AudioStream) -> PlainStream | None:
    """Of a file that FFmpeg calls by that name; None for one that is not plain from the start."""
    if format_name == "flac":
        return FlacStream.of(file, stream)
    return Mp3Stream.of(file, stream) if format_name == "mp3" else None
