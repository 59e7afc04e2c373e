"""A frame as a picture: upright, with square pixels, of a given size; as an array, and as the bytes of a file."""

from io import BytesIO
from typing import Any, Final

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray
from PIL import Image

from harken.audio.video.shape import Shape, Size

JPEG_QUALITY: Final = 85
UNSPECIFIED: Final = 2  # of ITU-T H.273
HD_ROWS: Final = (
    720  # a picture that does not say its matrix has BT.709 from here on, as players guess too
)


def conversion(frame: VideoFrame) -> dict[str, Any]:
    """What swscale has to be told to read the colours of a frame."""
    guessed = frame.colorspace == UNSPECIFIED and frame.height >= HD_ROWS
    return {
        "interpolation": Interpolation.AREA,
        **({"src_colorspace": Colorspace.ITU709} if guessed else {}),
    }


def picture_of(frame: VideoFrame, shape: Shape, size: Size) -> Image.Image:
    """The frame, upright, of a size as it is displayed."""
    stored = size.turned(shape.orientation)
    scaled = frame.reformat(
        width=stored.width, height=stored.height, format="rgb24", **conversion(frame)
    )
    pixels: NDArray[Any] = np.asarray(scaled.to_ndarray())
    return Image.fromarray(shape.orientation.upright(pixels))


def encoded(picture: Image.Image, image_format: str) -> bytes:
    """The bytes of a file; `image_format` is "jpeg" or "png"."""
    into = BytesIO()
    if image_format == "jpeg":
        picture.save(into, "JPEG", quality=JPEG_QUALITY, optimize=True)
    else:
        picture.save(into, "PNG")
    return into.getvalue()
