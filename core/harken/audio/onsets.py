"""Where sounds begin: the peaks of the onset envelope.

Böck, Krebs, Schedl (2012), "Evaluating the online capabilities of onset detection methods": a
frame is an onset when it is the largest around, stands above the mean around it, and follows
no other at once. The widths are librosa's (`librosa.onset.onset_detect`).
"""

from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import FRAME_RATE, Floats, Integers
from harken.audio.kernel import kernel
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


def pick_onsets(envelope: Floats) -> Integers:
    """The frames of `envelope` where sounds begin, in order."""
    if envelope.shape[0] == 0 or envelope.max() < LEAST_RISE_DB:
        return np.zeros(0, dtype=np.int32)
    onsets = np.empty(envelope.shape[0] // (WAIT + 1) + 1, dtype=np.int32)
    return onsets[: _pick(envelope, float(envelope.min()), float(envelope.max()), onsets)]


@kernel
def _pick(envelope: Floats, least: float, most: float, onsets: Integers) -> int:
    """Write the onsets' frames into `onsets` and return their number."""
    count = 0
    total = envelope.shape[0]
    span = most - least
    for frame in range(total):
        strength = envelope[frame]
        if strength < envelope[max(frame - PRE_MAX, 0) : frame + POST_MAX].max():
            continue
        around = envelope[max(frame - PRE_MEAN, 0) : frame + POST_MEAN]
        mean = 0.0
        for value in around:
            mean += (value - least) / span
        if (strength - least) / span < mean / around.shape[0] + DELTA:
            continue
        if count == 0 or frame - onsets[count - 1] > WAIT:
            onsets[count] = frame
            count += 1
    return count
