"""The K-weighted energy of a recording, step by step: what loudness is made of.

Both filters' poles come first and then their zeros: the poles are a recursion, one value after the
other, while the zeros of many values are taken at once.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles, Floats
from harken.audio.gating import STEPS_A_SECOND
from harken.audio.k_weighting import k_weighting
from harken.audio.kernel import kernel, recursion

Four = tuple[float, float, float, float]
MEMORY: Final = 4  # values before the present one that the zeros of two second-order filters need


class EnergyMeter:
    """K-weighted energy, summed over the weighted channels, every 10 ms."""

    def __init__(self, sample_rate: int, weights: Doubles) -> None:
        self._rate = sample_rate
        shelf, high_pass = k_weighting(sample_rate).tolist()
        self._poles = (shelf[4], shelf[5], high_pass[4], high_pass[5])
        zeros = np.convolve(shelf[:3], high_pass[:3])
        # The gain is left to the weights: a multiplication less for each sample.
        self._zeros = tuple((zeros[1:] / zeros[0]).tolist())
        self._pairs = _pairs((zeros[0] ** 2 * weights).tolist())
        self._shelved = np.zeros((weights.shape[0], 2))
        most = -(-sample_rate // STEPS_A_SECOND)
        self._resonances = np.zeros((weights.shape[0], MEMORY + most))
        self._seen = 0  # samples
        self._begun = 0.0  # energy of the step that the last block left unfinished

    def add(self, samples: Floats) -> Doubles:
        """The mean squares of the steps that `samples`, shape (channels, n), complete."""
        first = self._seen * STEPS_A_SECOND // self._rate
        end = self._seen + samples.shape[1]
        energies = np.zeros(end * STEPS_A_SECOND // self._rate - first + 1)
        energies[0] = self._begun
        for one, other, *weights in self._pairs:
            _add_energies(
                *(samples[one], samples[other], self._poles, self._zeros, weights[0], weights[1]),
                *(self._shelved[one], self._shelved[other]),
                *(self._resonances[one], self._resonances[other]),
                *(self._seen, self._rate, energies),
            )
        self._seen = end
        self._begun = float(energies[-1])
        _divide(energies[:-1], first, self._rate)
        return energies[:-1]


def _pairs(weights: list[float]) -> list[tuple[int, int, float, float]]:
    """Two channels and their weights at a time; the last of an odd number stands alone twice."""
    pairs = [(at, at + 1, weights[at], weights[at + 1]) for at in range(0, len(weights) - 1, 2)]
    if len(weights) % 2:
        pairs.append((len(weights) - 1, len(weights) - 1, weights[-1], 0.0))
    return [pair for pair in pairs if pair[2] or pair[3]]


@kernel
def _add_energies(
    left: Floats,
    right: Floats,
    poles: Four,
    zeros: Four,
    left_weight: float,
    right_weight: float,
    left_shelved: Doubles,
    right_shelved: Doubles,
    left_resonance: Doubles,
    right_resonance: Doubles,
    seen: int,
    rate: int,
    energies: Doubles,
) -> None:
    """Add the weighted energy of two channels, filtered, to that of the 10 ms steps they lie in.

    `seen` samples came before. What a channel's filter remembers is in `shelved` and in the first
    4 values of `resonance`, and is brought up to date.
    """
    before = seen * STEPS_A_SECOND // rate
    end = 0
    for step in range(energies.shape[0]):
        start = end
        end = min(_end(before + step, rate) - seen, left.shape[0])
        count = end - start
        _resonate(
            *(left[start:end], right[start:end], poles),
            *(left_shelved, right_shelved, left_resonance, right_resonance),
        )
        energies[step] += left_weight * _energy(left_resonance[: MEMORY + count], zeros)
        energies[step] += right_weight * _energy(right_resonance[: MEMORY + count], zeros)
        for at in range(MEMORY):
            left_resonance[at] = left_resonance[count + at]
            right_resonance[at] = right_resonance[count + at]


@kernel
def _divide(energies: Doubles, first: int, rate: int) -> None:
    """Sums of squares to means, of the steps from `first` on."""
    for at in range(energies.shape[0]):
        step = first + at
        energies[at] /= _end(step, rate) - _end(step - 1, rate)


@kernel
def _end(step: int, rate: int) -> int:
    """The sample after a step: the nearest above a multiple of 10 ms, so no rate drifts."""
    return -(-(step + 1) * rate // STEPS_A_SECOND)


@recursion
def _resonate(
    left: Floats,
    right: Floats,
    poles: Four,
    left_shelved: Doubles,
    right_shelved: Doubles,
    left_resonance: Doubles,
    right_resonance: Doubles,
) -> None:
    """The poles of both filters: each value waits for the one before, so two channels go at once."""
    a1, a2, c1, c2 = poles
    p1, p2, q1, q2 = left_shelved[0], left_shelved[1], right_shelved[0], right_shelved[1]
    r1, r2 = left_resonance[MEMORY - 1], left_resonance[MEMORY - 2]
    s1, s2 = right_resonance[MEMORY - 1], right_resonance[MEMORY - 2]
    lefts, rights = left_resonance[MEMORY:], right_resonance[MEMORY:]
    for at in range(left.shape[0]):
        p0 = float(left[at]) - a2 * p2 - a1 * p1
        q0 = float(right[at]) - a2 * q2 - a1 * q1
        r0 = p0 - c2 * r2 - c1 * r1
        s0 = q0 - c2 * s2 - c1 * s1
        lefts[at], rights[at] = r0, s0
        p1, p2, q1, q2 = p0, p1, q0, q1
        r1, r2, s1, s2 = r0, r1, s0, s1
    left_shelved[0], left_shelved[1], right_shelved[0], right_shelved[1] = p1, p2, q1, q2


@kernel
def _energy(resonance: Doubles, zeros: Four) -> float:
    """The zeros of both filters, which need no waiting, and the sum of squares of what comes out."""
    b1, b2, b3, b4 = zeros
    count = resonance.shape[0] - MEMORY
    x0, x1, x2 = resonance[4 : 4 + count], resonance[3 : 3 + count], resonance[2 : 2 + count]
    x3, x4 = resonance[1 : 1 + count], resonance[:count]
    total = 0.0
    for at in range(count):
        y = x0[at] + b1 * x1[at] + b2 * x2[at] + b3 * x3[at] + b4 * x4[at]
        total += y * y
    return total
