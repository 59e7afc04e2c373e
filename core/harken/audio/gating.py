"""From energies every 10 ms to loudness: the windows and gates of EBU R128.

ITU-R BS.1770-4 (integrated loudness), EBU Tech 3341 (momentary and short-term maxima) and
EBU Tech 3342 (loudness range). Energies are weighted mean squares summed over the channels.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import Doubles

STEPS_A_SECOND: Final = 100
MOMENTARY_STEPS: Final = 40  # 400 ms
SHORT_TERM_STEPS: Final = 300  # 3 s
GATE_HOP_STEPS: Final = 10  # gating blocks begin every 100 ms
OFFSET_LUFS: Final = -0.691  # makes a 997 Hz full-scale sine in one channel -3.01 LUFS
ABSOLUTE_GATE_LUFS: Final = -70.0
RELATIVE_GATE_LU: Final = 10.0
RANGE_GATE_LU: Final = 20.0
RANGE_PERCENTILES: Final = (10, 95)


@dataclass(frozen=True, kw_only=True)
class LoudnessFigures:
    """What the gates leave; None where nothing is left."""

    integrated_lufs: float | None
    range_lu: float | None
    momentary_max_lufs: float | None
    short_term_max_lufs: float | None


def loudness_figures(energies: Doubles) -> LoudnessFigures:
    """The figures of `energies`, one every 10 ms, shape (steps,)."""
    momentary = _sliding_mean(energies, MOMENTARY_STEPS)
    short_term = _sliding_mean(energies, SHORT_TERM_STEPS)
    return LoudnessFigures(
        integrated_lufs=_integrated(momentary[::GATE_HOP_STEPS]),
        range_lu=_range(short_term[::GATE_HOP_STEPS]),
        momentary_max_lufs=_audible_maximum(momentary),
        short_term_max_lufs=_audible_maximum(short_term),
    )


def lufs(energy: float | Doubles) -> Doubles:
    """Loudness of a weighted mean square; minus infinity for none."""
    with np.errstate(divide="ignore"):
        return OFFSET_LUFS + 10.0 * np.log10(np.asarray(energy, dtype=np.float64))


def _sliding_mean(energies: Doubles, steps: int) -> Doubles:
    if energies.shape[0] < steps:
        return np.zeros(0)
    # Rounding in the running sum must not turn silence after loud sound into a trace of energy.
    sums = np.concatenate([[0.0], np.cumsum(energies)])
    means = (sums[steps:] - sums[:-steps]) / steps
    return np.maximum(means, 0.0)


def _audible_maximum(means: Doubles) -> float | None:
    if means.shape[0] == 0:
        return None
    loudest = float(lufs(means.max()))
    return loudest if loudest > ABSOLUTE_GATE_LUFS else None


def _integrated(blocks: Doubles) -> float | None:
    audible = blocks[lufs(blocks) > ABSOLUTE_GATE_LUFS]
    if audible.shape[0] == 0:
        return None
    gate = float(lufs(audible.mean())) - RELATIVE_GATE_LU
    return float(lufs(audible[lufs(audible) > gate].mean()))


def _range(blocks: Doubles) -> float | None:
    levels = lufs(blocks)
    audible = levels > ABSOLUTE_GATE_LUFS
    if not audible.any():
        return None
    gate = float(lufs(blocks[audible].mean())) - RANGE_GATE_LU
    low, high = np.percentile(levels[audible & (levels > gate)], RANGE_PERCENTILES)
    return float(high - low)
