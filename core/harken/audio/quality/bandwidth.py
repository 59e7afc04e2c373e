"""Where the spectrum ends, and what that says of where the recording comes from.

Nature and microphones let a spectrum fade; a wall of 35 dB within some hundred hertz is a filter. At
half of a lower sample rate it is that of a resampler; between 14.5 and 20.7 kHz, where MP3, AAC and Opus
have theirs, most likely a coder's, the more so where single bands are missing in single frames.
"""

from dataclasses import dataclass
from math import exp
from typing import Final

import numpy as np

from harken.audio.blocks import Doubles
from harken.audio.quality.long_term import LongTerm

BESIDE_HZ: Final = 400.0  # over which the level on either side of a wall is taken
WIDTH_HZ: Final = 300.0  # of the wall itself
LOWEST_HZ: Final = 1_900.0  # a wall further down is not looked for
LEAST_FRAMES: Final = 3
# Both are those of the mean spectrum's bins, 0 dB being a sine of full scale.
LEAST_BELOW_DB: Final = -110.0  # the sound under a wall; softer is the rounding of 16 bits
ABOVE_DB: Final = 10.0  # by which anything above a wall may exceed what is right behind it
WALL_DB: Final = 25.0  # reported from here on
RESAMPLED_DB: Final = 35.0  # and taken for a resampler's from here on
# Without 32 kHz, whose wall would be where MP3 of 128 kbit/s has its own.
LOWER_RATES_HZ: Final = (
    *(8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 44_100, 48_000, 88_200, 96_000),
)
NEAR_HALF: Final = (0.945, 1.03)  # of half the lower rate, where resamplers have their walls
CODED_HZ: Final = (14_500.0, 20_700.0)
# Fitted to recordings before and after MP3, AAC and Opus of 64 to 320 kbit/s, and judged in favour of the file.
EVEN_DB: Final = 33.0  # height of a wall that is as likely a coder's as not
SLOPE_DB: Final = 3.0
HOLES_COUNT: Final = 2.0  # in log odds, for HOLES of the frames in some band
HOLES: Final = 0.1
HOLES_FROM_HZ: Final = 4_000.0


@dataclass(frozen=True, kw_only=True)
class Bandwidth:
    """Where the wall is and what it may be; None where there is none."""

    cutoff_hz: float | None = None
    drop_db: float | None = None
    upsampled_from_hz: int | None = None
    hole_share: float | None = None
    lossy_confidence: float | None = None


def bandwidth(heard: LongTerm, sample_rate: int) -> Bandwidth:
    """What the long-term spectrum tells."""
    if heard.frames < LEAST_FRAMES:
        return Bandwidth()
    holes = hole_share(heard)
    wall = _wall(heard.decibels(), heard.bin_hz)
    if wall is None:
        return Bandwidth(hole_share=holes, lossy_confidence=0.0)
    cutoff_hz, drop_db = wall
    lower = _lower_rate(cutoff_hz, sample_rate) if drop_db >= RESAMPLED_DB else None
    coded = lower is None and CODED_HZ[0] <= cutoff_hz <= CODED_HZ[1]
    return Bandwidth(
        cutoff_hz=cutoff_hz,
        drop_db=drop_db,
        upsampled_from_hz=lower,
        hole_share=holes,
        lossy_confidence=lossy_confidence(drop_db, holes) if coded else 0.0,
    )


def lossy_confidence(drop_db: float, holes: float) -> float:
    """How sure a wall in the coders' range is a coder's."""
    odds = (drop_db - EVEN_DB) / SLOPE_DB + HOLES_COUNT * min(holes / HOLES, 1.0)
    return 1.0 / (1.0 + exp(-odds))


def hole_share(heard: LongTerm) -> float:
    """The largest share of frames in which one band between 4 kHz and the wall is missing."""
    hz = np.arange(heard.bands.holes.shape[0]) * heard.bands.width_hz
    wall = _wall(heard.decibels(), heard.bin_hz)
    # The wall itself is no hole, nor is the end of the band.
    end = (wall[0] if wall else heard.bin_hz * heard.power.shape[0]) - 2 * heard.bands.width_hz
    chosen = heard.bands.holes[(hz > HOLES_FROM_HZ) & (hz < end)]
    return float(chosen.max(initial=0)) / heard.frames


def _wall(level: Doubles, bin_hz: float) -> tuple[float, float] | None:
    """Frequency and height of the highest wall with nothing above it."""
    beside = max(round(BESIDE_HZ / bin_hz), 2)
    width = max(round(WIDTH_HZ / bin_hz), 1)
    sums = np.concatenate(([0.0], np.cumsum(level)))
    count = level.shape[0]
    at = np.arange(beside + round(LOWEST_HZ / bin_hz), count - width - 2)
    if at.shape[0] == 0:
        return None
    below = (sums[at] - sums[at - beside]) / beside
    end = np.minimum(at + width + beside, count)
    above = (sums[end] - sums[at + width]) / (end - at - width)
    highest = np.maximum.accumulate(level[::-1])[::-1][at + width]
    drop = np.where((below >= LEAST_BELOW_DB) & (highest <= above + ABOVE_DB), below - above, 0.0)
    best = int(drop.argmax())
    if drop[best] < WALL_DB:
        return None
    return (float(at[best]) + width / 2) * bin_hz, float(drop[best])


def _lower_rate(cutoff_hz: float, sample_rate: int) -> int | None:
    for rate in LOWER_RATES_HZ:
        low, high = (share * rate / 2 for share in NEAR_HALF)
        if rate < 0.95 * sample_rate and low <= cutoff_hz <= high:
            return rate
    return None
