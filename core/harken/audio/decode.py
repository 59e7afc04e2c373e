"""A file's sound, block by block, whatever it is coded in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

import numpy as np

from harken.audio import errors
from harken.audio.blocks import Floats, SoundBlock
from harken.audio.errors import InputError
from harken.audio.ffmpeg_sound import FfmpegSound
from harken.audio.limits import Limits
from harken.audio.movie_reference import refuse_reference
from harken.audio.plain_wave import PlainWave
from harken.audio.sound_source import SoundSource
from harken.audio.source_file import SourceFile

# One frame may last for hours (a packet at 1 Hz), which would be gigabytes at 22,050 Hz: no block
# is longer than this, and what is longer goes out in parts.
LONGEST_BLOCK_S: Final = 10.0


class Recording:
    """An opened recording: read `blocks()` once, then its facts are complete.

    `with Recording(path) as recording: ...`; raises InputError as errors.py lists. Of a file that is
    open as `descriptor`, `path` is but the name.
    """

    def __init__(
        self, path: str, *, descriptor: int | None = None, limits: Limits | None = None
    ) -> None:
        self.path = path
        self._limits = limits or Limits()
        self.decoded_s = 0.0
        self._decoded_samples = 0
        with ExitStack() as cleanup:
            self._file = cleanup.enter_context(SourceFile(path, descriptor))
            if self._file.size == 0:
                raise InputError(errors.EMPTY_FILE, "The file is empty (0 bytes).")
            self.source: SoundSource = PlainWave.of(self._file) or FfmpegSound(self._file)
            cleanup.callback(self.source.close)
            self._cleanup = cleanup.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    @property
    def file(self) -> SourceFile:
        """The bytes, to be read once the blocks are: the decoder seeks in them too."""
        return self._file

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self._file.size

    @property
    def sample_rate(self) -> int:
        """Hz; 0 before the first block."""
        return self.source.sample_rate

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the speakers, FFmpeg's: "FL", "FR", "FC", "LFE" and so on."""
        return self.source.channels

    @property
    def share_done(self) -> float:
        """How much of the recording has been decoded, 0 to 1: by time, or else by bytes."""
        claim = self.source.claimed_s
        done = self.decoded_s / claim if claim else self.source.bytes_done / max(self.size, 1)
        return min(done, 1.0)

    def blocks(self, on_wait: Callable[[], None] | None = None) -> Iterator[SoundBlock]:
        """The samples in order, every block at the first frame's rate and channels.

        `on_wait` is called now and then where reading takes time without any coming of it. Damaged packets are left
        out. Raises InputError SOUND_ELSEWHERE, NO_SAMPLES when nothing at all could be decoded, ALL_NON_FINITE,
        TOO_LONG, INFLATED, and OSError when the disk fails.
        """
        for piece in self.source.pieces():
            if piece.shape[1] == 0 and on_wait:
                on_wait()
            longest = max(round(LONGEST_BLOCK_S * self.sample_rate), 1)
            for start in range(0, piece.shape[1], longest):
                yield self._block(np.ascontiguousarray(piece[:, start : start + longest]))
        self._file.raise_failure()
        if self._decoded_samples == 0:
            refuse_reference(self._file)
            raise InputError(
                errors.NO_SAMPLES,
                f"The file has a sound stream ({self.source.codec}), but no samples could be "
                "decoded from it: it is empty, cut short or damaged.",
            )
        if self.source.non_finite_samples == self._decoded_samples * len(self.channels):
            raise InputError(
                errors.ALL_NON_FINITE,
                "Every sample of the file is NaN or infinite, so there is no sound in it; "
                "write it again from its source.",
            )

    def _block(self, samples: Floats) -> SoundBlock:
        self._decoded_samples += samples.shape[1]
        self.decoded_s = self._decoded_samples / self.sample_rate
        self._limits.check(self.decoded_s, self.size)
        return SoundBlock(samples=samples, sample_rate=self.sample_rate, channels=self.channels)
