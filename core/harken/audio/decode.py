"""Compressed bytes in, blocks of samples out, through FFmpeg (PyAV).

FFmpeg's decoders drop the encoder's delay and padding where the file states them (LAME and iTunes
tags, MP4 edit lists, Opus pre-skip, Ogg granule positions), so the first sample here is the first
sample of the original sound. Headers are believed for nothing but a first guess of the length:
no memory is set aside from them, and a length or rate counts only once it has been decoded.
"""

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from math import lcm
from types import TracebackType
from typing import Any, Final, Self, cast

import av
import av.error
import av.logging
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet

from harken.audio import errors
from harken.audio.blocks import Floats, SoundBlock
from harken.audio.errors import InputError
from harken.audio.samples import copy_samples, holds_floats, silence_non_finite
from harken.audio.source_file import SourceFile

BLOCK_SAMPLES: Final = 1 << 16  # a block ends with the frame that reaches this many samples
BLOCK_S: Final = 2.0  # or this many seconds, so that a low rate still reports progress
# One frame may last for hours (a packet at 1 Hz), which would be gigabytes at 22,050 Hz: no block
# is longer than this, and what is longer goes out in parts.
LONGEST_BLOCK_S: Final = 10.0
MAX_DURATION_S: Final = 48 * 3600.0  # published: longer recordings are refused
MAX_DEAD_READS: Final = 16  # failed reads in a row after which the rest of a file is given up
# Packets in a row that cannot be decoded, after which it is the same: a header of a few bytes can
# promise millions (Musepack), each as empty as the one before.
MAX_DEAD_PACKETS: Final = 20_000
# No codec stays below this many bits a second, so a header that claims it is lying.
LEAST_BIT_RATE: Final = 200.0
# FFmpeg's own order of speakers; streams in it have no list of them.
SPEAKERS: Final = (
    *(
        "FL",
        "FR",
        "FC",
        "LFE",
        "BL",
        "BR",
        "FLC",
        "FRC",
        "BC",
        "SL",
        "SR",
        "TC",
        "TFL",
        "TFC",
        "TFR",
    ),
    *("TBL", "TBC", "TBR", "DL", "DR", "WL", "WR", "SDL", "SDR", "LFE2", "TSL", "TSR", "BFC"),
    *("BFL", "BFR", "SSL", "SSR", "TTL", "TTR"),
)
UNNAMED: Final = "NONE"  # each speaker of a stream that tells their number alone


class Recording:
    """An opened recording: read `blocks()` once, then its facts are complete.

    `with Recording(path) as recording: ...`; raises InputError as errors.py lists.
    """

    def __init__(self, path: str) -> None:
        # FFmpeg must not write on anyone's console, not even through Python's logging.
        av.logging.set_level(None)
        self.path = path
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
            self._file = cleanup.enter_context(SourceFile(path))
            if self._file.size == 0:
                raise InputError(errors.EMPTY_FILE, "The file is empty (0 bytes).")
            self.container = cleanup.enter_context(_open(self._file))
            self.stream = _sound_stream(self.container)
            # Now, for a decoder that fails to start loses its name.
            self.stream_codec = _codec_name(self.stream)
            self._speakers = _take_odd_speakers(self.stream)
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
    def size(self) -> int:
        """Bytes of the whole file."""
        return self._file.size

    @property
    def claimed_s(self) -> float | None:
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

        Damaged packets are left out. Raises InputError NO_SAMPLES when nothing at all could be
        decoded, ALL_NON_FINITE, TOO_LONG, and OSError when the disk fails.
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
        end = 0
        # A double may be infinite as a float: it is counted with what came so from the file. Some
        # processors call a NaN that becomes narrower invalid, which numpy would warn of.
        with np.errstate(over="ignore", invalid="ignore"):
            for frame in frames:
                start, end = end, end + frame.samples
                copy_samples(frame, samples[:, start:end])
        if any(holds_floats(frame) for frame in frames):
            self.non_finite_samples += silence_non_finite(samples)
        return samples

    def _block(self, samples: Floats) -> SoundBlock:
        self._decoded_samples += samples.shape[1]
        self.decoded_s = self._decoded_samples / self.sample_rate
        if self.decoded_s > MAX_DURATION_S:
            hours = MAX_DURATION_S / 3600
            raise InputError(
                errors.TOO_LONG,
                f"The recording is longer than {hours:.0f} hours; cut it into parts.",
            )
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
                frames = packet.decode()
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


# PyAV 19 keeps what is not UTF-8 in tags as lone surrogates; before, it had to be told so.
_UNREADABLE_TAGS: Final[dict[str, Any]] = (
    {"metadata_errors": "surrogateescape"} if int(av.__version__.partition(".")[0]) < 19 else {}
)


# With no protocol allowed, a playlist cannot make FFmpeg open anything else.
_OPTIONS: Final = {"protocol_whitelist": "none"}
# Samples in a WAV file may come in large packets (a sixth of the time). Only samples: a coding's
# blocks would be cut where they must not be.
_PACKET_BYTES: Final = 65_536
_LARGEST_PACKET_BYTES: Final = 1 << 20  # FFmpeg allows four times as much
# A WAV's header says all there is to know, so FFmpeg need not decode its start to find out (5 ms
# less for each). What it still does is look whether 16-bit samples are DTS or MP3 in disguise, as
# on discs, but then in the first packet alone.
_SMALL_PROBE: Final = {"probesize": "4096"}
_WAV_HEADER_BYTES: Final = 4096  # more than nearly all headers have
_WAV_START_BYTES: Final = 32_768  # half a packet: silent so far, its rest may be too little to tell


def _open(file: SourceFile) -> InputContainer:
    start = file.read(_WAV_START_BYTES)
    file.seek(0)
    packet = _wav_packet_bytes(start)
    if packet is None:
        return _container(file, _OPTIONS)
    silent = len(start) == _WAV_START_BYTES and not start[_WAV_HEADER_BYTES:].strip(b"\0")
    probe = {} if silent else _SMALL_PROBE
    container = _container(file, {**_OPTIONS, "max_size": str(packet), **probe})
    if all(_codec_name(stream).startswith("pcm_") for stream in container.streams.audio):
        return container
    container.close()
    file.seek(0)
    return _container(file, _OPTIONS)


def _wav_packet_bytes(start: bytes) -> int | None:
    """How large a WAV's packets should be; None for what starts otherwise.

    A whole number of samples of all channels, and of what the header calls a block: FFmpeg cuts
    packets by the latter alone and loses what is left over at the end of each where it is wrong.
    """
    at = start.find(b"fmt ", 12) + 8
    if start[:4] not in (b"RIFF", b"RF64") or start[8:12] != b"WAVE":
        return None
    if not 8 < at <= len(start) - 16:
        return None
    channels, block, bits = struct.unpack_from("<2xH8xHH", start, at)
    whole = lcm(block or 1, channels * -(-bits // 8) or 1)
    packet = max(_PACKET_BYTES // whole, 1) * whole
    return packet if packet <= _LARGEST_PACKET_BYTES else None


def _container(file: SourceFile, options: dict[str, str]) -> InputContainer:
    try:
        return av.open(file, mode="r", container_options=options, **_UNREADABLE_TAGS)
    except (av.error.FFmpegError, ValueError):
        file.raise_failure()
        raise InputError(
            errors.UNREADABLE,
            "The file is not audio or video that can be read, or it is damaged at the start. "
            "Check that it plays elsewhere, or export it again.",
        ) from None


def _sound_stream(container: InputContainer) -> AudioStream:
    best = container.streams.best("audio")
    # FFmpeg calls no stream best whose header lacks a rate; the frames may still bring one.
    stream = best if isinstance(best, AudioStream) else next(iter(container.streams.audio), None)
    if stream is None:
        kinds = sorted({stream.type for stream in container.streams})
        held = f"only {' and '.join(kinds)}" if kinds else "no stream at all"
        raise InputError(
            errors.NO_AUDIO_STREAM, f"The file can be read but holds no sound, {held}."
        )
    if not _codec_name(stream):
        raise InputError(
            errors.UNSUPPORTED_CODEC,
            "The sound is in a coding that cannot be decoded here; convert it to FLAC or WAV.",
        )
    return stream


def _take_odd_speakers(stream: AudioStream) -> tuple[str, ...]:
    """The speakers of a stream that lists them in an order of its own, else nothing.

    PyAV since 17.1 frees such a list once with every frame, which ends the process (CAF and MOV have them).
    Without it, frames bear no list; this one is freed with `layout` alone.
    """
    layout = stream.codec_context.layout
    speakers = tuple(channel.name for channel in layout.channels)
    places = [SPEAKERS.index(name) if name in SPEAKERS else -1 for name in speakers]
    if all(name == UNNAMED for name in speakers) or (
        -1 not in places and all(first < second for first, second in pairwise(places))
    ):
        return ()
    stream.codec_context.layout = f"{len(speakers)} channels"
    return speakers


def _codec_name(stream: AudioStream) -> str:
    """The plain name, such as "mp3" or "pcm_s16le"; empty where nothing can decode it.

    PyAV's stubs promise a decoder, but there may be none.
    """
    context = cast("CodecContext | None", stream.codec_context)
    try:
        codec = context.codec if context else None
    except UnknownCodecError:  # of PyAV 19; before, there was no context
        return ""
    return codec.canonical_name if codec else ""
