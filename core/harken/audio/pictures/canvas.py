"""A picture as a byte a pixel, and what is drawn into it: shapes with smooth edges, maps, text."""

import io
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from harken.audio.blocks import Floats
from harken.audio.pictures.theme import GROUND, LINE, MAP_LEVELS, RAMP, Ink, Theme, palette, place

Pixels = NDArray[np.uint8]
# zlib's fastest: the noise of a spectrogram takes others longer, and becomes no smaller.
COMPRESSION: Final = 1
ROWS_AT_ONCE: Final = 128  # of a shape: its coverage is a float a pixel


class Canvas:
    """Pixels of the palette; coordinates are pixels from the upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Pixels = np.full((height, width), GROUND, dtype=np.uint8)

    def png(self, theme: Theme, *, classes: bool = False) -> bytes:
        """The picture as a PNG file."""
        image = Image.fromarray(self.pixels)
        image.putpalette(palette(theme, classes=classes))
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=COMPRESSION)
        return file.getvalue()

    def fill(self, left: int, top: int, width: int, height: int, ink: Ink) -> None:
        """A rectangle, as far as it lies within."""
        area = self.pixels[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
        area[:] = place(ink) + RAMP - 1

    def line(self, left: int, top: int, width: int, height: int) -> None:
        """A rectangle in the colour that stands out from maps."""
        self.pixels[max(top, 0) : top + height, max(left, 0) : left + width] = LINE

    def shape(self, left: int, tops: Floats, bottoms: Floats, ink: Ink) -> None:
        """A column of ink a pixel from `left` on, from its top to its bottom, which need not be whole."""
        count = tops.shape[0]
        finite = np.isfinite(tops) & np.isfinite(bottoms)
        if not finite.any():
            return
        first = max(int(np.floor(tops[finite].min())), 0)
        last = min(int(np.ceil(bottoms[finite].max())), self.pixels.shape[0])
        for begin in range(first, last, ROWS_AT_ONCE):
            rows = np.arange(begin, min(begin + ROWS_AT_ONCE, last), dtype=np.float32)[:, None]
            covered = np.minimum(bottoms, rows + 1.0) - np.maximum(tops, rows)
            level = np.clip(covered * (RAMP - 1) + 0.5, 0.0, RAMP - 1)
            level = np.nan_to_num(level).astype(np.uint8)
            area = self.pixels[begin : begin + rows.shape[0], left : left + count]
            np.copyto(area, place(ink) + level, where=level > 0)

    def map(
        self,
        values: Floats,
        box: tuple[float, float],
        at: tuple[int, int, int, int],
    ) -> None:
        """A matrix from 0 to 1, (columns, rows from below), columns box[0] to box[1], into a rectangle."""
        left, top, width, height = at
        scaled = np.clip(values.T[::-1] * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
        image = Image.fromarray(np.ascontiguousarray(scaled))
        area = (box[0], 0.0, box[1], float(scaled.shape[0]))
        drawn = image.resize((width, height), Image.Resampling.BILINEAR, box=area)
        levels = np.asarray(drawn, dtype=np.uint16) * MAP_LEVELS // 256
        self.pixels[top : top + height, left : left + width] = levels

    def text(
        self, x: float, y: float, text: str, size: float, ink: Ink, *, align: tuple[float, float]
    ) -> None:
        """Text on the ground; `align` says what share of its width and of its capitals' height lies before x, y."""
        mask, (width, ascent, height) = _mask(text, size)
        left = round(x - align[0] * width)
        top = round(y - align[1] * height) - ascent
        left = min(max(left, 0), max(self.pixels.shape[1] - mask.shape[1], 0))
        area = self.pixels[max(top, 0) : top + mask.shape[0], left : left + mask.shape[1]]
        level = mask[max(-top, 0) :, :][: area.shape[0], : area.shape[1]]
        np.copyto(area, place(ink) + level, where=level > 0)


def text_width(text: str, size: float) -> float:
    """How wide a text is."""
    return _font(size).getlength(text)


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # else Pillow was built without FreeType
    return font


def _mask(text: str, size: float) -> tuple[Pixels, tuple[float, int, int]]:
    """The text's levels, 0 to 15; its width, the rows above its capitals, and the height of these."""
    font = _font(size)
    left, top, right, bottom = font.getbbox(text)
    _, capital, _, base = font.getbbox("0")
    image = Image.new("L", (round(right - min(left, 0)) + 1, round(bottom - top) + 1))
    ImageDraw.Draw(image).text((-min(left, 0), -top), text, font=font, fill=255)
    levels = (np.asarray(image, dtype=np.uint16) * (RAMP - 1) + 127) // 255
    return levels.astype(np.uint8), (
        font.getlength(text),
        round(capital - top),
        round(base - capital),
    )
