"""How the tempo goes on: the smoothest strong path through the tempogram, and a time without it.

Where the tempo changes, the envelopes are resampled to a time in which it does not. Tempo, octave
and beats are then found there as in music that keeps its tempo.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.kernel import kernel
from harken.audio.tempogram import NOTHING, WINDOWS_AT_ONCE, fast_length

WINDOW: Final = 256  # frames of a local autocorrelation, 6 s, in which even a ramp changes little
WINDOW_HOP: Final = 48
LEAST_BPM: Final = 50.0  # two octaves: the path is only known up to the octave
MOST_BPM: Final = 210.0
STEP: Final = 1.015  # from one tempo of the grid to the next
TEMPI: Final = int(np.log(MOST_BPM / LEAST_BPM) / np.log(STEP)) + 1  # 97
COMB: Final = ((0.5, 0.3), (1.0, 1.0), (2.0, 0.6), (3.0, 0.3), (4.0, 0.3))  # multiple, weight
FARTHEST: Final = 4  # steps of the grid from one window to the next: 6 % in 1.1 s
STEP_COST: Final = 0.01  # for each step, squared; a comb is at most 1
JUMP_COST: Final = 0.5  # for any other change of tempo
LEAST_STRENGTH: Final = 0.15  # of the comb along a path; noise stays below 0.14
LEAST_GAIN: Final = 1.15  # by how much the path must beat one tempo throughout
REPORT_WINDOWS: Final = 4096  # followed between two reports, 10 ms of work
PIECE: Final = 65_536  # frames resampled between two reports, 10 ms of work
LEAST_CHANGE: Final = 1.04  # between the path's 5th and 95th percentile

Path = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Warp:
    """A time that runs with the music: its frame i is the recording's frame `frames[i]`."""

    frames: Doubles

    def apply(self, envelopes: Floats, done: Callable[[float], None]) -> Floats:
        """The envelopes in that time; `done` hears how many seconds have been resampled."""
        warped = np.empty((envelopes.shape[0], self.frames.shape[0]), dtype=np.float32)
        for first in range(0, self.frames.shape[0], PIECE):
            at = self.frames[first : first + PIECE]
            low, high = int(at[0]), int(at[-1]) + 2
            positions = np.arange(low, min(high, envelopes.shape[1]))
            for row, envelope in zip(warped, envelopes, strict=True):
                row[first : first + PIECE] = np.interp(at, positions, envelope[low:high])
            done(high / FRAME_RATE)
        return warped

    def back(self, frames: Doubles) -> Doubles:
        """Frames of that time as frames of the recording."""
        return np.interp(frames, np.arange(self.frames.shape[0]), self.frames)


def changing_tempo(envelopes: Floats, done: Callable[[float], None]) -> Warp | None:
    """The time in which the tempo stays the same; None when it does anyway.

    `envelopes`, (5, frames), are at least a window long. `done` hears now and then how many seconds
    have been followed.
    """
    count = envelopes.shape[1]
    scores = _tempo_scores(envelopes, lambda seconds: done(0.5 * seconds))
    steady = float(scores.mean(axis=0).max())
    path = _follow(scores, lambda seconds: done(0.5 * (count / FRAME_RATE + seconds)))
    strength = float(scores[np.arange(path.shape[0]), path].mean())
    if strength < max(LEAST_STRENGTH, LEAST_GAIN * steady):
        return None
    octaves = _without_octaves(_octaves(scores, path))
    slow, fast = np.percentile(octaves, (5, 95))
    if fast - slow < np.log2(LEAST_CHANGE):
        return None
    done(count / FRAME_RATE)
    return _warp(octaves, count)


def _tempo_scores(envelopes: Floats, done: Callable[[float], None]) -> Floats:
    """How strongly each window repeats at each tempo of the grid, (windows, tempi)."""
    # Decibels and loudness count the same.
    both = np.stack([envelopes[0], envelopes[1:].sum(axis=0)])
    windows = np.lib.stride_tricks.sliding_window_view(both, WINDOW, axis=1)[:, ::WINDOW_HOP]
    transform = fast_length(2 * WINDOW)
    lags = 2 * WINDOW // 3
    overlap = 1.0 - np.arange(lags, dtype=np.float32) / np.float32(WINDOW)
    comb = _comb(lags)
    scores: list[Floats] = []
    for first in range(0, windows.shape[1], WINDOWS_AT_ONCE):
        part = windows[:, first : first + WINDOWS_AT_ONCE]
        part = part - part.mean(axis=2, keepdims=True)
        spectra = np.fft.rfft(part, transform, axis=2)
        energy = (part * part).sum(axis=2, keepdims=True)
        power = ((spectra.real**2 + spectra.imag**2) / np.maximum(energy, NOTHING)).mean(axis=0)
        correlation = np.fft.irfft(power, transform, axis=1)[:, :lags] / overlap
        scores.append((correlation @ comb).astype(np.float32, copy=False))
        done((first + part.shape[1]) * WINDOW_HOP / FRAME_RATE)
    return np.concatenate(scores)


@cache
def _comb(lags: int) -> Floats:
    """How much each lag counts for each tempo of the grid, (lags, tempi)."""
    comb = np.zeros((lags, TEMPI), dtype=np.float32)
    columns = np.arange(TEMPI)
    bpms = LEAST_BPM * STEP ** np.arange(TEMPI)
    for multiple, weight in COMB:
        at = 60.0 * FRAME_RATE / bpms * multiple
        below = at.astype(np.int64)
        for place, share in ((below, 1.0 - (at - below)), (below + 1, at - below)):
            inside = place < lags
            comb[place[inside], columns[inside]] += weight * share[inside]
    return comb / np.float32(sum(weight for _, weight in COMB))


def _follow(scores: Floats, done: Callable[[float], None]) -> Path:
    """Viterbi: the tempo of each window, as a column of `scores`."""
    windows, tempi = scores.shape
    links = np.zeros((windows, tempi), dtype=np.int8)
    best = scores[0].copy()
    for first in range(1, windows, REPORT_WINDOWS):
        last = min(first + REPORT_WINDOWS, windows)
        _extend(scores, first, last, best, links)
        done(last * WINDOW_HOP / FRAME_RATE)
    path = np.zeros(windows, dtype=np.int64)
    path[-1] = best.argmax()
    for window in range(windows - 1, 0, -1):
        path[window - 1] = links[window, path[window]]
    return path


@kernel
def _extend(scores: Floats, first: int, last: int, best: Floats, links: NDArray[np.int8]) -> None:
    """Bring `best`, the score of the best path to each tempo, from one window on to another."""
    tempi = scores.shape[1]
    before = np.empty_like(best)
    for window in range(first, last):
        before[:] = best
        top = np.argmax(before)
        for tempo in range(tempi):
            value, source = before[top] - np.float32(JUMP_COST), top
            for shift in range(-FARTHEST, FARTHEST + 1):
                near = min(max(tempo + shift, 0), tempi - 1)
                score = before[near] - np.float32(STEP_COST * shift * shift)
                if score >= value:
                    value, source = score, near
            best[tempo] = value + scores[window, tempo]
            links[window, tempo] = source
        best -= best.max()  # or an hour's sum would lose its last digits


def _octaves(scores: Floats, path: Path) -> Doubles:
    """The tempi along the path, in octaves, finer than the grid by a parabola through the scores."""
    inner = np.clip(path, 1, scores.shape[1] - 2)
    rows = np.arange(path.shape[0])
    left, top, right = (scores[rows, inner + shift].astype(np.float64) for shift in (-1, 0, 1))
    curve = left - 2.0 * top + right
    shift = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, -1.0), 0.0)
    return np.log2(STEP) * (path + np.clip(shift, -0.5, 0.5))


def _without_octaves(octaves: Doubles) -> Doubles:
    """0 for a tempo that occurs in the middle, and no leap by an octave beside it.

    A half-time verse, or the half of a tempo, is no change of tempo.
    """
    steps = np.unwrap(octaves, period=1.0)
    # A tempo that occurs, not one between the two of a step.
    steps -= np.percentile(steps, 50, method="nearest")
    if float(np.ptp(steps)) > 1.0:  # up and up again, as no music goes
        steps = (steps + 0.5) % 1.0 - 0.5
    return steps


def _warp(octaves: Doubles, count: int) -> Warp:
    centres = WINDOW_HOP * np.arange(octaves.shape[0]) + 0.5 * WINDOW
    speed = 2.0 ** np.interp(np.arange(count), centres, octaves)
    passed = np.concatenate([[0.0], np.cumsum(speed[:-1])])
    return Warp(frames=np.interp(np.arange(int(passed[-1]) + 1), passed, np.arange(count)))
