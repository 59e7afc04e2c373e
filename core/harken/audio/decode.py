"""Compressed bytes in, blocks of samples out, through FFmpeg (PyAV).

FFmpeg's decoders drop the encoder's delay and padding where the file states them (LAME and iTunes
tags, MP4 edit lists, Opus pre-skip, Ogg granule positions), so the first sample here is the first
sample of the original sound. Headers are believed for nothing but a first guess of the length:
no memory is set aside from them, and a length or rate counts only once it has been decoded.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

import av.error
import av.logging
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from harken.audio import errors
from harken.audio.blocks import Floats, SoundBlock
from harken.audio.container import codec_name, open_container, sound_stream, take_odd_speakers
from harken.audio.errors import InputError
from harken.audio.flac.decoder import FlacDecoder
from harken.audio.limits import Limits
from harken.audio.movie_reference import refuse_reference
from harken.audio.samples import copy_samples, holds_floats, silence_non_finite
from harken.audio.source_file import SourceFile

BLOCK_SAMPLES: Final = 1 << 16  # a block ends with the frame that reaches this many samples
BLOCK_S: Final = 2.0  # or this many seconds, so that a low rate still reports progress
# One frame may last for hours (a packet at 1 Hz), which would be gigabytes at 22,050 Hz: no block
# is longer than this, and what is longer goes out in parts.
LONGEST_BLOCK_S: Final = 10.0
MAX_DEAD_READS: Final = 16  # failed reads in a row after which the rest of a file is given up
# Packets in a row that cannot be decoded, after which it is the same: a header of a few bytes can
# promise millions (Musepack), each as empty as the one before.
MAX_DEAD_PACKETS: Final = 20_000
# No codec stays below this many bits a second, so a header that claims it is lying.
LEAST_BIT_RATE: Final = 200.0


class Recording:
    """An opened recording: read `blocks()` once, then its facts are complete.

    `with Recording(path) as recording: ...`; raises InputError as errors.py lists. Of a file that is
    open as `descriptor`, `path` is but the name.
    """

    def __init__(
        self, path: str, *, descriptor: int | None = None, limits: Limits | None = None
    ) -> None:
        # FFmpeg must not write on anyone's console, not even through Python's logging.
        av.logging.set_level(None)
        self.path = path
        self._limits = limits or Limits()
        self.non_finite_samples = 0
        self.decoded_s = 0.0
        self.sample_rate = 0
        self.channels: tuple[str, ...] = ()
        self.first_pts_s: float | None = None
        self.coded_bytes = 0
        self._coded_ticks = 0
        self._bytes_done = 0
        self._decoded_samples = 0
        self._layout = ""
        with ExitStack() as cleanup:
            self._file = cleanup.enter_context(SourceFile(path, descriptor))
            if self._file.size == 0:
                raise InputError(errors.EMPTY_FILE, "The file is empty (0 bytes).")
            self.container = cleanup.enter_context(open_container(self._file))
            self.stream = sound_stream(self.container)
            # Now, for a decoder that fails to start loses its name.
            self.stream_codec = codec_name(self.stream)
            self._speakers = take_odd_speakers(self.stream)
            self._flac = FlacDecoder.of(self.container, self.stream)
            self.claimed_s = self._claimed_s()
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

    def _claimed_s(self) -> float | None:
        """The length the header claims in seconds, when the file is large enough to hold it."""
        if self.stream.duration and self.stream.time_base:
            claim = float(self.stream.duration * self.stream.time_base)
        elif self.container.duration:
            claim = self.container.duration / 1_000_000  # FFmpeg's unit: microseconds
        else:
            return None
        plausible = 0 < claim <= self.size * 8 / LEAST_BIT_RATE
        return claim if plausible else None

    @property
    def coded_s(self) -> float:
        """How long the packets read so far claim to be, in seconds; 0 when they do not."""
        return float(self._coded_ticks * (self.stream.time_base or 0))

    @property
    def share_done(self) -> float:
        """How much of the recording has been decoded, 0 to 1: by time, or else by bytes."""
        claim = self.claimed_s
        done = self.decoded_s / claim if claim else self._bytes_done / max(self.size, 1)
        return min(done, 1.0)

    def blocks(self) -> Iterator[SoundBlock]:
        """The samples in order, every block at the first frame's rate and channels.

        Damaged packets are left out. Raises InputError SOUND_ELSEWHERE, NO_SAMPLES when nothing at all could be
        decoded, ALL_NON_FINITE, TOO_LONG, INFLATED, and OSError when the disk fails.
        """
        pending: list[AudioFrame] = []
        held = 0
        for frame in self._frames():
            pending.append(frame)
            held += frame.samples
            if held >= BLOCK_SAMPLES or held >= BLOCK_S * self.sample_rate:
                yield from self._parts(pending, held)
                pending, held = [], 0
        if held:
            yield from self._parts(pending, held)
        self._file.raise_failure()
        if self._decoded_samples == 0:
            refuse_reference(self._file)
            raise InputError(
                errors.NO_SAMPLES,
                f"The file has a sound stream ({self.stream_codec}), but no samples could be "
                "decoded from it: it is empty, cut short or damaged.",
            )
        if self.non_finite_samples == self._decoded_samples * len(self.channels):
            raise InputError(
                errors.ALL_NON_FINITE,
                "Every sample of the file is NaN or infinite, so there is no sound in it; "
                "write it again from its source.",
            )

    def _parts(self, frames: list[AudioFrame], count: int) -> Iterator[SoundBlock]:
        samples = self._samples(frames, count)
        longest = max(round(LONGEST_BLOCK_S * self.sample_rate), 1)
        for start in range(0, count, longest):
            yield self._block(np.ascontiguousarray(samples[:, start : start + longest]))

    def _samples(self, frames: list[AudioFrame], count: int) -> Floats:
        samples = np.empty((len(self.channels), count), dtype=np.float32)
        # A double may be infinite as a float: it is counted with what came so from the file. Some
        # processors call a NaN that becomes narrower invalid, which numpy would warn of.
        with np.errstate(over="ignore", invalid="ignore"):
            copy_samples(frames, samples)
        if any(holds_floats(frame) for frame in frames):
            self.non_finite_samples += silence_non_finite(samples)
        return samples

    def _block(self, samples: Floats) -> SoundBlock:
        self._decoded_samples += samples.shape[1]
        self.decoded_s = self._decoded_samples / self.sample_rate
        self._limits.check(self.decoded_s, self.size)
        return SoundBlock(samples=samples, sample_rate=self.sample_rate, channels=self.channels)

    def _packets(self) -> "Iterator[Packet[AudioStream]]":
        dead_reads = 0
        while dead_reads < MAX_DEAD_READS:
            try:
                for packet in self.container.demux(self.stream):
                    dead_reads = 0
                    yield packet
                return
            except av.error.EOFError:
                return
            except IndexError:
                # PyAV trips at the end over streams that came to light on the way (MPEG-TS), having
                # handed out all of the one that is wanted.
                return
            except av.error.FFmpegError:
                # Past the damage the demuxer often finds its way again.
                dead_reads += 1

    def _decoded(self) -> Iterator[AudioFrame]:
        dead_packets = 0
        for packet in self._packets():
            if packet.size:
                self.coded_bytes += packet.size
                self._coded_ticks += packet.duration or 0
                if packet.pos is not None:
                    self._bytes_done = packet.pos + packet.size
            try:
                frames = self._decode(packet)
            # A decoder that failed to start once is unknown to PyAV 19 from then on: a ValueError.
            except (av.error.FFmpegError, ValueError):
                dead_packets += 1
                if dead_packets > MAX_DEAD_PACKETS:
                    return
                continue
            dead_packets = 0
            for frame in frames:
                if frame.samples > 0 and frame.sample_rate > 0 and frame.layout.nb_channels > 0:
                    yield frame

    def _decode(self, packet: "Packet[AudioStream]") -> list[AudioFrame]:
        frame = self._flac.decode(packet) if self._flac and packet.size else None
        return packet.decode() if frame is None else [frame]

    def _frames(self) -> Iterator[AudioFrame]:
        """The frames, all in the first one's rate and layout: some streams change on the way."""
        converter: AudioResampler | None = None
        converts: tuple[str, str, int] | None = None
        for frame in self._decoded():
            if self.sample_rate == 0:
                self._adopt(frame)
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            alike = form[1:] == (self._layout, self.sample_rate)
            if converter and form != converts:
                yield from _converted(converter, None)
                converter = None
            if alike:
                yield frame
                continue
            if converter is None:
                converter = AudioResampler(
                    format="fltp", layout=self._layout, rate=self.sample_rate
                )
                converts = form
            frame.pts = None  # the converter would fill gaps in time with silence
            yield from _converted(converter, frame)
        if converter:
            yield from _converted(converter, None)

    def _adopt(self, frame: AudioFrame) -> None:
        self.sample_rate = frame.sample_rate
        self._layout = frame.layout.name
        speakers = tuple(channel.name for channel in frame.layout.channels)
        self.channels = self._speakers if len(self._speakers) == len(speakers) else speakers
        if frame.pts is not None and frame.time_base:
            self.first_pts_s = float(frame.pts * frame.time_base)


def _converted(converter: AudioResampler, frame: AudioFrame | None) -> Iterator[AudioFrame]:
    try:
        parts = converter.resample(frame)
    except av.error.FFmpegError:
        return
    yield from (part for part in parts if part.samples > 0)
