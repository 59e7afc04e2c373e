"""Which of the regular pulses are the beats: those found, or those between them.

A conditional logit, as for the tempo: each phase of the beat is a choice, and what speaks for it
is how strongly each part of the spectrum begins on it and after it, and whether a loop begins on
it. Fitted by `python -m benchmarks.rhythm.phase`.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles, Floats

PHASES: Final = (0.0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)  # of a beat after those found
AFTER_LAST: Final = (7 / 12, 11 / 12)  # what is heard a quarter after 1/3 and 2/3
QUARTERS: Final = (0, 1, 3, 5)  # which of them divide the beat evenly
QUARTER_AFTER: Final = (1, 3, 6, 5, 7, 0)  # which is a quarter of a beat after each
NOTHING: Final = 1e-30
BAR: Final = 4  # beats
BEGIN_SLACK: Final = 0.1  # of a beat, one sigma
LATENCY_FRAMES: Final = 1.0  # by which the envelope is late
LEAST_BEATS: Final = 3  # fewer have no regularity
MOST_BEATS: Final = 4096  # more say no more, and would take longer

# Onset strength, then the parts of the spectrum from below: on the beat, on the strongest of four
# beats, and a quarter of a beat after.
MEAN: Final = (-0.12, 0.91, 0.09, -0.49, 0.88)
AFTER: Final = (-0.94, -0.06, -0.34, 0.15, 0.34)
STRONGEST: Final = (-0.52, 0.01, -0.01, 0.54, 0.03)
BEGIN: Final = 5.88  # a loop begins on it
FOUND: Final = 0.64  # it is the phase that was found

WEIGHTS: Final = np.array([*MEAN, *STRONGEST, *AFTER, BEGIN, FOUND])


def phase_of_beats(envelopes: Floats, beats: Doubles, *, loop: float) -> float:
    """How much later than `beats` (frames) the beats are, as a share of a beat; mostly 0.

    `loop` is 1 where the recording seems to be a loop, 0 where not.
    """
    if beats.shape[0] < LEAST_BEATS:
        return 0.0
    utility = phase_evidence(envelopes, beats[:MOST_BEATS], loop=loop) @ WEIGHTS
    return PHASES[int(utility.argmax())]


def phase_evidence(envelopes: Floats, beats: Doubles, *, loop: float) -> Doubles:
    """(phases, terms); `loop` is 1 where the recording seems to be a loop, 0 where not."""
    begun, interval = beats[:-1], np.diff(beats)
    heard = np.stack(
        [_heard(envelopes, begun + phase * interval) for phase in (*PHASES, *AFTER_LAST)]
    )
    mean = heard.mean(axis=2)
    usual = np.maximum(mean[list(QUARTERS)].mean(axis=0), NOTHING)
    bars = begun.shape[0] // BAR
    in_bar = heard[: len(PHASES)]
    if bars:
        in_bar = in_bar[:, :, : bars * BAR].reshape(*in_bar.shape[:2], bars, BAR).mean(axis=2)
    begin = loop * _closeness((LATENCY_FRAMES - begun[0]) / float(np.median(interval)))
    found = np.array(PHASES) == 0.0
    return np.column_stack(
        [
            mean[: len(PHASES)] / usual,
            in_bar.max(axis=2) / usual,
            mean[list(QUARTER_AFTER)] / usual,
            begin,
            found,
        ]
    )


def _heard(envelopes: Floats, frames: Doubles) -> Floats:
    """(envelopes, frames) the most that begins within a frame of each of `frames`."""
    at = np.rint(frames).astype(np.int64)
    last = envelopes.shape[1] - 1
    return np.max([envelopes[:, np.clip(at + shift, 0, last)] for shift in (-1, 0, 1)], axis=0)


def _closeness(place: float) -> Doubles:
    """Of a place, counted in beats from those found, to each of the phases: 1 on it, 0 far off."""
    away = np.abs((place - np.array(PHASES) + 0.5) % 1.0 - 0.5)
    return np.exp(-0.5 * (away / BEGIN_SLACK) ** 2)


def shifted(beats: Doubles, phase: float) -> Doubles:
    """`beats` later by that share of a beat, from the first that fits in before them."""
    interval = np.diff(beats)
    interval = np.concatenate([interval[:1], interval, interval[-1:]])
    every = np.concatenate([[beats[0] - interval[0]], beats])
    later = every + phase * interval
    return later[later >= 0.0]


def near(beats: Doubles, count: int, width: float) -> Floats:
    """(count,) 1 on each of `beats`, falling to 0 at `width` frames from it."""
    closeness = np.zeros(count, dtype=np.float32)
    on = np.rint(beats).astype(np.int64)
    for shift in sorted(range(-int(width), int(width) + 1), key=abs, reverse=True):
        at = on + shift
        closeness[at[(at >= 0) & (at < count)]] = 1.0 - abs(shift) / (width + 1.0)
    return closeness
