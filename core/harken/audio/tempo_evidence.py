"""What speaks for and against each tempo a recording might be counted in.

Candidates are the peaks of a comb over the autocorrelation of the onsets, their relatives by
simple ratios, and the tempi at which the length is a usual number of beats (Font, Serra 2016,
"Tempo estimation for music loops and a simple confidence measure"). Each gets a row of evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.tempogram import Repetition

LEAST_BPM: Final = 40.0
MOST_BPM: Final = 240.0
GRID_STEP: Final = 1.004  # from one tempo tried to the next
GRID_BPM: Final = LEAST_BPM * GRID_STEP ** np.arange(
    int(np.log(MOST_BPM / LEAST_BPM) / np.log(GRID_STEP)) + 1
)
GRID_LAGS: Final[Doubles] = np.asarray(60.0 * FRAME_RATE / GRID_BPM, dtype=np.float64)
COMB: Final = (1.0, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15)  # weight of a lag's multiples 1 to 8
HALF_LAG_WEIGHT: Final = 0.3
PEAKS: Final = 8
RELATED: Final = 3  # so many of the peaks have their relatives among the candidates
RELATIVES: Final = (2.0, 1 / 2, 3.0, 1 / 3, 3 / 2, 2 / 3, 4 / 3, 3 / 4)
DISTANCE: Final = 1.02  # ratio below which two tempi are one

LOOP_S: Final = 33.0  # eight bars at 58 bpm: what is longer is seldom a loop
USUAL_BEATS: Final = (4, 8, 16, 32, 64)  # one to sixteen bars
OTHER_BEATS: Final = (6, 12, 24, 48)  # of three beats, or three bars
LOOP_SLACK: Final = 0.08  # beats by which a peak measured on a loop misses its length, one sigma
LOOP_TOLERANCE: Final = 0.015  # of the tempo: a peak so near is taken to be the loop's own
WHOLE_BPM: Final = 0.03  # a sequencer's tempo is whole; a length in whole samples blurs it so much

# Of a beat, where repetition is looked at; bars have two, three or four.
FRACTIONS: Final = (1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0)
EQUAL: Final = 0.8  # of the beat's strength: a half beat that is stronger may be the beat
CROSS_FRACTIONS: Final = (1 / 2, 1.0, 2.0)
MIDDLE_BPM: Final = 110.0
FAST_OCTAVES: Final = 0.5  # above the middle, and
SLOW_OCTAVES: Final = -0.5  # below it, tempi soon get rarer


@dataclass(frozen=True, kw_only=True)
class Sound:
    """What is asked of the recording, beside its correlations."""

    shares: Doubles  # (envelopes,) of the onset strength (1), then of the parts (sum 1)
    onsets_hz: float  # clear onsets a second
    loop_s: float | None  # its length, unless it is too long for a loop


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Tempi and what speaks for each."""

    bpms: Doubles  # (n,)
    evidence: Doubles  # (n, terms), the terms in the order of `tempo_model`
    clarity: float  # of the best comb, at most 1


def candidates(found: Repetition, sound: Sound, refine: Callable[[float], float]) -> Candidates:
    """The tempi and their evidence; `refine` makes a tempo precise."""
    comb = comb_scores(found.together, GRID_LAGS)
    bpms = _tempi(comb, sound.loop_s, refine)
    lags = 60.0 * FRAME_RATE / bpms
    columns = [
        *_repeats(found, sound.shares, lags),
        np.interp(bpms, GRID_BPM, comb),
        *_usual(bpms, sound.onsets_hz),
        *_loop(bpms, sound.loop_s),
    ]
    return Candidates(
        bpms=bpms, evidence=np.stack(columns, axis=1), clarity=min(float(comb.max()), 1.0)
    )


def comb_scores(correlation: Floats, lags: Doubles) -> Doubles:
    """How strongly the envelope repeats at each of `lags` (frames) and its multiples, at most 1."""
    score = np.zeros_like(lags)
    weight = np.zeros_like(lags)
    last = correlation.shape[0] - 1
    positions = np.arange(correlation.shape[0])
    for multiple, share in ((0.5, HALF_LAG_WEIGHT), *enumerate(COMB, start=1)):
        at = lags * multiple
        inside = at <= last
        score += np.where(inside, share * np.interp(at, positions, correlation), 0.0)
        weight += np.where(inside, share, 0.0)
    # A lag that does not fit in even once is no tempo.
    return np.where(lags <= last, score / np.maximum(weight, 1.0), 0.0)


def _tempi(comb: Doubles, loop_s: float | None, refine: Callable[[float], float]) -> Doubles:
    """Each once, those the length speaks for first."""
    inner = (comb[1:-1] >= comb[:-2]) & (comb[1:-1] > comb[2:]) & (comb[1:-1] > 0)
    peaks = np.flatnonzero(inner) + 1
    peaks = peaks[np.argsort(-comb[peaks], kind="stable")][:PEAKS]
    measured = [refine(bpm) for bpm in GRID_BPM[peaks].tolist()]
    measured += [bpm * ratio for bpm in measured[:RELATED] for ratio in RELATIVES]
    tempi = measured
    if loop_s is not None:
        exact = [60.0 * beats / loop_s for beats in (*USUAL_BEATS, *OTHER_BEATS)]
        near = [bpm for bpm in exact if any(_apart(bpm, one) < LOOP_TOLERANCE for one in measured)]
        tempi = [*near, *measured, *exact]
    chosen: list[float] = []
    for bpm in tempi:
        new = all(_apart(bpm, kept) >= DISTANCE - 1.0 for kept in chosen)
        if new and LEAST_BPM <= bpm <= MOST_BPM:
            chosen.append(bpm)
    return np.array(chosen)


def _apart(one: float, other: float) -> float:
    return max(one / other, other / one) - 1.0


def _repeats(found: Repetition, shares: Doubles, lags: Doubles) -> list[Doubles]:
    """How strongly each part repeats at fractions and multiples of a beat.

    And how the low sounds go with those above: kick and snare take turns from beat to beat.
    """
    positions = np.arange(found.cross.shape[0])
    own = [
        share * np.interp(fraction * lags, positions, correlation, right=0.0)
        for correlation, share in zip(found.own, shares.tolist(), strict=True)
        for fraction in FRACTIONS
    ]
    cross = [
        np.interp(fraction * lags, positions, found.cross, right=0.0)
        for fraction in CROSS_FRACTIONS
    ]
    half, full = (
        np.interp(share * lags, positions, found.together, right=0.0) for share in (0.5, 1.0)
    )
    even = np.clip((half - EQUAL * full) / ((1.0 - EQUAL) * np.maximum(full, 0.1)), 0.0, 1.0)
    return [*own, *cross, even]


def _usual(bpms: Doubles, onsets_hz: float) -> list[Doubles]:
    """How fast it is and how many sounds begin in a beat, in octaves."""
    octaves = np.log2(bpms / MIDDLE_BPM)
    onsets = np.log2(np.maximum(onsets_hz * 60.0 / bpms, 0.1))
    fast = np.maximum(octaves - FAST_OCTAVES, 0.0)
    slow = np.maximum(SLOW_OCTAVES - octaves, 0.0)
    return [octaves, octaves**2, fast, slow, onsets, onsets**2]


def _loop(bpms: Doubles, loop_s: float | None) -> list[Doubles]:
    """Whether the length is a usual number of beats, and the tempo then a whole one."""
    if loop_s is None:
        return [np.zeros_like(bpms), np.zeros_like(bpms)]
    usual, fit, whole = loop_fit(bpms, loop_s)
    exact = 60.0 * whole / loop_s
    return [usual, fit * (np.abs(exact - np.rint(exact)) < WHOLE_BPM)]


def loop_fit(bpms: Doubles, loop_s: float) -> tuple[Doubles, Doubles, Doubles]:
    """How well the length is a usual number of beats, how well any whole one, and which."""
    beats = loop_s * bpms / 60.0
    whole = np.maximum(np.rint(beats), 1.0)
    fit = np.exp(-0.5 * ((beats - whole) / LOOP_SLACK) ** 2)
    return fit * np.isin(whole, USUAL_BEATS), fit, whole
