"""The K-weighted energy of a recording, step by step: what loudness is made of."""

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Doubles, Floats
from harken.audio.gating import STEPS_A_SECOND
from harken.audio.k_weighting import k_weighting
from harken.audio.kernel import kernel


class EnergyMeter:
    """K-weighted energy, summed over the weighted channels, every 10 ms."""

    def __init__(self, sample_rate: int, weights: Doubles) -> None:
        self._rate = sample_rate
        shelf, high_pass = k_weighting(sample_rate).tolist()
        self._sections = (_state_space(shelf), _state_space(high_pass))
        self._weights = weights
        self._state = np.zeros((weights.shape[0], 4))
        self._seen = 0  # samples
        self._begun = 0.0  # energy of the step that the last block left unfinished

    def add(self, samples: Floats) -> Doubles:
        """The mean squares of the steps that `samples`, shape (channels, n), complete."""
        end = self._seen + samples.shape[1]
        # Steps end on the sample nearest above a multiple of 10 ms, so no rate drifts.
        steps = np.arange(
            self._seen * STEPS_A_SECOND // self._rate, end * STEPS_A_SECOND // self._rate + 1
        )
        starts = -(-steps * self._rate // STEPS_A_SECOND)
        edges = np.append(starts, end)
        energies = np.zeros(steps.shape[0])
        energies[0] = self._begun
        inside = np.maximum(edges - self._seen, 0)
        pairs = [(at, at + 1) for at in range(0, samples.shape[0] - 1, 2)]
        if samples.shape[0] % 2:
            pairs.append((samples.shape[0] - 1, samples.shape[0] - 1))
        for one, other in pairs:
            weights = self._weights[one], self._weights[other] if other != one else 0.0
            if any(weights):
                _filter_pair(
                    *(samples[one], samples[other], self._sections),
                    *(self._state[one], self._state[other], inside, weights, energies),
                )
        self._seen = end
        self._begun = float(energies[-1])
        return energies[:-1] / np.diff(starts)


def _state_space(section: list[float]) -> tuple[float, float, float, float, float]:
    """b0, b1 - a1·b0, b2 - a2·b0, a1, a2: the state then needs the input, not the output.

    The transposed direct form II with one multiplication less to wait for in every step.
    """
    b0, b1, b2, _, a1, a2 = section
    return (b0, b1 - a1 * b0, b2 - a2 * b0, a1, a2)


@kernel
def _filter_pair(
    left: Floats,
    right: Floats,
    sections: tuple[tuple[float, float, float, float, float], ...],
    left_state: Doubles,
    right_state: Doubles,
    edges: NDArray[np.int64],
    weights: tuple[float, float],
    energies: Doubles,
) -> None:
    """Add the weighted energy between `edges` of two channels, filtered, to `energies`.

    Each value waits for the one before it, so two channels at once take hardly longer than one.
    """
    (b, k1, k2, a1, a2), (d, m1, m2, c1, c2) = sections
    p1, p2, p3, p4 = left_state[0], left_state[1], left_state[2], left_state[3]
    q1, q2, q3, q4 = right_state[0], right_state[1], right_state[2], right_state[3]
    for step in range(energies.shape[0]):
        ours, theirs = left[edges[step] : edges[step + 1]], right[edges[step] : edges[step + 1]]
        one, other = 0.0, 0.0
        for at in range(ours.shape[0]):
            x, y = float(ours[at]), float(theirs[at])
            shelved, also = b * x + p1, b * y + q1
            p1, p2 = k1 * x + p2 - a1 * p1, k2 * x - a2 * p1
            q1, q2 = k1 * y + q2 - a1 * q1, k2 * y - a2 * q1
            x, y = d * shelved + p3, d * also + q3
            p3, p4 = m1 * shelved + p4 - c1 * p3, m2 * shelved - c2 * p3
            q3, q4 = m1 * also + q4 - c1 * q3, m2 * also - c2 * q3
            one += x * x
            other += y * y
        energies[step] += weights[0] * one + weights[1] * other
    left_state[0], left_state[1], left_state[2], left_state[3] = p1, p2, p3, p4
    right_state[0], right_state[1], right_state[2], right_state[3] = q1, q2, q3, q4
