"""The K-weighted energy of a recording, step by step: what loudness is made of."""

import numpy as np

from harken.audio.blocks import Doubles, Floats
from harken.audio.gating import STEPS_A_SECOND
from harken.audio.k_weighting import k_weighting
from harken.audio.kernel import recursion

Section = tuple[float, float, float, float]


class EnergyMeter:
    """K-weighted energy, summed over the weighted channels, every 10 ms."""

    def __init__(self, sample_rate: int, weights: Doubles) -> None:
        self._rate = sample_rate
        shelf, high_pass = k_weighting(sample_rate).tolist()
        self._sections = (_monic(shelf), _monic(high_pass))
        gain = (shelf[0] * high_pass[0]) ** 2
        self._pairs = _pairs((gain * weights).tolist())
        self._state = np.zeros((weights.shape[0], 4))
        self._seen = 0  # samples
        self._begun = 0.0  # energy of the step that the last block left unfinished

    def add(self, samples: Floats) -> Doubles:
        """The mean squares of the steps that `samples`, shape (channels, n), complete."""
        first = self._seen * STEPS_A_SECOND // self._rate
        end = self._seen + samples.shape[1]
        energies = np.zeros(end * STEPS_A_SECOND // self._rate - first + 1)
        energies[0] = self._begun
        for one, other, *weights in self._pairs:
            _filter_pair(
                *(samples[one], samples[other], self._sections, weights[0], weights[1]),
                *(self._state[one], self._state[other], self._seen, self._rate, energies),
            )
        self._seen = end
        self._begun = float(energies[-1])
        # Steps end on the sample nearest above a multiple of 10 ms, so no rate drifts.
        steps = np.arange(first, first + energies.shape[0])
        return energies[:-1] / np.diff(-(-steps * self._rate // STEPS_A_SECOND))


def _pairs(weights: list[float]) -> list[tuple[int, int, float, float]]:
    """Two channels and their weights at a time; the last of an odd number stands alone twice."""
    pairs = [(at, at + 1, weights[at], weights[at + 1]) for at in range(0, len(weights) - 1, 2)]
    if len(weights) % 2:
        pairs.append((len(weights) - 1, len(weights) - 1, weights[-1], 0.0))
    return [pair for pair in pairs if pair[2] or pair[3]]


def _monic(section: list[float]) -> Section:
    """b1 and b2 over b0, a1, a2: the gain b0 is left to the weights, a multiplication less each."""
    b0, b1, b2, _, a1, a2 = section
    return (b1 / b0, b2 / b0, a1, a2)


@recursion
def _filter_pair(
    left: Floats,
    right: Floats,
    sections: tuple[Section, Section],
    left_weight: float,
    right_weight: float,
    left_state: Doubles,
    right_state: Doubles,
    seen: int,
    rate: int,
    energies: Doubles,
) -> None:
    """Add the weighted energy of two channels, filtered, to that of the 10 ms steps they lie in.

    `seen` samples came before. Both sections are in direct form II. Each value waits for the one
    before it, so two channels at once take hardly longer than one.
    """
    (b1, b2, a1, a2), (d1, d2, c1, c2) = sections
    p1, p2, r1, r2 = left_state[0], left_state[1], left_state[2], left_state[3]
    q1, q2, s1, s2 = right_state[0], right_state[1], right_state[2], right_state[3]
    before = seen * STEPS_A_SECOND // rate
    end = 0
    for step in range(energies.shape[0]):
        start = end
        step_end = -(-(before + step + 1) * rate // STEPS_A_SECOND)
        end = min(step_end - seen, left.shape[0])
        ours, theirs = left[start:end], right[start:end]
        one, other = 0.0, 0.0
        for at in range(ours.shape[0]):
            p0 = float(ours[at]) - a2 * p2 - a1 * p1
            q0 = float(theirs[at]) - a2 * q2 - a1 * q1
            r0 = (p0 + b1 * p1 + b2 * p2) - c2 * r2 - c1 * r1
            s0 = (q0 + b1 * q1 + b2 * q2) - c2 * s2 - c1 * s1
            x = r0 + d2 * r2 + d1 * r1
            y = s0 + d2 * s2 + d1 * s1
            p1, p2, q1, q2 = p0, p1, q0, q1
            r1, r2, s1, s2 = r0, r1, s0, s1
            one += x * x
            other += y * y
        energies[step] += left_weight * one + right_weight * other
    left_state[0], left_state[1], left_state[2], left_state[3] = p1, p2, r1, r2
    right_state[0], right_state[1], right_state[2], right_state[3] = q1, q2, s1, s2
