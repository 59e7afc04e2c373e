"""The sound of a stream, out of FFmpeg's packets: damaged ones left out, all in the first one's form."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import av.error
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from harken.audio.blocks import Floats
from harken.audio.container import take_odd_speakers
from harken.audio.samples import floats_of
from harken.audio.sound_source import BLOCK_S, BLOCK_SAMPLES

MAX_DEAD_READS: Final = 16  # failed reads in a row after which the rest of a file is given up
# Packets in a row that cannot be decoded, after which it is the same: a header of a few bytes can
# promise millions (Musepack), each as empty as the one before.
MAX_DEAD_PACKETS: Final = 20_000


class FrameReader:
    """Reads one stream of an opened file; what it says is complete once `pieces()` has been read."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        self._speakers = take_odd_speakers(stream)
        self._layout = ""
        self._time_base: Fraction | None = None
        self.sample_rate = 0  # Hz, of the first frame
        self.channels: tuple[str, ...] = ()
        self.first_pts_s: float | None = None
        self.coded_bytes = 0  # of the packets of this stream
        self.bytes_done = 0  # of the file
        self.non_finite_samples = 0
        self._coded_ticks = 0

    @property
    def coded_s(self) -> float:
        """How long the packets read so far claim to be, in seconds; 0 when they do not."""
        return float(self._coded_ticks * (self._stream.time_base or 0))

    def pieces(self, given: int = 0) -> Iterator[Floats]:
        """The samples in order, (channels, n); damaged packets are left out.

        Of the first `given` samples come empty pieces.
        """
        for frame in self._joined():
            piece, bad = floats_of(frame)
            self.non_finite_samples += bad
            yield np.ascontiguousarray(piece[:, given:])
            given = max(given - piece.shape[1], 0)

    def _joined(self) -> Iterator[AudioFrame]:
        """The frames, short ones joined: Python takes as long for a frame of 20 ms as for one of a second."""
        queue, form = AudioFifo(), ""
        for frame in self._frames():
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

    def _frames(self) -> Iterator[AudioFrame]:
        """The frames, all in the first one's rate and layout: some streams change on the way."""
        converter: AudioResampler | None = None
        converts: tuple[str, str, int] | None = None
        for frame in self._decoded():
            if self.sample_rate == 0:
                self._adopt(frame)
            other = self._other_form(frame)
            if converter and other != converts:
                yield from self._converted(converter, None)
                converter = None
            if other is None:
                yield frame
                continue
            if converter is None:
                converter = AudioResampler(
                    format="fltp", layout=self._layout, rate=self.sample_rate
                )
                converts = other
            frame.pts = None  # the converter would fill gaps in time with silence
            yield from self._converted(converter, frame)
        if converter:
            yield from self._converted(converter, None)

    def _other_form(self, frame: AudioFrame) -> tuple[str, str, int] | None:
        """The form of a frame that is not in the first one's rate and layout."""
        layout, rate = frame.layout.name, frame.sample_rate
        alike = layout == self._layout and rate == self.sample_rate
        return None if alike else (frame.format.name, layout, rate)

    def _converted(
        self, converter: AudioResampler, frame: AudioFrame | None
    ) -> Iterator[AudioFrame]:
        try:
            parts = converter.resample(frame)
        except av.error.FFmpegError:
            return
        for part in parts:
            if part.samples > 0:
                part.time_base = self._time_base  # a queue takes no other
                yield part

    def _packets(self) -> "Iterator[Packet[AudioStream]]":
        dead_reads = 0
        while dead_reads < MAX_DEAD_READS:
            try:
                for packet in self._container.demux(self._stream):
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
            size = packet.size
            if size:
                self.coded_bytes += size
                self._coded_ticks += packet.duration or 0
                if packet.pos is not None:
                    self.bytes_done = packet.pos + size
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

    def _adopt(self, frame: AudioFrame) -> None:
        self.sample_rate = frame.sample_rate
        self._layout = frame.layout.name
        self._time_base = frame.time_base
        speakers = tuple(channel.name for channel in frame.layout.channels)
        self.channels = self._speakers if len(self._speakers) == len(speakers) else speakers
        if frame.pts is not None and frame.time_base:
            self.first_pts_s = float(frame.pts * frame.time_base)


def _all_of(queue: AudioFifo) -> Iterator[AudioFrame]:
    """What waits there, as one frame; nothing of an empty one."""
    frame = queue.read()
    if frame is not None:
        yield frame
