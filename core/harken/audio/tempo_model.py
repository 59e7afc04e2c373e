"""How likely each candidate tempo is the right one: a conditional logit over their evidence.

McFadden (1974), "Conditional logit analysis of qualitative choice behavior". The weights are
fitted on music that was made for it, `python -m benchmarks.rhythm.fit`, and judged on other such
music; that makes the shares probabilities. One further choice stands for "none of these".
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles

# Rows: onset strength, then the parts of the spectrum from below (each times its share of the
# sound). Columns: repetition after 1/4, 1/3, 1/2, 1, 2 and 4 beats.
REPEATS: Final = (
    (-1.45, -2.16, 5.65, 0.39, 0.98, 0.07),
    (-11.79, 2.26, -10.76, -1.84, 0.79, 7.17),
    (5.93, -4.97, 5.8, -0.36, -3.6, 0.08),
    (8.58, -6.77, -8.54, -1.19, -2.04, 2.64),
    (4.33, -1.34, -4.62, -3.24, 2.88, 2.56),
)
CROSS: Final = (-0.51, 1.24, 0.35)  # low sounds with those above after 1/2, 1 and 2 beats
EVEN: Final = 0.0  # half beats as strong as the beats
COMB: Final = 5.29
SPEED: Final = (1.07, -1.47, -4.63, -1.31)  # octaves above 110 bpm, their square, and the far ends
ONSETS: Final = (-0.51, -0.71)  # octaves of the onsets a beat above one, their square
LOOP: Final = (1.07, 2.72)  # the length is a usual number of beats; at a whole tempo
# Of the other choice: always, the clarity, octaves of the length above 8 s.
NONE: Final = (-3.64, -1.46, 0.03)

WEIGHTS: Final = np.array([*sum(REPEATS, ()), *CROSS, EVEN, COMB, *SPEED, *ONSETS, *LOOP])
MIDDLE_S: Final = 8.0
LONGEST_S: Final = 60.0  # a longer recording says no more about its octave


def probabilities(evidence: Doubles, clarity: float, duration_s: float) -> Doubles:
    """Of each row of `evidence`; they sum to less than 1."""
    utility = np.concatenate(
        [[none_terms(clarity, duration_s) @ np.array(NONE)], evidence @ WEIGHTS]
    )
    shares = np.exp(utility - utility.max())
    return shares[1:] / shares.sum()


def none_terms(clarity: float, duration_s: float) -> Doubles:
    """What speaks for none of the candidates."""
    return np.array([1.0, clarity, np.log2(min(duration_s, LONGEST_S) / MIDDLE_S)])
