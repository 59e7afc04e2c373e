"""Beats: the path through the onsets that is both regular and strong.

Ellis (2007), "Beat tracking by dynamic programming", over the onset strength and the loudness of
what begins, low sounds above all: kick and bass mark the beat more often than what lies between.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from harken.audio.beat_phase import near, phase_of_beats, shifted
from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.kernel import kernel

TIGHTNESS: Final = 150.0  # cost of leaving the tempo, times the square of the ratio's logarithm
NEAREST: Final = 0.6  # periods from a beat to the next, at least
FARTHEST: Final = 1.6  # and at most
# What a part counts: onset strength, then the spectrum's parts from below.
WEIGHTS: Final = (1.0, 1.0, 0.5, 0.5, 0.25)
SHARPNESS: Final = 32.0  # a beat's own width is the period over this
# The envelope peaks when a sound has filled part of the window: 19 to 32 ms after its start on
# clicks, clicks in noise, and music.
LATENCY_S: Final = 0.025
ELSEWHERE: Final = 0.2  # of a beat: what begins so far from the phase that was chosen
FAINT: Final = 0.05  # counts so little beside what begins on it
LIKELY_LOOP: Final = 0.5
EARLY: Final = 0.15  # of a beat by which the first may seem to lie before the loop
LATE: Final = 0.5  # of a beat that has to be left after the last
PIECE: Final = 65_536  # frames between two reports, under 10 ms of work
QUIET: Final = 0.01  # of the strongest onset: before the first louder one there is no beat
WEAK: Final = 0.5  # of the beats' root mean square: weaker ones at the ends are left out

Indices = np.ndarray[tuple[int], np.dtype[np.int64]]


def track_beats(
    envelopes: Floats,
    bpm: float,
    *,
    loop: float,
    done: Callable[[float], None],
) -> Doubles:
    """Frames, with fractions, on which the beats fall at about `bpm`; empty when nothing begins.

    `envelopes` are those of `estimate_tempo`, (5, frames); `loop` is 1 where the recording seems to
    be a loop, 0 where not. `done` hears how many seconds have been tracked.
    """
    strength = beat_strength(envelopes, bpm)
    done(0.0)
    pulses = track_pulses(strength, bpm, done)
    phase = phase_of_beats(envelopes, pulses, loop=loop)
    if phase > 0.0:
        width = ELSEWHERE * 60.0 * FRAME_RATE / bpm
        between = near(shifted(pulses, phase), strength.shape[0], width)
        pulses = track_pulses((strength * (between + FAINT)).astype(np.float32), bpm, done)
    return pulses if loop < LIKELY_LOOP else to_both_ends(pulses, strength.shape[0])


def to_both_ends(beats: Doubles, count: int) -> Doubles:
    """`beats` and those that a loop of `count` frames has before and after them.

    The first sound of a loop begins with its first sample, where the envelope shows no rise.
    """
    if beats.shape[0] < 2:
        return beats
    period = float(np.median(np.diff(beats)))
    before = int((beats[0] - LATENCY_S * FRAME_RATE) / period + EARLY)
    after = int((count - beats[-1]) / period - LATE)
    head = beats[0] - period * np.arange(before, 0, -1)
    tail = beats[-1] + period * np.arange(1, after + 1)
    return np.concatenate([head, beats, tail])


def track_pulses(strength: Floats, bpm: float, done: Callable[[float], None]) -> Doubles:
    """The regular path through `strength` alone, which may run between the beats."""
    if strength.shape[0] < 3 or not strength.any():
        return np.zeros(0)
    period = 60.0 * FRAME_RATE / bpm
    nearest = max(1, round(NEAREST * period))
    lags = np.arange(nearest, max(nearest + 1, round(FARTHEST * period)) + 1)
    costs = (TIGHTNESS * np.log(lags / period) ** 2).astype(np.float32)
    scores = np.zeros(strength.shape[0])
    links = np.full(strength.shape[0], -1, dtype=np.int32)
    begin = int(np.argmax(strength >= QUIET * strength.max()))
    done(0.0)
    for first in range(begin, strength.shape[0], PIECE):
        last = min(first + PIECE, strength.shape[0])
        extend_paths(strength, costs, nearest, begin, first, last, scores, links)
        done(last / FRAME_RATE)
    return _between_frames(_trimmed(_trace(scores, links), strength), strength)


def beat_strength(envelopes: Floats, bpm: float) -> Floats:
    """One envelope, (frames,), in which a beat is as wide as it may be off at this tempo."""
    spread = envelopes.std(axis=1, dtype=np.float64)
    weights = np.where(spread > 0, np.array(WEIGHTS) / np.where(spread > 0, spread, 1.0), 0.0)
    total = weights.astype(np.float32) @ envelopes
    period = 60.0 * FRAME_RATE / bpm
    half = min(int(np.ceil(3.0 * period / SHARPNESS)), (total.shape[0] - 1) // 2)
    width = np.exp(-0.5 * (np.arange(-half, half + 1) * SHARPNESS / period) ** 2)
    wide = np.convolve(total, width.astype(np.float32), mode="same")
    return (wide / sum(WEIGHTS)).astype(np.float32)


@kernel
def extend_paths(
    strength: Floats,
    costs: Floats,
    nearest: int,
    begin: int,
    first: int,
    last: int,
    scores: Doubles,
    links: np.ndarray[tuple[int], np.dtype[np.int32]],
) -> None:
    """The best score of a path that ends on each frame from `first` to `last`, and its last step.

    Paths start at `begin`; scores and links before `first` are known.
    """
    for frame in range(first, last):
        newest = frame - nearest
        best = 0.0
        link = -1
        for step in range(min(costs.shape[0], newest - begin + 1)):
            score = scores[newest - step] - costs[step]
            if score > best:
                best = score
                link = newest - step
        scores[frame] = strength[frame] + best
        links[frame] = link


def _trace(scores: Doubles, links: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Indices:
    """The beats, back from the last good end of a path."""
    inner = (scores[1:-1] >= scores[:-2]) & (scores[1:-1] > scores[2:])
    peaks = np.flatnonzero(inner) + 1
    if peaks.shape[0] == 0:
        return np.zeros(0, dtype=np.int64)
    good = peaks[scores[peaks] * 2 > np.median(scores[peaks])]
    path = [int(good[-1]) if good.shape[0] else int(peaks[-1])]
    while (before := int(links[path[-1]])) >= 0:
        path.append(before)
    return np.array(path[::-1], dtype=np.int64)


def _trimmed(frames: Indices, strength: Floats) -> Indices:
    """Without weak beats before the music and after it."""
    if frames.shape[0] == 0:
        return frames
    around = np.convolve(strength[frames], np.hanning(5), mode="same")[: frames.shape[0]]
    strong = np.flatnonzero(around > WEAK * np.sqrt(np.mean(around**2)))
    return frames[strong[0] : strong[-1] + 1] if strong.shape[0] else frames[:0]


def _between_frames(frames: Indices, strength: Floats) -> Doubles:
    """Each on the top of a parabola through its neighbours."""
    inner = np.clip(frames, 1, strength.shape[0] - 2)
    left, top, right = (strength[inner + shift].astype(np.float64) for shift in (-1, 0, 1))
    curve = left - 2 * top + right
    shift = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, -1.0), 0.0)
    return frames.astype(np.float64) + np.clip(shift, -0.5, 0.5)
