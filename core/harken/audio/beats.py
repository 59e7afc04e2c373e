"""Beats: the path through the onset envelope that is both regular and strong.

Ellis (2007), "Beat tracking by dynamic programming", with librosa's constants.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats

TIGHTNESS: Final = 100.0  # cost of leaving the tempo
SHARPNESS: Final = 32.0  # a beat's own width is the period over this
# The envelope peaks when a sound has filled part of the window: 19 to 32 ms after its start on
# clicks, clicks in noise, and music.
LATENCY_S: Final = 0.025
REPORT_S: Final = 5.0


def track_beats(envelope: Floats, bpm: float, done: Callable[[float], None]) -> Doubles:
    """Beat times in seconds at about `bpm`, given the onset envelope; empty when it is flat.

    `done` hears how many seconds of the envelope have been tracked.
    """
    spread = float(envelope.std(ddof=1)) if envelope.shape[0] > 1 else 0.0
    if spread == 0.0:
        return np.zeros(0)
    period = 60.0 * FRAME_RATE / bpm
    half = round(period)
    offsets = np.arange(-half, half + 1)
    pulse = np.exp(-0.5 * (offsets * SHARPNESS / period) ** 2)
    local = np.convolve(envelope.astype(np.float64) / spread, pulse, mode="same")
    if local.shape[0] > envelope.shape[0]:  # "same" follows the longer of the two
        cut = (local.shape[0] - envelope.shape[0]) // 2
        local = local[cut : cut + envelope.shape[0]]
    scores, links = _best_paths(local, period, done)
    frames = _trace(scores, links)
    return np.maximum(_trimmed(frames, local) / FRAME_RATE - LATENCY_S, 0.0)


def _best_paths(
    local: Doubles, period: float, done: Callable[[float], None]
) -> tuple[Doubles, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The best score of a path that ends on each frame, and the beat before it (-1 for none)."""
    nearest, farthest = max(round(period / 2), 1), max(round(period * 2), 2)
    lags = np.arange(nearest, farthest + 1)
    costs = TIGHTNESS * np.log(lags / period) ** 2
    count = local.shape[0]
    # Scores are kept behind `farthest` frames of nothing, so that no index falls off the start.
    padded = np.full(farthest + count, -np.inf)
    links = np.full(count, -1, dtype=np.int64)
    quiet = 0.01 * float(local.max())
    begun = False
    reported = 0.0
    for start in range(0, count, nearest):
        # No beat can follow another within `nearest` frames, so those are decided together.
        frames = np.arange(start, min(start + nearest, count))
        before = padded[farthest + frames[:, None] - lags[None, :]] - costs
        best = before.argmax(axis=1)
        gain = before[np.arange(frames.shape[0]), best]
        linked = np.isfinite(gain)
        padded[farthest + frames] = local[frames] + np.where(linked, gain, 0.0)
        if not begun:
            # Before the first sound a path need not be regular.
            loud = np.logical_or.accumulate(local[frames] >= quiet)
            linked &= loud
            begun = bool(loud[-1])
        links[frames[linked]] = frames[linked] - lags[best[linked]]
        if frames[-1] / FRAME_RATE - reported >= REPORT_S:
            reported = float(frames[-1] / FRAME_RATE)
            done(reported)
    return padded[farthest:], links


def _trace(
    scores: Doubles, links: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
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


def _trimmed(frames: np.ndarray[tuple[int], np.dtype[np.int64]], local: Doubles) -> Doubles:
    """Without weak beats before the music and after it, to a fraction of a frame."""
    if frames.shape[0] == 0:
        return np.zeros(0)
    strength = np.convolve(local[frames], np.hanning(5), mode="same")[: frames.shape[0]]
    strong = np.flatnonzero(strength > 0.5 * np.sqrt(np.mean(strength**2)))
    kept = frames[strong[0] : strong[-1] + 1] if strong.shape[0] else frames[:0]
    inner = np.clip(kept, 1, local.shape[0] - 2)
    left, top, right = local[inner - 1], local[inner], local[inner + 1]
    curve = left - 2 * top + right
    shift = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, -1.0), 0.0)
    return kept.astype(np.float64) + np.clip(shift, -0.5, 0.5)
