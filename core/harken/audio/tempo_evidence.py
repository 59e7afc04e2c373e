"""What speaks for and against each tempo a recording might be counted in.

Candidates are the peaks of a comb over the autocorrelation of the onsets, their relatives by
simple ratios, and the tempi at which the length is a usual number of beats (Font, Serra 2016,
"Tempo estimation for music loops and a simple confidence measure"). Each gets a row of evidence:
how strongly each part of the spectrum repeats at its fractions and multiples, how the low sounds
alternate with those above (kick and snare), how many sounds begin in a beat, how fast it is, and
how well it divides the length.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.tempogram import Repetition

LEAST_BPM: Final = 40.0
MOST_BPM: Final = 240.0
GRID_STEP: Final = 1.004  # from one tempo tried to the next
COMB: Final = (1.0, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15)  # weight of a lag's multiples 1 to 8
HALF_LAG_WEIGHT: Final = 0.3
PEAKS: Final = 8
RELATIVES: Final = (2.0, 1 / 2, 3.0, 1 / 3, 3 / 2, 2 / 3, 4 / 3, 3 / 4)
RELATED: Final = 3  # so many of the peaks have their relatives among the candidates
DISTANCE: Final = 1.04  # ratio below which two tempi are one
LOOP_S: Final = 33.0  # eight bars at 58 bpm: longer recordings are seldom loops
LOOP_BEATS: Final = (4, 8, 16, 32, 64, 12, 24)
LOOP_TOLERANCE: Final = 0.02  # of the tempo: a peak so near is taken to be the loop's own tempo
LOOP_SLACK: Final = 0.08  # beats by which a peak measured on a loop misses its length, one sigma
WHOLE_BPM: Final = 0.03  # a sequencer's tempo is whole; lengths are rounded to samples

FRACTIONS: Final = (1 / 4, 1 / 3, 1 / 2, 1.0, 3 / 2, 2.0, 3.0, 4.0)
ENVELOPES: Final = ("all", "low", "lower", "mid", "high")
MIDDLE_BPM: Final = 110.0
NAMES: Final = (
    *(f"{name} x{fraction:.2g}" for name in ENVELOPES for fraction in FRACTIONS),
    "cross x0.5",
    "cross x1",
    "cross x2",
    "octaves",
    "octaves^2",
    "fast",
    "slow",
    "log onsets a beat",
    "log onsets a beat^2",
    "loop 4 8 16 32",
    "loop 12 24",
    "loop other 4",
    "loop other",
    "loop whole bpm",
    "comb",
)


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Tempi and the evidence for each."""

    bpms: Doubles  # (n,)
    evidence: Doubles  # (n, len(NAMES))
    clarity: float  # of the best comb, at most 1


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


GRID: Final = LEAST_BPM * GRID_STEP ** np.arange(
    int(np.log(MOST_BPM / LEAST_BPM) / np.log(GRID_STEP))
)


def candidates(found: Repetition, shares: Doubles, onset_rate_hz: float, duration_s: float, refine) -> Candidates:
    together = found.local.mean(axis=0)
    together = together / max(float(together[0]), 1e-12)
    comb = comb_scores(together, 60.0 * FRAME_RATE / GRID)
    bpms = _tempi(comb, duration_s, refine)
    if not bpms.shape[0]:
        return Candidates(bpms=bpms, evidence=np.zeros((0, len(NAMES))), clarity=0.0)
    lags = 60.0 * FRAME_RATE / bpms
    positions = np.arange(found.own.shape[1])
    at = lags[:, None] * np.array(FRACTIONS)
    columns: list[Doubles] = []
    for own, share in zip(found.own, shares, strict=True):
        columns.extend((share * np.interp(at, positions, own, right=0.0)).T)
    for fraction in (0.5, 1.0, 2.0):
        columns.append(np.interp(fraction * lags, positions, found.cross, right=0.0))
    octaves = np.log2(bpms / MIDDLE_BPM)
    onsets = np.log2(np.maximum(onset_rate_hz * 60.0 / bpms, 0.1))
    columns += [octaves, octaves**2, np.maximum(octaves - 0.5, 0.0), np.maximum(-0.5 - octaves, 0.0)]
    columns += [onsets, onsets**2]
    beats = duration_s * bpms / 60.0
    whole = np.maximum(np.rint(beats), 1.0)
    fit = np.exp(-0.5 * ((beats - whole) / LOOP_SLACK) ** 2) * (duration_s <= LOOP_S)
    usual = np.isin(whole, (4, 8, 16, 32, 64))
    triple = np.isin(whole, (12, 24, 48))
    four = (whole % 4 == 0) & ~usual & ~triple
    exact = 60.0 * whole / duration_s
    round_bpm = np.abs(exact - np.rint(exact)) < WHOLE_BPM
    columns += [fit * usual, fit * triple, fit * four, fit * ~(usual | triple | four)]
    columns += [fit * round_bpm]
    columns.append(np.interp(bpms, GRID, comb))
    return Candidates(bpms=bpms, evidence=np.stack(columns, axis=1), clarity=min(float(comb.max()), 1.0))


def _tempi(comb: Doubles, duration_s: float, refine) -> Doubles:
    inner = (comb[1:-1] >= comb[:-2]) & (comb[1:-1] > comb[2:]) & (comb[1:-1] > 0)
    peaks = np.flatnonzero(inner) + 1
    peaks = peaks[np.argsort(-comb[peaks])][:PEAKS]
    bpms = [refine(float(GRID[peak])) for peak in peaks]
    tempi = list(bpms)
    for bpm in bpms[:RELATED]:
        tempi += [bpm * ratio for ratio in RELATIVES]
    chosen: list[float] = []
    if duration_s <= LOOP_S:
        exact = [60.0 * beats / duration_s for beats in LOOP_BEATS]
        tempi = [
            next((loop for loop in exact if abs(bpm / loop - 1.0) < LOOP_TOLERANCE), bpm) for bpm in tempi
        ]
        tempi += exact
    for bpm in tempi:
        if LEAST_BPM <= bpm <= MOST_BPM and all(max(bpm / kept, kept / bpm) >= DISTANCE for kept in chosen):
            chosen.append(bpm)
    return np.array(chosen)
