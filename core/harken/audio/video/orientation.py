"""How a picture has to be turned to stand upright: the display matrix of MP4, and of what camera telephones write."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray

_ENTRIES: Final = (
    "=9i"  # a, b, u, c, d, v, x, y, w: a point (p, q) is shown at (ap + cq + x, bp + dq + y)
)


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """Quarter turns clockwise, and whether left and right are exchanged after them."""

    turns: int = 0
    mirrored: bool = False

    @property
    def sideways(self) -> bool:
        """Whether width and height change places."""
        return self.turns % 2 == 1

    def upright(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Rows of pixels as they are to be shown."""
        turned = np.rot90(pixels, -self.turns)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)


# By the signs of a, b, c and d.
_KNOWN: Final = {
    (1, 0, 0, 1): Orientation(),
    (0, 1, -1, 0): Orientation(turns=1),
    (-1, 0, 0, -1): Orientation(turns=2),
    (0, -1, 1, 0): Orientation(turns=3),
    (-1, 0, 0, 1): Orientation(mirrored=True),
    (0, 1, 1, 0): Orientation(turns=1, mirrored=True),
    (1, 0, 0, -1): Orientation(turns=2, mirrored=True),
    (0, -1, -1, 0): Orientation(turns=3, mirrored=True),
}


def orientation_of(frame: VideoFrame) -> Orientation:
    """How the frame is to be turned; not at all where its matrix is anything but quarter turns."""
    # PyAV's stubs take it for a mapping, of which these would be the keys.
    for data in cast(Iterable[SideData], frame.side_data):
        if data.type == Type.DISPLAYMATRIX:
            matrix = bytes(data)
            if len(matrix) == struct.calcsize(_ENTRIES):
                a, b, _, c, d, *_ = struct.unpack(_ENTRIES, matrix)
                signs = ((a > 0) - (a < 0), (b > 0) - (b < 0), (c > 0) - (c < 0), (d > 0) - (d < 0))
                return _KNOWN.get(signs, Orientation())
    return Orientation()
