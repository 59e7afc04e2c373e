"""True progress: how many seconds of audio a stage has done, as a share of the whole job."""

from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Final

ProgressCallback = Callable[[str, float, str], None]

# What each stage costs beside the others, measured; only the ratios matter.
STAGES: Final[Mapping[str, float]] = {
    "decode": 92.0,  # decoding with everything that listens to samples and spectra
    "timbre": 2.0,  # everything that needs the mel spectrum below its final peak
    "rhythm": 3.0,  # tempo and beats
    "summary": 3.0,  # onsets, key, loudness gates: sums over what was gathered
}


def _ignore(stage: str, fraction: float, message: str) -> None:
    """Nobody is watching."""


class Progress:
    """Turns seconds done within a stage into a fraction of the whole job that never falls.

    Whatever the callback raises passes through: that is how a caller cancels.
    """

    def __init__(self, callback: ProgressCallback | None, stages: tuple[str, ...]) -> None:
        self._callback = callback or _ignore
        weights = [STAGES[stage] for stage in stages]
        before = accumulate(weights, initial=0.0)
        # Where each stage begins, and how much it is of the whole.
        self._places = dict(zip(stages, zip(before, weights, strict=False), strict=True))
        self._total_weight = sum(weights)
        self._fraction = 0.0

    def seconds(self, stage: str, done_s: float, total_s: float | None, share: float) -> None:
        """Report `done_s` seconds of audio done in `stage`, which is `share` (0 to 1) of it."""
        message = f"{done_s:.0f} of {total_s:.0f} s" if total_s else f"{done_s:.0f} s"
        before, weight = self._places[stage]
        here = before + weight * min(max(share, 0.0), 1.0)
        self._fraction = max(self._fraction, min(here / self._total_weight, 1.0))
        self._callback(stage, self._fraction, message)
