"""The sound of any file, decoded by FFmpeg (PyAV).

FFmpeg's decoders drop the encoder's delay and padding where the file states them (LAME and iTunes
tags, MP4 edit lists, Opus pre-skip, Ogg granule positions), so the first sample here is the first
sample of the original sound. Headers are believed for nothing but a first guess of the length:
no memory is set aside from them, and a length or rate counts only once it has been decoded.
"""

from collections.abc import Iterator
from typing import Final

import av.logging

from harken.audio.blocks import Floats
from harken.audio.container import codec_name, open_container, sound_stream
from harken.audio.frame_reader import FrameReader
from harken.audio.plain_stream import plain_stream
from harken.audio.source_file import SourceFile

# No codec stays below this many bits a second, so a header that claims it is lying.
LEAST_BIT_RATE: Final = 200.0


class FfmpegSound:
    """The best stream of sound of an open file (a SoundSource)."""

    def __init__(self, file: SourceFile) -> None:
        """Raises InputError as `container` lists, and OSError when the disk fails."""
        # FFmpeg must not write on anyone's console, not even through Python's logging.
        av.logging.set_level(None)
        self._container = open_container(file)
        try:
            self._stream = sound_stream(self._container)
            # Now, for a decoder that fails to start loses its name.
            self.codec = codec_name(self._stream)
            self._reader = FrameReader(self._container, self._stream)
            self._plain = plain_stream(self._container.format.name, file, self._stream)
            self._reads = self._plain or self._reader
            self.claimed_s = self._claimed_s(file.size)
        except BaseException:
            self._container.close()
            raise
        self.formats = self._container.format.name
        form = self._stream.codec_context.format
        self.sample_format = form.name if form else None
        self.tags = (self._stream.metadata, self._container.metadata)
        self.picture_starts_s = tuple(
            float(stream.start_time * stream.time_base)
            for stream in self._container.streams.video
            if stream.start_time is not None and stream.time_base
        )

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def _claimed_s(self, size: int) -> float | None:
        if self._stream.duration and self._stream.time_base:
            claim = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration:
            claim = self._container.duration / 1_000_000  # FFmpeg's unit: microseconds
        else:
            return None
        plausible = 0 < claim <= size * 8 / LEAST_BIT_RATE
        return claim if plausible else None

    @property
    def non_finite_samples(self) -> int:
        """How many were NaN or infinite, and are 0 now."""
        return self._reads.non_finite_samples

    @property
    def sample_rate(self) -> int:
        """Hz, of the first frame; 0 before it."""
        return self._reads.sample_rate

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the speakers."""
        return self._reads.channels

    @property
    def first_pts_s(self) -> float | None:
        """The time stamp of the first sample."""
        return self._reads.first_pts_s

    @property
    def coded_bytes(self) -> int:
        """Bytes of this stream's packets so far."""
        return self._reads.coded_bytes

    @property
    def coded_s(self) -> float:
        """How long those packets claim to be, in seconds; 0 when they do not."""
        return self._reads.coded_s

    @property
    def bytes_done(self) -> int:
        """How far in the file the reading is."""
        return self._reads.bytes_done

    def pieces(self) -> Iterator[Floats]:
        """The samples in order, (channels, n); damaged packets are left out.

        Of a plain file the frames are found here. Should one not be whole, FFmpeg takes over: it starts from the
        beginning, so that all is as if it alone had read the file, and for what has been given come empty pieces.
        """
        given = 0
        if self._plain:
            yield from self._plain.pieces()
            if self._plain.is_over:
                return
            given, self._reads = self._plain.samples, self._reader
        yield from self._reader.pieces(given)
