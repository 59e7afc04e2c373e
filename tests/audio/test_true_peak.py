"""The true-peak meter passes over most of a signal: what it passes over must not hold the peak."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from harken.audio.true_peak import (
    FIRST_WEIGHTS,
    SECOND_WEIGHTS,
    TruePeakMeter,
    doublings,
)

Floats = NDArray[np.float32]
Made = Callable[[np.random.Generator, int], NDArray[np.float64]]

COUNT = 20_000
RATES = (44_100, 96_000, 192_000)


def _noise(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    return random.normal(0.0, 0.2, count)


def _walk(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    steps = np.cumsum(random.normal(0.0, 0.01, count))
    return steps / np.abs(steps).max()


def _near_nyquist(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * random.uniform(0.35, 0.49) * np.arange(count) + random.uniform(0, 6))


def _clipped(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    return np.clip(2.0 * _near_nyquist(random, count) + _noise(random, count), -0.9, 0.9)


def _clicks(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    clicks = np.zeros(count)
    clicks[random.integers(0, count, 20)] = random.uniform(-1.0, 1.0, 20)
    return clicks


def _swelling(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    return _near_nyquist(random, count) * np.linspace(0.0, 1.0, count)


def _doubled(samples: NDArray[np.float64], weights: Floats) -> NDArray[np.float64]:
    """The samples with a value between every two, by the plain definition."""
    taps = np.concatenate([weights[::-1], weights]).astype(np.float64)
    both = np.empty(2 * samples.shape[0])
    both[::2] = samples
    both[1::2] = np.convolve(samples, taps)[weights.shape[0] :][: samples.shape[0]]
    return both


def _peak_everywhere(samples: Floats, rate: int) -> float:
    values = np.pad(samples.astype(np.float64), 50)
    for weights in (FIRST_WEIGHTS, SECOND_WEIGHTS)[: doublings(rate)]:
        values = _doubled(values, weights)
    return float(np.abs(values).max())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "made",
    [_noise, _walk, _near_nyquist, _clipped, _clicks, _swelling],
    ids=lambda made: made.__name__,
)
def test_nothing_that_is_passed_over_holds_the_peak(made: Made, rate: int) -> None:
    for seed in range(12):
        random = np.random.default_rng(seed)
        samples = made(random, COUNT).astype(np.float32)
        meter = TruePeakMeter(rate, 1)
        for block in np.split(samples, sorted(random.integers(0, COUNT, 5))):
            meter.add(block[None])
        assert meter.finish() == pytest.approx(_peak_everywhere(samples, rate), rel=2e-6)
