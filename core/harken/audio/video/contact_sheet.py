"""A contact sheet: frames from all over a film side by side, each with its time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from harken.audio.video.film import Film
from harken.audio.video.frame_finder import Found, FrameFinder
from harken.audio.video.picture import picture_of
from harken.audio.video.shape import Shape, Size

GAP: Final = 6  # pixels between the pictures and around them
GROUND: Final = (24, 24, 27)
INK: Final = (244, 244, 245)
# A cell is as wide for its height as the film, within these: a strip would leave nothing to see.
TALLEST_CELL: Final = 0.5
WIDEST_CELL: Final = 3.0
LEAST_CELL: Final = 160  # pixels wide, of a film that is smaller: room for its time and the title
SMALLEST_TEXT: Final = 10  # pixels; below it digits run together
TEXT_SHARE: Final = 0.055  # of a cell's width


@dataclass(frozen=True, kw_only=True)
class Grid:
    """How many pictures, and how wide the sheet is, in pixels."""

    columns: int
    rows: int
    width: int

    @property
    def cells(self) -> int:
        """Of a full sheet."""
        return self.columns * self.rows

    @property
    def cell_width(self) -> int:
        """Pixels."""
        return max((self.width - GAP) // self.columns - GAP, 1)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The picture, and when each frame on it is shown, row by row."""

    picture: Image.Image
    times_s: tuple[float, ...]
    rows: int


def contact_sheet(
    film: Film,
    finder: FrameFinder,
    length_s: float,
    grid: Grid,
    title: str,
    on_cell: Callable[[int], None],
) -> Sheet | None:
    """The sheet; `on_cell` is told how many cells are done. A short film has fewer; None without any frame."""
    cells: list[tuple[float, Image.Image]] = []
    cell: Size | None = None
    spacing = length_s / grid.cells
    for number in range(grid.cells):
        found = finder.at((number + 0.5) * spacing, early_s=spacing / 2)
        on_cell(number + 1)
        if found is None or (cells and found.time_s <= cells[-1][0]):
            continue  # shown already
        shape = Shape.of(found.frame, film.stream.sample_aspect_ratio)
        cell = cell or _cell_size(shape.displayed, grid.cell_width)
        cells.append((found.time_s, _cell(found, shape, cell)))
    if cell is None:
        return None
    return _laid_out(cells, cell, grid, title)


def clock(seconds: float) -> str:
    """A time as it is written on a picture: 0:07.2, 12:34, 1:02:03; tenths within the first minute."""
    if seconds < 60:  # seconds of a minute
        return f"0:{int(seconds * 10) / 10:04.1f}"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _cell_size(shown: Size, width: int) -> Size:
    """As wide as there is room for, but not much wider than the film is itself."""
    aspect = min(max(shown.width / shown.height, TALLEST_CELL), WIDEST_CELL)
    width = min(width, max(shown.width, LEAST_CELL))
    return Size(width=width, height=max(round(width / aspect), 1))


def _cell(found: Found, shape: Shape, cell: Size) -> Image.Image:
    """The frame in the middle of its cell, with its time in the lower right corner."""
    picture = picture_of(found.frame, shape, shape.within(cell))
    ground = Image.new("RGB", (cell.width, cell.height), GROUND)
    ground.paste(picture, ((cell.width - picture.width) // 2, (cell.height - picture.height) // 2))
    font = ImageFont.load_default(max(round(cell.width * TEXT_SHARE), SMALLEST_TEXT))
    draw = ImageDraw.Draw(ground, "RGBA")
    text = clock(found.time_s)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    pad = max(round((bottom - top) * 0.35), 2)
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x, y = cell.width - width, cell.height - height
    draw.rectangle((x, y, cell.width, cell.height), fill=(*GROUND, 190))
    draw.text((x + pad - left, y + pad - top), text, font=font, fill=INK)
    return ground


def _laid_out(cells: list[tuple[float, Image.Image]], cell: Size, grid: Grid, title: str) -> Sheet:
    rows = -(-len(cells) // grid.columns)
    font = ImageFont.load_default(max(round(cell.width * TEXT_SHARE), SMALLEST_TEXT))
    left, top, _, bottom = font.getbbox(title)
    head = round(bottom - top) + 3 * GAP
    columns = min(len(cells), grid.columns)
    width, height = GAP + columns * (cell.width + GAP), head + rows * (cell.height + GAP)
    picture = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(picture)
    draw.text((GAP * 1.5 - left, 1.5 * GAP - top), title, font=font, fill=INK)
    for number, (_, image) in enumerate(cells):
        row, column = divmod(number, grid.columns)
        place = (GAP + column * (cell.width + GAP), head + row * (cell.height + GAP))
        picture.paste(image, place)
    return Sheet(picture=picture, times_s=tuple(time for time, _ in cells), rows=rows)
