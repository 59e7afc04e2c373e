"""What all pictures share: size, colours, words, and how they are kept."""

from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

FOLDER: Final = Path(__file__).parent.parent
INCHES: Final = 9.0  # wide
DOTS: Final = 100  # an inch
PALETTE: Final = 64  # colours of a picture: a palette makes it a third as large
# Okabe, Ito (2008), "Color universal design": told apart by everybody.
HARKEN: Final = "#0072B2"
PEER: Final = "#D55E00"
THIRD: Final = "#009E73"
FOURTH: Final = "#CC79A7"
GREY: Final = "#999999"
DASHES: Final = (0, (3, 2))
mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})


def panels(
    height: float, columns: int, widths: tuple[float, ...] | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure with its axes in a row."""
    figure, axes = pyplot.subplots(
        1,
        columns,
        figsize=(INCHES, height),
        layout="constrained",
        squeeze=False,
        width_ratios=widths,
    )
    return figure, list(axes.ravel())


def label(axes: Axes, title: str, across: str, up: str) -> None:
    """Words around a plot."""
    axes.set_title(title, loc="left", fontsize=9)
    axes.set_xlabel(across)
    axes.set_ylabel(up)


def legend_above(axes: Axes, columns: int) -> None:
    """What the lines are, above the plot."""
    axes.legend(
        ncols=columns, frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0)
    )


def save(figure: Figure, name: str) -> None:
    """Write docs/pictures/engine-NAME.png with a small palette."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DOTS, facecolor="white")
    pyplot.close(figure)
    path = FOLDER / f"engine-{name}.png"
    picture = Image.open(drawn).convert("RGB").quantize(PALETTE, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
    print(f"  {path.name}: {path.stat().st_size / 1000:.0f} kB")
