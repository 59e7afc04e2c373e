"""The frame that stands for a film where no time is named: early, and neither black nor blank."""

from typing import Final

import numpy as np

from harken.audio.video.frame_finder import Found, FrameFinder

# Tried in turn, as shares of the length: titles and fades are at the very ends.
PLACES: Final = (0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
PLACES_S: Final = (0.0, 1.0, 3.0, 10.0, 30.0)  # where the length is not known
# Of 255 levels of grey: darker on average is black, with less of a spread a blank.
DARK: Final = 24.0
BLANK: Final = 12.0
LOOKED_AT: Final = (64, 36)


def poster(finder: FrameFinder, length_s: float | None) -> Found | None:
    """The first frame that shows something, else the one that shows most; None where none can be decoded."""
    places = PLACES_S if length_s is None else tuple(share * length_s for share in PLACES)
    best: tuple[float, Found] | None = None
    for place in places:
        found = finder.at(place)
        if found is None:
            continue
        mean, spread = _greys(found)
        if mean > DARK and spread > BLANK:
            return found
        if best is None or spread > best[0]:
            best = (spread, found)
    return best[1] if best else None


def _greys(found: Found) -> tuple[float, float]:
    """Mean and standard deviation of the picture's brightness, 0 to 255."""
    width, height = LOOKED_AT
    grey = np.asarray(found.frame.reformat(width=width, height=height, format="gray").to_ndarray())
    return float(grey.mean()), float(grey.std())
