"""The picture of a proxy: one frame for each slot of its frame rate, scaled, upright, in H.264."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from typing import Final, cast

import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from harken.audio.video.film import Film
from harken.audio.video.picture import conversion
from harken.audio.video.shape import Shape, Size, box_of
from harken.audio.video.timeline import Timeline

ENCODER: Final = "libx264"
# A frame that another may start from every so many seconds, so that players can jump.
KEY_EVERY_S: Final = 2.0
# Quality by need, and never more than the rate: noise would take ten times as much.
SETTINGS: Final = {
    "preset": "veryfast",
    "crf": "26",
    "maxrate": "1500k",
    "bufsize": "3000k",
    "profile": "main",
}
ROUNDING: Final = 1e-6  # of a slot: times are rounded to microseconds


class ProxyPicture:
    """Takes the film's frames in the order of their showing, and gives packets.

    A slot of the frame rate shows the last frame that began before it. Slots in which nothing changed have no frame of
    their own, so that a gap in the film costs nothing.
    """

    def __init__(
        self, film: Film, into: OutputContainer, *, height: int, fps: float, origin_s: float
    ) -> None:
        self._film, self._into, self._height = film, into, height
        self._fps = Fraction(fps).limit_denominator(1001)
        self._timeline = Timeline(film.time_base, origin_s, film.longest_s)
        self._reformatter = VideoReformatter()
        self._held: tuple[VideoFrame, float] | None = None
        self._slot = -1
        self._stream: VideoStream | None = None
        self.frames = 0
        self.size = Size(width=0, height=0)
        self.time_s = 0.0

    def begin(self, frame: VideoFrame, threads: int) -> None:
        """Makes the stream, as large as the first frame makes it."""
        shape = Shape.of(frame, self._film.stream.sample_aspect_ratio)
        self.size = shape.within(box_of(self._height), even=True)
        keyframes = max(round(KEY_EVERY_S * self._fps), 1)
        stream = self._into.add_stream(
            ENCODER, rate=self._fps, options={**SETTINGS, "g": str(keyframes)}
        )
        stream.width, stream.height, stream.pix_fmt = self.size.width, self.size.height, "yuv420p"
        stream.codec_context.thread_count = threads
        stream.codec_context.time_base = stream.time_base = 1 / self._fps
        self._stream = stream

    def take(self, frame: VideoFrame) -> "Iterator[Packet[VideoStream]]":
        """The packets that the next frame leads to."""
        stamp = frame.pts if frame.pts is not None else frame.dts
        time_s = self._timeline.at(stamp, self._film.step_s)
        if self._held is not None:
            if time_s <= self._held[1]:
                return
            yield from self._show(until_s=time_s)
        self._held = (frame, time_s)
        self.time_s = time_s

    def finish(self) -> "Iterator[Packet[VideoStream]]":
        """What is left."""
        yield from self._show(until_s=self.time_s + self._film.step_s)
        if self._stream is not None:
            yield from self._stream.encode(None)

    @property
    def duration_s(self) -> float:
        """From the proxy's start to the end of its last frame."""
        return float((self._slot + 1) / self._fps)

    def _show(self, *, until_s: float) -> "Iterator[Packet[VideoStream]]":
        """Encodes the frame that is held, if a slot begins while it is shown."""
        if self._held is None or self._stream is None:
            return
        frame, time_s = self._held
        slot = ceil(float(time_s * self._fps) - ROUNDING)
        # The first frame has a slot, however short it is.
        late = self.frames > 0 and slot >= until_s * self._fps - ROUNDING
        if slot <= self._slot or late:
            return
        self._slot = slot
        self.frames += 1
        made = self._made(frame)
        made.pts, made.time_base = slot, 1 / self._fps
        yield from self._stream.encode(made)

    def _made(self, frame: VideoFrame) -> VideoFrame:
        """The frame as the proxy has it; of a film that changes its size on the way, stretched to the first."""
        orientation = Shape.of(frame, None).orientation
        stored = self.size.turned(orientation)
        scaled = self._reformatter.reformat(
            frame,
            width=stored.width,
            height=stored.height,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            **conversion(frame),
        )
        if not orientation.turns and not orientation.mirrored:
            return scaled
        planes = cast(np.ndarray, scaled.to_ndarray())
        rows = stored.height
        luma = orientation.upright(planes[:rows])
        shape = (stored.height // 2, stored.width // 2)
        chroma = planes[rows:].reshape(2, *shape)
        parts = [luma.ravel(), *(orientation.upright(plane).ravel() for plane in chroma)]
        whole = np.concatenate(parts).reshape(self.size.height * 3 // 2, self.size.width)
        return VideoFrame.from_ndarray(whole, format="yuv420p")
