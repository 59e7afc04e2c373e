"""The sound of a proxy: in step with the picture, in AAC."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

from harken.audio.container import sound_stream, take_odd_speakers
from harken.audio.errors import InputError
from harken.audio.video.film import Film
from harken.audio.video.timeline import Timeline

SAMPLE_RATE: Final = 48_000
BIT_RATE: Final = 96_000
# Off by less nobody notices (ITU-R BT.1359: 45 ms early is detectable), and stamps are rounded.
IN_STEP_S: Final = 0.04
SILENCE_BLOCK: Final = SAMPLE_RATE  # samples at a time, however long a gap is
LONGEST_GAP_S: Final = 600.0  # that is filled; a clock that leaps further is broken


def proxy_sound_stream(film: Film) -> AudioStream | None:
    """The sound that the analyses hear too; None where there is none that can be decoded."""
    try:
        stream = sound_stream(film.container)
    except InputError:
        return None
    take_odd_speakers(stream)
    return stream


class ProxySound:
    """Takes frames of sound and gives packets; fills gaps with silence, and leaves out what comes twice."""

    def __init__(
        self, stream: AudioStream, into: OutputContainer, *, origin_s: float, longest_s: float
    ) -> None:
        time_base = float(stream.time_base or 0) or 1e-6
        self._timeline = Timeline(time_base, origin_s, longest_s, LONGEST_GAP_S)
        self._stream = into.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        self._stream.bit_rate = BIT_RATE
        self._resampler: AudioResampler | None = None
        self._form: tuple[str, str, int] | None = None
        self._written = 0
        self.time_s = 0.0

    def take(self, frame: AudioFrame) -> "Iterator[Packet[AudioStream]]":
        """The packets that the next frame leads to."""
        if frame.sample_rate <= 0 or frame.samples <= 0:
            return
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or form != self._form:
            yield from self._flush()
            self._resampler = AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
            self._form = form
        self.time_s = self._timeline.at(frame.pts, frame.samples / frame.sample_rate)
        # What the resampler holds back is a few milliseconds, far below what counts as out of step.
        ahead = round(self.time_s * SAMPLE_RATE) - self._written
        if ahead > IN_STEP_S * SAMPLE_RATE:
            yield from self._silence(ahead)
            ahead = 0
        frame.pts = None  # the resampler would fill gaps by its own lights
        parts = self._resampled(frame)
        late = max(-ahead, 0) if -ahead > IN_STEP_S * SAMPLE_RATE else 0
        for samples in parts:
            kept = samples[:, late:]
            late = max(late - samples.shape[1], 0)
            if kept.shape[1]:
                yield from self._encoded(kept)

    def finish(self) -> "Iterator[Packet[AudioStream]]":
        """What is left."""
        yield from self._flush()
        yield from self._stream.encode(None)

    def _flush(self) -> "Iterator[Packet[AudioStream]]":
        if self._resampler is not None:
            for samples in self._resampled(None):
                yield from self._encoded(samples)
        self._resampler = None

    def _resampled(self, frame: AudioFrame | None) -> list[NDArray[Any]]:
        assert self._resampler is not None
        try:
            parts = self._resampler.resample(frame)
        except av.error.FFmpegError:
            return []
        return [np.asarray(part.to_ndarray()) for part in parts if part.samples > 0]

    def _silence(self, count: int) -> "Iterator[Packet[AudioStream]]":
        while count > 0:
            block = min(count, SILENCE_BLOCK)
            yield from self._encoded(np.zeros((2, block), dtype=np.float32))
            count -= block

    def _encoded(self, samples: NDArray[Any]) -> "Iterator[Packet[AudioStream]]":
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format="fltp", layout="stereo"
        )
        frame.sample_rate, frame.pts = SAMPLE_RATE, self._written
        frame.time_base = Fraction(1, SAMPLE_RATE)
        self._written += samples.shape[1]
        yield from self._stream.encode(frame)
