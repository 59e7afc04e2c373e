"""The sound of any file, decoded by FFmpeg (PyAV).

FFmpeg's decoders drop the encoder's delay and padding where the file states them (LAME and iTunes
tags, MP4 edit lists, Opus pre-skip, Ogg granule positions), so the first sample here is the first
sample of the original sound. Headers are believed for nothing but a first guess of the length:
no memory is set aside from them, and a length or rate counts only once it has been decoded.
"""

from collections.abc import Iterator
from typing import Final

import av.logging
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from harken.audio.blocks import Floats
from harken.audio.container import codec_name, open_container, sound_stream
from harken.audio.flac.stream import FlacStream
from harken.audio.frame_reader import FrameReader
from harken.audio.samples import copy_samples, holds_floats, silence_non_finite
from harken.audio.sound_source import BLOCK_S, BLOCK_SAMPLES
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
            flac = self._container.format.name == "flac"
            self._reads = (FlacStream.of(file, self._stream) if flac else None) or self._reader
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
        self.non_finite_samples = 0

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

        A plain FLAC file's frames are read here. Should one not be whole, FFmpeg takes over: it starts from the
        beginning, so that all is as if it alone had read the file, and for what has been given come empty pieces.
        """
        given = 0
        if isinstance(self._reads, FlacStream):
            yield from self._reads.pieces()
            if self._reads.is_over:
                return
            given, self._reads = self._reads.samples, self._reader
        for frame in self._by_ffmpeg():
            piece = self._samples(frame)
            yield np.ascontiguousarray(piece[:, given:])
            given = max(given - piece.shape[1], 0)

    def _by_ffmpeg(self) -> Iterator[AudioFrame]:
        """The frames, short ones joined: Python takes as long for a frame of 20 ms as for one of a second."""
        queue, form = AudioFifo(), ""
        for frame in self._reader.frames():
            long = frame.samples >= BLOCK_SAMPLES
            if long or frame.format.name != form:
                yield from _all_of(queue)
                queue, form = AudioFifo(), frame.format.name
            if long:
                yield frame
                continue
            frame.pts = None  # gaps in time are none in the sound
            queue.write(frame)
            if queue.samples >= min(BLOCK_SAMPLES, BLOCK_S * self.sample_rate):
                yield from _all_of(queue)
        yield from _all_of(queue)

    def _samples(self, frame: AudioFrame) -> Floats:
        samples = np.empty((len(self.channels), frame.samples), dtype=np.float32)
        # A double may be infinite as a float: it is counted with what came so from the file. Some
        # processors call a NaN that becomes narrower invalid, which numpy would warn of.
        with np.errstate(over="ignore", invalid="ignore"):
            copy_samples(frame, samples)
        if holds_floats(frame):
            self.non_finite_samples += silence_non_finite(samples)
        return samples


def _all_of(queue: AudioFifo) -> Iterator[AudioFrame]:
    """What waits there, as one frame; nothing of an empty one."""
    frame = queue.read()
    if frame is not None:
        yield frame
