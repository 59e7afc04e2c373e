"""How large a frame is shown, and how large it is made: by its pixels' aspect, upright, never larger than it is."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Self

from av.video.frame import VideoFrame

from harken.audio.video.orientation import Orientation, orientation_of

# Beyond it a pixel aspect ratio is a mistake: anamorphic film has 2, tape 1.46.
LEAST_ASPECT: Final = 1 / 8
MOST_ASPECT: Final = 8.0
WIDEST: Final = 4  # a picture is at most so many times as wide as its box is high


@dataclass(frozen=True, kw_only=True)
class Size:
    """Pixels."""

    width: int
    height: int

    def turned(self, orientation: Orientation) -> "Size":
        """As it is before it is turned upright, or after."""
        if not orientation.sideways:
            return self
        return Size(width=self.height, height=self.width)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A frame as it is stored, and how it is to be shown."""

    stored: Size
    pixel_aspect: float
    orientation: Orientation

    @classmethod
    def of(cls, frame: VideoFrame, pixel_aspect: Fraction | None) -> Self:
        """The shape of a frame of a stream with pixels of this aspect."""
        aspect = float(pixel_aspect or 1)
        believable = LEAST_ASPECT <= aspect <= MOST_ASPECT
        return cls(
            stored=Size(width=frame.width, height=frame.height),
            pixel_aspect=aspect if believable else 1.0,
            orientation=orientation_of(frame),
        )

    @property
    def displayed(self) -> Size:
        """Upright, with square pixels: the narrow side of the stored ones is made as long as the other."""
        width, height = float(self.stored.width), float(self.stored.height)
        if self.pixel_aspect >= 1:
            width *= self.pixel_aspect
        else:
            height /= self.pixel_aspect
        return _whole(width, height).turned(self.orientation)

    def within(self, box: Size, *, even: bool = False) -> Size:
        """As large as fits into the box and not larger than it is displayed, in even numbers if asked for."""
        shown = self.displayed
        scale = min(1.0, box.width / shown.width, box.height / shown.height)
        size = _whole(shown.width * scale, shown.height * scale)
        if not even:
            return size
        return Size(width=max(size.width // 2 * 2, 2), height=max(size.height // 2 * 2, 2))


def box_of(height: int) -> Size:
    """What a picture of so many rows may take."""
    return Size(width=WIDEST * height, height=height)


def _whole(width: float, height: float) -> Size:
    return Size(width=max(round(width), 1), height=max(round(height), 1))
