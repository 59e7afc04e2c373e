"""How the tempo goes on: the smoothest strong path through the tempogram, and a time without it.

Where the tempo changes, the envelopes are resampled to a time in which it does not. Tempo, octave
and beats are then found there as in music that keeps its tempo.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.tempogram import WINDOW, WINDOW_HOP

LEAST_BPM: Final = 50.0  # two octaves: the path is only known up to the octave
MOST_BPM: Final = 210.0
STEP: Final = 1.015  # from one tempo of the grid to the next
COMB: Final = ((0.5, 0.3), (1.0, 1.0), (2.0, 0.6), (3.0, 0.3), (4.0, 0.3))  # multiple, weight
FARTHEST: Final = 4  # steps of the grid from one window to the next: 6 % in 1.1 s
STEP_COST: Final = 0.01  # for each step, squared; a comb is at most 1
JUMP_COST: Final = 0.5  # for any other change of tempo
LEAST_STRENGTH: Final = 0.12  # of the comb along a path; noise stays below 0.1
LEAST_GAIN: Final = 1.15  # by how much the path must beat one tempo throughout
LEAST_CHANGE: Final = 1.04  # between the path's 5th and 95th percentile

Path = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Warp:
    """A time that runs with the music: its frame i is the recording's frame `frames[i]`."""

    frames: Doubles

    def apply(self, envelopes: Floats) -> Floats:
        """The envelopes in that time."""
        positions = np.arange(envelopes.shape[1])
        warped = [np.interp(self.frames, positions, envelope) for envelope in envelopes]
        return np.stack(warped).astype(np.float32)

    def back(self, frames: Doubles) -> Doubles:
        """Frames of that time as frames of the recording."""
        return np.interp(frames, np.arange(self.frames.shape[0]), self.frames)


def changing_tempo(local: Floats, count: int) -> Warp | None:
    """The time in which the tempo stays the same; None when it does anyway.

    `local` is the tempogram, (windows, lags), of a recording of `count` frames.
    """
    bpms, scores = _comb_scores(local)
    steady = float(scores.mean(axis=0).max())
    path = _follow(scores)
    strength = float(scores[np.arange(path.shape[0]), path].mean())
    if strength < max(LEAST_STRENGTH, LEAST_GAIN * steady):
        return None
    # Up to the octave: a half-time verse, or the half of a tempo, is no change.
    octaves = np.unwrap(np.log2(_between_grid(scores, path, bpms)), period=1.0)
    slow, fast = np.percentile(octaves, (5, 95))
    if fast - slow < np.log2(LEAST_CHANGE):
        return None
    return _warp(octaves, count)


def _comb_scores(local: Floats) -> tuple[Doubles, Floats]:
    """The tempi of the grid, and (windows, tempi) how strongly each window repeats at them."""
    bpms = LEAST_BPM * STEP ** np.arange(int(np.log(MOST_BPM / LEAST_BPM) / np.log(STEP)) + 1)
    lags = local.shape[1]
    comb = np.zeros((lags, bpms.shape[0]), dtype=np.float32)
    columns = np.arange(bpms.shape[0])
    for multiple, weight in COMB:
        at = 60.0 * FRAME_RATE / bpms * multiple
        below = at.astype(np.int64)
        for place, share in ((below, 1.0 - (at - below)), (below + 1, at - below)):
            inside = place < lags
            comb[place[inside], columns[inside]] += weight * share[inside]
    total = np.float32(sum(weight for _, weight in COMB))
    return bpms, local @ comb / total


def _follow(scores: Floats) -> Path:
    """Viterbi: the tempo of each window, as a column of `scores`."""
    windows, tempi = scores.shape
    shifts = np.arange(-FARTHEST, FARTHEST + 1)
    source = np.clip(np.arange(tempi)[:, None] + shifts, 0, tempi - 1)
    costs = (STEP_COST * shifts**2).astype(np.float32)
    links = np.zeros((windows, tempi), dtype=np.int16)
    best = scores[0].copy()
    rows = np.arange(tempi)
    for window in range(1, windows):
        near = best[source] - costs
        choice = near.argmax(axis=1)
        value = near[rows, choice]
        top = int(best.argmax())
        far = best[top] - np.float32(JUMP_COST)
        links[window] = np.where(far > value, top, source[rows, choice])
        best = np.maximum(value, far) + scores[window]
        best -= best.max()  # or an hour's sum would lose its last digits
    path = np.zeros(windows, dtype=np.int64)
    path[-1] = best.argmax()
    for window in range(windows - 1, 0, -1):
        path[window - 1] = links[window, path[window]]
    return path


def _between_grid(scores: Floats, path: Path, bpms: Doubles) -> Doubles:
    """The tempi along the path, made finer by a parabola through the neighbouring scores."""
    inner = np.clip(path, 1, bpms.shape[0] - 2)
    rows = np.arange(path.shape[0])
    left, top, right = (scores[rows, inner + shift].astype(np.float64) for shift in (-1, 0, 1))
    curve = left - 2.0 * top + right
    shift = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, -1.0), 0.0)
    return bpms[path] * STEP ** np.clip(shift, -0.5, 0.5)


def _warp(octaves: Doubles, count: int) -> Warp:
    centres = WINDOW_HOP * np.arange(octaves.shape[0]) + 0.5 * WINDOW
    # A tempo that occurs, not one between the two of a step.
    usual = np.percentile(octaves, 50, method="nearest")
    speed = 2.0 ** (np.interp(np.arange(count), centres, octaves) - usual)
    passed = np.concatenate([[0.0], np.cumsum(speed[:-1])])
    return Warp(frames=np.interp(np.arange(int(passed[-1]) + 1), passed, np.arange(count)))
