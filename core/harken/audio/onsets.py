"""Where sounds begin: the peaks of the onset envelope.

Böck, Krebs, Schedl (2012), "Evaluating the online capabilities of onset detection methods": a
frame is an onset when it is the largest around, stands above the mean around it, and follows
no other at once. The widths are librosa's (`librosa.onset.onset_detect`).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.result import MAX_TIMES, Onsets

PRE_MAX: Final = int(0.03 * FRAME_RATE)  # frames before that must not be larger
POST_MAX: Final = int(0.0 * FRAME_RATE + 1)  # frames from this one on that must not be larger
PRE_MEAN: Final = int(0.10 * FRAME_RATE)  # frames before that are averaged
POST_MEAN: Final = int(0.10 * FRAME_RATE + 1)  # and from this one on
WAIT: Final = int(0.03 * FRAME_RATE)  # frames after an onset that hold no other
DELTA: Final = 0.07  # how far above the mean, in units of the recording's largest
# A rise of a thousandth of a decibel is the resampler's noise, not a sound.
LEAST_RISE_DB: Final = 0.05


class OnsetTimes(Analysis):
    """Picks the peaks once the whole envelope is there."""

    hears = Hears.ENVELOPE

    def finish(self) -> Onsets:
        """The group."""
        frames = pick_onsets(self.track.envelope)
        times = frames / FRAME_RATE
        times = times[times < self.track.duration_s]
        count = times.shape[0]
        return Onsets(
            onsets_s=tuple(times[:MAX_TIMES].tolist()),
            onset_count=count,
            rate_hz=count / self.track.duration_s,
        )


def pick_onsets(envelope: Floats) -> NDArray[np.intp]:
    """The frames of `envelope` where sounds begin, in order."""
    if envelope.shape[0] == 0 or envelope.max() < LEAST_RISE_DB:
        return np.zeros(0, dtype=np.intp)
    strength = envelope.astype(np.float64) - envelope.min()
    strength /= strength.max()
    highest = _windowed_max(strength)
    candidates = (strength >= highest) & (strength >= _windowed_mean(strength) + DELTA)
    chosen: list[int] = []
    for frame in np.flatnonzero(candidates).tolist():
        if not chosen or frame - chosen[-1] > WAIT:
            chosen.append(frame)
    return np.array(chosen, dtype=np.intp)


def _windowed_max(strength: Doubles) -> Doubles:
    padded = np.pad(strength, (PRE_MAX, POST_MAX - 1), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, PRE_MAX + POST_MAX).max(axis=1)


def _windowed_mean(strength: Doubles) -> Doubles:
    sums = np.concatenate([[0.0], np.cumsum(strength)])
    frames = np.arange(strength.shape[0])
    first = np.maximum(frames - PRE_MEAN, 0)
    end = np.minimum(frames + POST_MEAN, strength.shape[0])
    return (sums[end] - sums[first]) / (end - first)
