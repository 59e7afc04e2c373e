"""The key whose profile the pitch classes follow.

Krumhansl (1990): the strengths of the twelve pitch classes are correlated with a profile of each
major and minor key. The profiles are Sha'ath's (2011), "Estimation of key in digital music
recordings".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import Doubles

NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MAJOR: Final = (6.6, 2.0, 3.5, 2.3, 4.6, 4.0, 2.5, 5.2, 2.4, 3.7, 2.3, 3.4)
MINOR: Final = (6.5, 2.7, 3.5, 5.4, 2.6, 3.5, 2.5, 5.2, 4.0, 2.7, 4.3, 3.2)
LEAST_CORRELATION: Final = 0.3
SURE_MARGIN: Final = 0.2  # lead over the second key that leaves no doubt


@dataclass(frozen=True, kw_only=True)
class Key:
    """Tonic, mode, and how sure that is, 0 to 1."""

    tonic: str
    mode: str
    confidence: float


def estimate_key(classes: Doubles) -> Key | None:
    """The key of pitch-class strengths, shape (12,), C first; None when they favour none."""
    if classes.std() == 0:
        return None
    scores = {
        (tonic, mode): float(np.corrcoef(np.roll(profile, tonic), classes)[0, 1])
        for mode, profile in (("major", MAJOR), ("minor", MINOR))
        for tonic in range(12)
    }
    (tonic, mode), second = sorted(scores, key=lambda key: -scores[key])[:2]
    best = scores[tonic, mode]
    if best < LEAST_CORRELATION:
        return None
    margin = min((best - scores[second]) / SURE_MARGIN, 1.0)
    return Key(tonic=NAMES[tonic], mode=mode, confidence=best * (0.5 + 0.5 * margin))
