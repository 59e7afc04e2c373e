"""Frames at given times: by a jump to the frame before that can be decoded alone, and decoding on from there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from av.video.frame import VideoFrame

from harken.audio.video.film import Film

NEAR_S: Final = 1.0  # so far it is decoded on rather than jumped
BACK_S: Final = (
    0.0,
    10.0,
)  # how far before the time a jump aims, once the nearer one landed behind it
UNSETTLED: Final = 50  # frames after a jump that may be damaged for want of what was before it


@dataclass(frozen=True, kw_only=True)
class Found:
    """A frame, and when it is shown, in seconds after the first."""

    frame: VideoFrame
    time_s: float


class FrameFinder:
    """Finds frames at times that only grow, at the cost of two passes at most, whatever the film is like.

    `on_frame` is told of every packet, and may raise.
    """

    def __init__(self, film: Film, on_frame: Callable[[], None]) -> None:
        self._film = film
        self._on_frame = on_frame
        self._coming: Iterator[Found] | None = None
        self._passed: Found | None = None
        self._ahead: Found | None = None
        self._jumps = True
        self._stamped = True

    def at(self, time_s: float, *, early_s: float = 0.0) -> Found | None:
        """The frame that is shown at `time_s`, or one that begins up to `early_s` before if it is cheaper.

        Past the last frame that one, before the first the first; None where none can be decoded.
        """
        position = self._passed.time_s if self._passed else None
        if position is None:
            self._jump(time_s) if time_s > NEAR_S else self._rewind()
        elif time_s < position or (self._jumps and time_s > position + NEAR_S):
            self._jump(time_s)
            if self._ahead and position <= time_s and self._ahead.time_s <= position:
                self._jumps = (
                    False  # there is nothing to land on between: from now on it is decoded on
                )
        while (found := self._ahead or self._next()) is not None:
            if found.time_s > time_s:
                self._ahead = found
                return self._passed or found
            self._ahead, self._passed = None, found
            if early_s > 0 and found.time_s >= time_s - early_s:
                break
        return self._passed

    def _jump(self, time_s: float) -> None:
        for back in BACK_S:
            self._forget()
            if time_s > back and self._film.seek(time_s - back):
                self._ahead = self._next()
                if not self._stamped:
                    self._jumps = False  # frames are counted, from the start alone
                elif self._ahead is not None and self._ahead.time_s <= time_s:
                    return
        self._rewind()

    def _rewind(self) -> None:
        self._forget()
        self._film.rewind()

    def _forget(self) -> None:
        self._coming = self._passed = self._ahead = None

    def _next(self) -> Found | None:
        if self._coming is None:
            self._coming = self._frames()
        return next(self._coming, None)

    def _frames(self) -> Iterator[Found]:
        film, unsettled, last = self._film, UNSETTLED, -self._film.step_s
        for packet in film.packets():
            self._on_frame()
            for frame in film.frames(packet):
                if frame.is_corrupt and unsettled > 0:
                    unsettled -= 1
                    continue
                stamp = frame.pts if frame.pts is not None else frame.dts
                self._stamped = stamp is not None
                last = round(last + film.step_s, 6) if stamp is None else film.seconds(stamp)
                yield Found(frame=frame, time_s=last)
