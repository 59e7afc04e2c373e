"""Which of the regular pulses are the beats: those found, or those between them.

A conditional logit, as for the tempo: each phase of the beat is a choice, and what speaks for it
is how strongly each part of the spectrum begins on it, on average and where it is strongest in
four beats, and whether the recording begins on it. Fitted by `python -m benchmarks.rhythm.phase`.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles, Floats

PHASES: Final = (0.0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)  # of a beat after those found
QUARTERS: Final = (0, 1, 3, 5)  # which of them divide the beat evenly
BAR: Final = 4  # beats
BEGIN_SLACK: Final = 0.1  # of a beat, one sigma
LATENCY_FRAMES: Final = 1.0  # by which the envelope is late
LEAST_BEATS: Final = 3  # fewer have no regularity
MOST_BEATS: Final = 4096  # more say no more, and would take longer

# Onset strength, then the parts of the spectrum from below: on the beat, and on the strongest of
# four beats.
MEAN: Final = (0.25, 1.63, 0.63, 0.11, 1.34)
STRONGEST: Final = (-0.65, 1.34, 0.5, 0.49, 1.27)
BEGIN: Final = 5.28  # a loop begins on it
FOUND: Final = 0.72  # it is the phase that was found

WEIGHTS: Final = np.array([*MEAN, *STRONGEST, BEGIN, FOUND])


def phase_of_beats(envelopes: Floats, beats: Doubles, *, loop: float) -> float:
    """How much later than `beats` (frames) the beats are, as a share of the beat; mostly 0.

    `loop` is 1 where the recording seems to be a loop, 0 where not.
    """
    if beats.shape[0] < LEAST_BEATS:
        return 0.0
    utility = phase_evidence(envelopes, beats[:MOST_BEATS], loop=loop) @ WEIGHTS
    return PHASES[int(utility.argmax())]


def phase_evidence(envelopes: Floats, beats: Doubles, *, loop: float) -> Doubles:
    """(phases, terms); `loop` is 1 where the recording seems to be a loop, 0 where not."""
    around = envelopes.copy()
    np.maximum(around[:, 1:], envelopes[:, :-1], out=around[:, 1:])
    np.maximum(around[:, :-1], envelopes[:, 1:], out=around[:, :-1])
    begun, interval = beats[:-1], np.diff(beats)
    bars = begun.shape[0] // BAR
    positions = np.arange(envelopes.shape[1])
    spread = envelopes[1:].std(axis=1, dtype=np.float64)
    shares = np.concatenate([[1.0], spread / max(float(spread.sum()), 1e-30)])
    mean = np.zeros((len(PHASES), envelopes.shape[0]))
    strongest = np.zeros_like(mean)
    for row, phase in enumerate(PHASES):
        at = begun + phase * interval
        for column, envelope in enumerate(around):
            heard = np.interp(at, positions, envelope)
            mean[row, column] = heard.mean()
            in_bar = heard[: bars * BAR].reshape(bars, BAR).mean(axis=0) if bars else heard
            strongest[row, column] = in_bar.max()
    usual = np.maximum(mean[list(QUARTERS)].mean(axis=0), 1e-30)
    period = float(np.median(interval))
    begin = loop * _closeness((LATENCY_FRAMES - begun[0]) / period)
    found = np.array(PHASES) == 0.0
    return np.column_stack([shares * mean / usual, shares * strongest / usual, begin, found])


def _closeness(place: float) -> Doubles:
    """Of a place, counted in beats from those found, to each of the phases: 1 on it, 0 far off."""
    away = np.abs((place - np.array(PHASES) + 0.5) % 1.0 - 0.5)
    return np.exp(-0.5 * (away / BEGIN_SLACK) ** 2)


def shifted(beats: Doubles, phase: float) -> Doubles:
    """`beats` later by that share of a beat, from the first that fits in before them."""
    if phase == 0.0 or beats.shape[0] < 2:
        return beats
    interval = np.diff(beats)
    interval = np.concatenate([interval[:1], interval, interval[-1:]])
    every = np.concatenate([[beats[0] - interval[0]], beats])
    later = every + phase * interval
    return later[later >= 0.0]


def near(beats: Doubles, count: int, width: float) -> Floats:
    """(count,) 1 on each of `beats`, falling to 0 at `width` frames from it."""
    frames = np.arange(count)
    after = np.searchsorted(beats, frames)
    padded = np.concatenate([[-1e9], beats, [1e9]])
    distance = np.minimum(frames - padded[after], padded[after + 1] - frames)
    return np.maximum(0.0, 1.0 - distance / width).astype(np.float32)
