"""What a recording is read from: FFmpeg, or a plain file's own bytes."""

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from harken.audio.blocks import Floats

BLOCK_SAMPLES: Final = 1 << 16  # a piece ends with the frame that reaches this many samples
BLOCK_S: Final = 2.0  # or this many seconds, so that a low rate still reports progress


class SoundSource(Protocol):
    """One stream of sound. What its header says is there at once, the rest once `pieces()` has been read."""

    @property
    def codec(self) -> str:
        """FFmpeg's name."""
        ...

    @property
    def formats(self) -> str:
        """FFmpeg's names of the container, with commas between."""
        ...

    @property
    def sample_format(self) -> str | None:
        """FFmpeg's name."""
        ...

    @property
    def tags(self) -> tuple[Mapping[str, str], ...]:
        """Of the stream, and of the file."""
        ...

    @property
    def picture_starts_s(self) -> tuple[float, ...]:
        """Where streams of pictures begin."""
        ...

    @property
    def claimed_s(self) -> float | None:
        """The length the header claims, when the file is large enough to hold it."""
        ...

    @property
    def non_finite_samples(self) -> int:
        """How many were NaN or infinite, and are 0 now."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz, of the first frame; 0 before it."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the speakers."""
        ...

    @property
    def first_pts_s(self) -> float | None:
        """The time stamp of the first sample."""
        ...

    @property
    def coded_bytes(self) -> int:
        """Bytes of this stream's packets so far."""
        ...

    @property
    def coded_s(self) -> float:
        """How long those packets claim to be, in seconds; 0 when they do not."""
        ...

    @property
    def bytes_done(self) -> int:
        """How far in the file the reading is."""
        ...

    def pieces(self) -> Iterator[Floats]:
        """The samples in order, (channels, n), all finite, at the first frame's rate and channels; once.

        An empty one says that the reading goes on.
        """
        ...

    def close(self) -> None:
        """Let go of the file, which whoever opened it closes."""
        ...
