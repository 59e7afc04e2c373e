"""How probable it is that the estimated key is exactly right.

A logistic regression (Cox 1958) on how the key fits and how far it leads, fitted by
`python benchmarks/key.py --fit` on one half of generated pieces (clean, degraded, modulating and
atonal ones), and checked on the other half.
"""

import math
from typing import Final

from harken.audio.key import Key

# What `python benchmarks/key.py --fit` printed.
INTERCEPT: Final = -11.707
WEIGHTS: Final = (8.572, 5.482)


def evidence(key: Key) -> tuple[float, float]:
    """The numbers that WEIGHTS weighs."""
    return key.fit, math.sqrt(key.lead)


def probability(key: Key) -> float:
    """That tonic and mode are both right, 0 to 1."""
    pairs = zip(WEIGHTS, evidence(key), strict=True)
    logit = INTERCEPT + sum(weight * value for weight, value in pairs)
    return 1.0 / (1.0 + math.exp(-logit))
