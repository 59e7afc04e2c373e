"""Speech, music or noise: the probability of each by the texture of a window.

A multinomial logistic model of seven numbers. Its weights are those that `python -m benchmarks.speech --fit` finds on
labelled recordings and generated sounds, under a penalty, each recording counting alike; what it says of recordings
that it was not fitted to is printed beside them. A window in which nothing is audible is noise.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles, Floats

KINDS: Final = 3
SPEECH, MUSIC, NOISE = range(KINDS)

# (kinds, numbers) in the order of texture.py, and what is added.
WEIGHTS: Final[Doubles] = np.array(
    [
        [-8.77, 4.29, 13.06, 3.98, 3.96, -0.63, 0.22],
        [8.05, -3.29, -8.07, -0.95, -2.41, 0.54, -0.09],
        [0.72, -1.00, -5.00, -3.03, -1.55, 0.09, -0.13],
    ]
)
BIAS: Final[Doubles] = np.array([-1.23, -1.98, 3.21])


def kinds_of(texture: Floats) -> Floats:
    """Probabilities of speech, music and noise for windows' numbers, (…, NUMBERS) to (…, KINDS)."""
    scores = texture @ WEIGHTS.T + BIAS
    chances = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (chances / chances.sum(axis=-1, keepdims=True)).astype(np.float32)
