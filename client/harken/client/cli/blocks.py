"""A picture in a terminal: two pixels a character in 24-bit colour, or shades of grey in plain characters."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL import Image

HALF: Final = "▀"
SHADES: Final = " .:-=+*#%@"


def in_colour(environment: Mapping[str, str] = os.environ, *, is_terminal: bool) -> bool:
    """Whether what is written to is a terminal that shows colours, whose user wants them."""
    dumb = environment.get("TERM", "dumb") == "dumb"
    return is_terminal and not dumb and not environment.get("NO_COLOR")


def block_lines(picture: "Image.Image", *, colour: bool, dark: bool) -> list[str]:
    """The lines of a picture: in colour two of its rows a line, else one line for two rows, by brightness."""
    width, height = picture.size
    if colour:
        data: Any = picture.convert("RGB").load()
        return [
            "".join(_pair(data[x, y], data[x, min(y + 1, height - 1)]) for x in range(width))
            + "\x1b[0m"
            for y in range(0, height, 2)
        ]
    grey: Any = picture.convert("L").resize((width, max(height // 2, 1))).load()
    lines: list[str] = []
    for y in range(max(height // 2, 1)):
        shades = ((grey[x, y] if dark else 255 - grey[x, y]) for x in range(width))
        lines.append(
            "".join(SHADES[min(s * len(SHADES) // 236, len(SHADES) - 1)] for s in shades).rstrip()
        )
    return lines


def _pair(upper: tuple[int, ...], lower: tuple[int, ...]) -> str:
    top, bottom = ";".join(map(str, upper)), ";".join(map(str, lower))
    return f"\x1b[38;2;{top};48;2;{bottom}m{HALF}"
