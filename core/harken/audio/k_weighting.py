"""The K-weighting filter of ITU-R BS.1770-4 at any sample rate, and its channel weights.

BS.1770 tabulates two biquads at 48 kHz. The analogue parameters below reproduce that table, and
the bilinear transform gives the same filter at other rates (Mansbridge, Finn, Reiss 2012,
"Implementation and evaluation of autonomous multi-track fader control").
"""

from math import pi, tan
from typing import Final

import numpy as np

from harken.audio.blocks import Doubles

SHELF_HZ: Final = 1681.974450955533
SHELF_DB: Final = 3.999843853973347
SHELF_Q: Final = 0.7071752369554196
SHELF_BAND_EXPONENT: Final = 0.4996667741545416
HIGH_PASS_HZ: Final = 38.13547087602444
HIGH_PASS_Q: Final = 0.5003270373238773
SURROUND_WEIGHT: Final = 1.41  # BS.1770-4 table 3
SIDES: Final = frozenset({"SL", "SR"})
BACKS: Final = frozenset({"BL", "BR"})
BASS_EFFECTS: Final = frozenset({"LFE", "LFE2"})


def k_weighting(sample_rate: int) -> Doubles:
    """The shelf and the high pass as second-order sections, a row b0, b1, b2, 1, a1, a2 each."""
    return np.array([_shelf(sample_rate), _high_pass(sample_rate)])


def channel_weights(channels: tuple[str, ...]) -> Doubles:
    """How much each speaker's energy counts: surrounds 1.41, bass effects 0, the others 1.

    The back pair is the surround pair where there are no sides (5.1); behind sides (7.1) it
    stands outside the angles that BS.1770-4 raises.
    """
    surrounds = SIDES if SIDES & set(channels) else BACKS
    weights = [
        0.0 if name in BASS_EFFECTS else SURROUND_WEIGHT if name in surrounds else 1.0
        for name in channels
    ]
    return np.array(weights)


def _shelf(sample_rate: int) -> list[float]:
    k = tan(pi * SHELF_HZ / sample_rate)
    high = 10.0 ** (SHELF_DB / 20.0)
    band = high**SHELF_BAND_EXPONENT
    a0 = 1.0 + k / SHELF_Q + k * k
    return [
        (high + band * k / SHELF_Q + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - band * k / SHELF_Q + k * k) / a0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / SHELF_Q + k * k) / a0,
    ]


def _high_pass(sample_rate: int) -> list[float]:
    k = tan(pi * HIGH_PASS_HZ / sample_rate)
    a0 = 1.0 + k / HIGH_PASS_Q + k * k
    # BS.1770 leaves the numerator unscaled, so the pass band is not quite at 0 dB.
    return [
        1.0,
        -2.0,
        1.0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / HIGH_PASS_Q + k * k) / a0,
    ]
