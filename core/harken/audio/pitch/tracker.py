"""The pitch of a recording as a whole: the path through its frames, gathered in memory that does not grow."""

from math import log2
from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Floats
from harken.audio.pitch.candidates import FRAME, HIGHEST_HZ, HOP, LOWEST_HZ, find_candidates
from harken.audio.pitch.path import PitchPath
from harken.audio.result import Pitch

# Frames a cent above 40 Hz; a little room for what interpolation puts past the range.
_CENTS: Final = int(1200 * log2(HIGHEST_HZ / LOWEST_HZ)) + 200
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95  # the shares of the voiced frames that lie below
_A4_HZ: Final = 440.0
_A4_MIDI: Final = 69
# Of fewer no median says much: 35 ms.
LEAST_VOICED: Final = 3


class PitchTracker(Analysis):
    """Follows one voice or instrument; of several together it finds one, or none."""

    hears = Hears.MONO

    def __init__(self) -> None:
        self._signal = np.zeros(0, dtype=np.float32)
        self._path = PitchPath()
        self._histogram = np.zeros(_CENTS, dtype=np.int64)
        self._frames = 0
        self._voiced = 0
        self._chances = 0.0

    def on_mono(self, samples: Floats) -> None:
        """Take in the next samples."""
        self._signal = np.concatenate((self._signal, samples))
        frames = max((self._signal.shape[0] - FRAME) // HOP + 1, 0)
        if frames:
            self._look(frames)
            self._signal = self._signal[frames * HOP :]

    def finish(self) -> Pitch:
        """The group."""
        if self._frames == 0 and self._signal.shape[0]:
            self._signal = np.pad(self._signal, (0, FRAME - self._signal.shape[0]))
            self._look(1)
        self._gather(*self._path.finish())
        share = self._voiced / self._frames if self._frames else None
        if self._voiced < LEAST_VOICED:
            return Pitch(voiced_share=share)
        median = self._at(MIDDLE)
        midi = _A4_MIDI + 12.0 * log2(median / _A4_HZ)
        return Pitch(
            f0_hz_median=median,
            f0_hz_low=self._at(LOW),
            f0_hz_high=self._at(HIGH),
            midi_note=round(midi),
            cents=100.0 * (midi - round(midi)),
            voiced_share=share,
            confidence=min(self._chances / self._voiced, 1.0),
        )

    def _look(self, frames: int) -> None:
        for pitches, chances in self._path.push(*find_candidates(self._signal, frames)):
            self._gather(pitches, chances)

    def _gather(self, pitches: Floats, chances: Floats) -> None:
        voiced = ~np.isnan(pitches)
        self._frames += pitches.shape[0]
        self._voiced += int(np.count_nonzero(voiced))
        self._chances += float(chances[voiced].sum(dtype=np.float64))
        cents = np.clip(np.rint(pitches[voiced]), 0, _CENTS - 1).astype(np.int64)
        self._histogram += np.bincount(cents, minlength=_CENTS)

    def _at(self, share: float) -> float:
        """The frequency below which that share of the voiced frames lies, to a cent."""
        place = int(np.searchsorted(np.cumsum(self._histogram), share * self._voiced))
        return float(LOWEST_HZ * 2.0 ** (place / 1200.0))
