"""Which pitches and chords sound, summed over a recording at whatever tuning it has."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.chords import TRIADS, triad_shares
from harken.audio.spectral_peaks import STEPS, add_lasting_peaks, no_marks

SEGMENT: Final = 32  # frames, 0.74 s: about as long as a chord sounds
TOGETHER: Final = 64  # segments whose chords are looked for at once
ENDING: Final = 3  # segments: 2.2 s, the last chord
CLASSES: Final = 12
TENTHS: Final = STEPS // CLASSES  # of a semitone
_STEPS: Final = np.arange(STEPS, dtype=np.float64)
_ROUND: Final = np.exp(2j * np.pi * _STEPS / TENTHS)  # once around for every semitone


@dataclass(frozen=True, kw_only=True)
class Pitches:
    """What the lasting peaks of a recording add up to."""

    classes: Doubles  # (12,), C first, at the recording's own tuning
    triads: Doubles  # (24,) share of the time, C major first, then C minor
    ending: Doubles  # the same of the last ENDING segments that have a pitch
    tuning_cents: float  # of the peaks, from the semitones of A4 = 440 Hz, -50 to 50
    steadiness: float  # how far all peaks lie on one grid of semitones: 1 on it, 0 anywhere
    pitchedness: float  # how much of the sound's strength goes with a lasting peak, 0 to 1
    seconds: float  # in which lasting peaks are heard


class PitchHistogram:
    """Sums the lasting peaks of all frames by pitch class, and the triads of all segments.

    The tuning is known only at the end, so that the triads are summed for each tenth of a
    semitone. Nothing here grows with the recording.
    """

    def __init__(self) -> None:
        self._steps: Doubles = np.zeros(STEPS)
        self._triads: Doubles = np.zeros((TENTHS, TRIADS))
        self._ending: Doubles = np.zeros((0, TENTHS, TRIADS))
        self._heard = 0  # segments that hold a peak
        self._waiting: list[Doubles] = []
        self._open: Doubles = np.zeros(STEPS)
        self._frames = 0  # in the open segment
        self._earlier = no_marks()
        self._strengths: Doubles = np.zeros(2)

    def add(self, magnitude: Floats) -> None:
        """Take in the next frames, shape (bins, frames)."""
        start = self._frames
        closing, self._frames = divmod(start + magnitude.shape[1], SEGMENT)
        segments = np.zeros((closing + 1, STEPS))
        segments[0] = self._open
        add_lasting_peaks(magnitude, self._earlier, start, SEGMENT, segments, self._strengths)
        self._open = segments[closing]
        for segment in segments[:closing]:
            self._waiting.append(segment)
            if len(self._waiting) == TOGETHER:
                self._sum_up()

    def finish(self) -> Pitches | None:
        """The sums over all frames; None when no peak lasted."""
        self._waiting.append(self._open)
        self._sum_up()
        total = float(self._steps.sum())
        if total == 0.0:
            return None
        phasor = complex(self._steps @ _ROUND)
        tuning = float(np.angle(phasor)) * TENTHS / (2 * np.pi)  # in steps
        strength, pitched = self._strengths.tolist()
        return Pitches(
            classes=self._steps @ _classes_around(tuning),
            triads=_at(tuning, self._triads / self._heard),
            ending=_at(tuning, self._ending.mean(axis=0)),
            tuning_cents=tuning * (100.0 / TENTHS),
            steadiness=abs(phasor) / total,
            pitchedness=pitched / strength,
            seconds=self._heard * SEGMENT / FRAME_RATE,
        )

    def _sum_up(self) -> None:
        segments = np.stack(self._waiting)
        self._waiting.clear()
        segments = segments[segments.any(axis=1)]
        if segments.shape[0] == 0:
            return
        self._steps += segments.sum(axis=0)
        self._heard += segments.shape[0]
        classes = (segments @ _EVERY_TUNING).reshape(-1, TENTHS, CLASSES)
        triads = triad_shares(classes)
        self._triads += triads.sum(axis=0)
        self._ending = np.concatenate([self._ending, triads[-ENDING:]])[-ENDING:]


def _classes_around(tuning: float) -> Doubles:
    """Weights from the steps to the classes at a tuning in steps: none half a semitone away."""
    away = (_STEPS[:, None] - tuning - TENTHS * np.arange(CLASSES) + STEPS / 2) % STEPS - STEPS / 2
    return np.where(np.abs(away) < TENTHS / 2, np.cos(np.pi * away / TENTHS) ** 2, 0.0)


_EVERY_TUNING: Final[Doubles] = np.concatenate([_classes_around(t) for t in range(TENTHS)], axis=1)


def _at(tuning: float, triads: Doubles) -> Doubles:
    """The row of `triads`, shape (TENTHS, TRIADS), at a tuning in steps, -5 to 5."""
    semitones, tenth = divmod(round(tuning), TENTHS)  # a negative tuning is the next lower class's
    return np.roll(triads[tenth].reshape(2, CLASSES), -semitones, axis=1).ravel()
