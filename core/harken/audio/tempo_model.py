"""How likely each candidate tempo is the right one: a conditional logit over their evidence.

McFadden (1974), "Conditional logit analysis of qualitative choice behavior". The weights are
fitted on music that was made for it, `python -m benchmarks.rhythm.fit`, and judged on other such
music; that makes the shares probabilities. One further choice stands for "none of these".
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles

# Rows: onset strength, then the parts of the spectrum from below (each times its share of the
# sound). Columns: repetition after 1/4, 1/3, 1/2, 1, 2, 3 and 4 beats.
REPEATS: Final = (
    (0.18, -0.9, 3.75, 0.88, -0.04, -0.43, -0.6),
    (-6.6, 1.01, -7.15, -6.95, -0.19, 3.96, 9.06),
    (0.36, -4.99, 4.21, 2.47, -3.48, -2.62, 1.99),
    (6.8, -3.79, -4.63, -3.13, -1.2, 0.67, 3.24),
    (1.87, -4.28, -4.08, -1.28, 3.77, -1.13, 0.98),
)
CROSS: Final = (-0.68, 1.46, 0.42)  # low sounds with those above after 1/2, 1 and 2 beats
EVEN: Final = 0.88  # half beats as strong as the beats
COMB: Final = 6.04
SPEED: Final = (0.79, -1.2, -4.81, -1.57)  # octaves above 110 bpm, their square, and the far ends
ONSETS: Final = (-0.62, -0.62)  # octaves of the onsets a beat above one, their square
LOOP: Final = (0.96, 2.87)  # the length is a usual number of beats; at a whole tempo
# Of the other choice: always, the clarity, octaves of the length above 8 s.
NONE: Final = (0.77, -3.38, 0.08)

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
