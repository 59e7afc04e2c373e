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
    (-1.5, -1.69, 4.3, 0.54, 1.37, 0.37),
    (-7.07, 6.61, -8.24, -4.19, 1.11, 6.67),
    (3.36, -6.73, 4.14, 0.39, -3.97, -0.75),
    (10.15, -7.34, -5.68, -0.94, -1.66, 2.43),
    (4.9, 0.67, 0.58, -5.46, 2.41, 2.79),
)
CROSS: Final = (-0.15, 0.9, 0.13)  # low sounds with those above after 1/2, 1 and 2 beats
COMB: Final = 5.3
SPEED: Final = (1.24, -1.77, -5.49, -1.52)  # octaves above 110 bpm, their square, and the far ends
ONSETS: Final = (-0.6, -0.6)  # octaves of the onsets a beat above one, their square
LOOP: Final = (1.07, 2.69)  # the length is a usual number of beats; at a whole tempo
NONE: Final = (-3.51, -1.52, 0.01)  # of the other choice: always, clarity, octaves of the length above 8 s

WEIGHTS: Final = np.array([*sum(REPEATS, ()), *CROSS, COMB, *SPEED, *ONSETS, *LOOP])
MIDDLE_S: Final = 8.0
LONGEST_S: Final = 60.0  # a longer recording says no more about its octave


def probabilities(evidence: Doubles, clarity: float, duration_s: float) -> Doubles:
    """Of each row of `evidence`; they sum to less than 1."""
    utility = np.concatenate([[none_terms(clarity, duration_s) @ np.array(NONE)], evidence @ WEIGHTS])
    shares = np.exp(utility - utility.max())
    return shares[1:] / shares.sum()


def none_terms(clarity: float, duration_s: float) -> Doubles:
    """What speaks for none of the candidates."""
    return np.array([1.0, clarity, np.log2(min(duration_s, LONGEST_S) / MIDDLE_S)])
