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
    (-1.34, -1.93, 5.71, 0.2, 0.91, 0.1),
    (-12.26, 2.09, -10.98, -1.88, 1.13, 6.41),
    (5.99, -5.35, 5.59, -0.28, -3.85, 0.24),
    (8.38, -6.7, -8.59, -1.24, -2.06, 2.63),
    (4.19, -1.65, -4.78, -3.19, 2.81, 2.57),
)
CROSS: Final = (-0.46, 1.25, 0.36)  # low sounds with those above after 1/2, 1 and 2 beats
COMB: Final = 5.53
SPEED: Final = (1.06, -1.45, -4.56, -1.3)  # octaves above 110 bpm, their square, and the far ends
ONSETS: Final = (-0.5, -0.72)  # octaves of the onsets a beat above one, their square
LOOP: Final = (1.07, 2.7)  # the length is a usual number of beats; at a whole tempo
# Of the other choice: always, the clarity, octaves of the length above 8 s.
NONE: Final = (-3.67, -1.47, 0.04)

WEIGHTS: Final = np.array([*sum(REPEATS, ()), *CROSS, COMB, *SPEED, *ONSETS, *LOOP])
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
