"""Tempo of the whole recording, with the probability that it is right.

1. Where the tempo changes, time is bent until it does not (tempo_path.py).
2. How the onsets, and those of four parts of the spectrum, repeat (tempogram.py).
3. The tempi it may be counted in, and what speaks for each (tempo_evidence.py).
4. A choice among them, none included, that knows how often it is right (tempo_model.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.tempo_evidence import LOOP_S, Candidates, Sound, candidates, loop_fit
from harken.audio.tempo_model import probabilities
from harken.audio.tempo_path import Warp, changing_tempo
from harken.audio.tempogram import long_autocorrelation, repetition

LEAST_S: Final = 2.0  # shorter recordings have no tempo
LEAST_RISE_DB: Final = 0.5  # smaller rises are partials beating within a held sound
LOUD_PERCENTILE: Final = 99  # even 40 beats a minute take 1.5 % of the frames
LEAST_CLARITY: Final = 0.08  # of the comb
# Clarity that chance reaches in a second, measured on noise of all colours; it falls with the
# length's root.
CHANCE: Final = 0.5
# Less does for what is uneven, as no hiss is, and has a tempo that is rather likely.
UNEVEN: Final = 0.5  # standard deviation over mean of the onset strength; of noise under 0.35
LIKELY: Final = 0.4
LESS_CHANCE: Final = 0.6
LEAST_CHANGING: Final = 768  # frames, 18 s: in a shorter recording the tempo does not change
CLEAR_ONSET: Final = 0.5  # standard deviations above the mean
MOST_REFINEMENT: Final = 0.03  # beyond that it would be another tempo
LEAST_MULTIPLE: Final = 0.5  # of the first peak: lower ones belong to music that drifts
CANDIDATES: Final = 5
SAME: Final = 0.04  # tempi so near are one, as tempo is judged
LEAST_PROBABILITY: Final = 0.001  # of a candidate worth naming


@dataclass(frozen=True, kw_only=True)
class Tempo:
    """A tempo and the probability that it is the one the music is counted in."""

    bpm: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Tempi:
    """What was found: the likeliest tempo first, none without a pulse."""

    tempi: tuple[Tempo, ...]
    envelopes: Floats  # (5, frames), smoothed, in a time of constant tempo
    warp: Warp | None  # how that time goes; None where it is the recording's own
    loop: float  # 1 where the length is a usual number of beats, 0 where not


def estimate_tempo(envelopes: Floats, duration_s: float, done: Callable[[float], None]) -> Tempi:
    """Of `envelopes`, (5, frames): the onset strength, then the parts of the spectrum from below.

    They are smoothed in place. `done` hears now and then how many seconds have been looked at.
    """
    nothing = Tempi(tempi=(), envelopes=envelopes, warp=None, loop=0.0)
    loud_db = np.percentile(envelopes[0], LOUD_PERCENTILE) if envelopes.shape[1] else 0.0
    if duration_s < LEAST_S or loud_db < LEAST_RISE_DB:
        return nothing
    smoothed, warp, found = weigh(envelopes, duration_s, done)
    chances = probabilities(found.evidence, found.clarity, duration_s)
    if not has_pulse(smoothed[0], found.clarity, chances, duration_s):
        return nothing
    done(duration_s)
    tempi = distinct(found.bpms, chances)
    loop = 0.0
    if duration_s <= LOOP_S and warp is None:
        loop = float(loop_fit(np.array([tempi[0].bpm]), duration_s)[0][0])
    return Tempi(tempi=tempi, envelopes=smoothed, warp=warp, loop=loop)


def has_pulse(strength: Floats, clarity: float, chances: Doubles, duration_s: float) -> bool:
    """Whether it repeats more clearly than chance."""
    by_chance = CHANCE / duration_s**0.5
    uneven = float(strength.std()) > UNEVEN * float(strength.mean())
    if uneven and chances.shape[0] and float(chances.max()) >= LIKELY:
        by_chance *= LESS_CHANCE
    return chances.shape[0] > 0 and clarity >= max(LEAST_CLARITY, by_chance)


def weigh(
    envelopes: Floats, duration_s: float, done: Callable[[float], None]
) -> tuple[Floats, Warp | None, Candidates]:
    """The envelopes smoothed and in a time of constant tempo, that time, and the candidates.

    `envelopes` are smoothed in place.
    """
    done(0.0)
    smooth(envelopes)
    smoothed = envelopes
    count = smoothed.shape[1]
    done(0.0)
    warp = None
    if count > LEAST_CHANGING:
        warp = changing_tempo(smoothed, lambda seconds: done(0.3 * seconds))
    if warp is not None:
        smoothed = warp.apply(smoothed, lambda seconds: done(0.3 * duration_s + 0.1 * seconds))
    found = repetition(smoothed, lambda seconds: done(0.4 * duration_s + 0.3 * seconds))
    whole = long_autocorrelation(
        smoothed[0], lambda seconds: done(min(0.7 * duration_s + 0.3 * seconds, duration_s))
    )
    done(duration_s)
    sound = Sound(
        shares=_shares(smoothed),
        onsets_hz=_clear_onsets(smoothed[0]) / duration_s,
        loop_s=duration_s if duration_s <= LOOP_S and warp is None else None,
    )
    return (
        smoothed,
        warp,
        candidates(
            found,
            sound,
            lambda bpm: 60.0 * FRAME_RATE / refine_lag(whole, 60.0 * FRAME_RATE / bpm),
        ),
    )


def smooth(envelopes: Floats) -> None:
    """In place, over three frames weighted 1 2 1: what begins between two frames is one sound."""
    for envelope in envelopes:
        before = 0.25 * envelope
        envelope *= 0.5
        envelope[1:] += before[:-1]
        envelope[:-1] += before[1:]


def _shares(envelopes: Floats) -> Doubles:
    spread = envelopes[1:].std(axis=1, dtype=np.float64)
    return np.concatenate([[1.0], spread / max(float(spread.sum()), 1e-30)])


def _clear_onsets(envelope: Floats) -> int:
    middle = envelope[1:-1]
    peaks = (middle >= envelope[:-2]) & (middle > envelope[2:])
    return int(np.sum(peaks & (middle > envelope.mean() + CLEAR_ONSET * envelope.std())))


def distinct(bpms: Doubles, chances: Doubles) -> tuple[Tempo, ...]:
    """The likeliest first; those within 4 % of it are the same, and share its chance."""
    tempi: list[Tempo] = []
    left = np.ones(bpms.shape[0], dtype=np.bool_)
    for at in np.argsort(-chances, kind="stable").tolist():
        if not left[at] or len(tempi) == CANDIDATES:
            continue
        same = left & (np.abs(bpms / bpms[at] - 1.0) <= SAME)
        left &= ~same
        tempi.append(Tempo(bpm=float(bpms[at]), confidence=float(chances[same].sum())))
    tempi.sort(key=lambda tempo: -tempo.confidence)
    return tuple(
        tempo
        for number, tempo in enumerate(tempi)
        if number == 0 or tempo.confidence >= LEAST_PROBABILITY
    )


def refine_lag(correlation: Doubles, lag: float) -> float:
    """`lag` in frames, made precise on ever higher multiples while they still stand out."""
    multiple, least, coarse = 1, 0.0, lag
    while (at := round(lag * multiple)) + 2 < correlation.shape[0]:
        # Half a frame off at one multiple is a whole frame at the next.
        peak = at - 1 + int(np.argmax(correlation[at - 1 : at + 2]))
        left, top, right = correlation[peak - 1 : peak + 2].tolist()
        curve = left - 2 * top + right
        if top < max(left, right, least) or curve >= 0:
            break
        finer = (peak + 0.5 * (left - right) / curve) / multiple
        if abs(finer / coarse - 1.0) > MOST_REFINEMENT:
            break
        lag = finer
        least = least or LEAST_MULTIPLE * top
        multiple *= 2
    return lag
