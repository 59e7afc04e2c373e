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
    (0.13, -0.83, 3.95, 0.77, 0.02, -0.59),
    (-7.02, 1.13, -7.73, -4.45, -0.16, 8.9),
    (0.82, -5.06, 4.49, 1.08, -3.61, 2.03),
    (6.94, -3.93, -4.75, -2.72, -1.1, 3.13),
    (1.99, -4.23, -4.19, -2.23, 3.88, 0.78),
)
CROSS: Final = (-0.68, 1.46, 0.43)  # low sounds with those above after 1/2, 1 and 2 beats
EVEN: Final = 0.86  # half beats as strong as the beats
COMB: Final = 5.56
SPEED: Final = (0.78, -1.22, -4.81, -1.53)  # octaves above 110 bpm, their square, and the far ends
ONSETS: Final = (-0.63, -0.62)  # octaves of the onsets a beat above one, their square
LOOP: Final = (1.01, 2.85)  # the length is a usual number of beats; at a whole tempo
# Of the other choice: always, the clarity, octaves of the length above 8 s.
NONE: Final = (0.79, -3.55, 0.06)

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
