"""The most probable path through the candidates of all frames: the second half of pYIN.

A hidden Markov model, decoded by Viterbi's algorithm. Unlike pYIN's its states are the candidates
themselves and one for "no pitch", not a grid of pitches, so that a step costs little and pitches are
not rounded. Memory stays flat: what lies two seconds behind the newest frame is decided, since by
then all paths have the same past.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from harken.audio.blocks import Floats, Integers
from harken.audio.kernel import recursion
from harken.audio.pitch.candidates import MOST

NOTHING: Final = MOST  # the state without a pitch
STATES: Final = MOST + 1
HELD: Final = 1_024  # frames kept at a time, 12 s
UNDECIDED: Final = 172  # frames that stay undecided, 2 s
# Of a change between pitch and none (pYIN's).
SWITCH: Final = 0.01
# A pitch moves at most so far from one frame to the next, and the nearer the likelier: 36 octaves a second (librosa's).
WIDEST_CENTS: Final = 500.0
# A new note without a break.
LEAP: Final = 0.002
# How probable a frame is without a pitch, beside the candidate that is taken in its place: twice what the deepest
# trough of noise has. More would take rough and breathy voices for noise too.
UNPITCHED: Final = 0.02
_LEAST: Final = 1e-6


class PitchPath:
    """Takes frames' candidates, gives each frame's cents above 40 Hz and their probability; NaN for no pitch."""

    def __init__(self) -> None:
        self._cents = np.zeros((HELD, MOST), dtype=np.float32)
        self._chances = np.zeros((HELD, MOST), dtype=np.float32)
        self._counts = np.zeros(HELD, dtype=np.int32)
        self._came_from = np.zeros((HELD, STATES), dtype=np.int32)
        self._scores = np.zeros(STATES, dtype=np.float32)
        self._filled = 0
        self._begun = False

    def push(
        self, cents: Floats, chances: Floats, counts: Integers
    ) -> Iterator[tuple[Floats, Floats]]:
        """The frames that are decided with these, in portions."""
        taken = 0
        while taken < counts.shape[0]:
            start = self._filled
            end = min(start + counts.shape[0] - taken, HELD)
            until = taken + end - start
            self._cents[start:end] = cents[taken:until]
            self._chances[start:end] = chances[taken:until]
            self._counts[start:end] = counts[taken:until]
            _advance(
                *(self._cents, self._chances, self._counts, start, end, not self._begun),
                *(self._scores, self._came_from),
            )
            self._begun, self._filled, taken = True, end, until
            if end == HELD:
                yield self._decided(HELD - UNDECIDED)

    def finish(self) -> tuple[Floats, Floats]:
        """The rest."""
        return self._decided(self._filled)

    def _decided(self, frames: int) -> tuple[Floats, Floats]:
        pitches = np.full(self._filled, np.nan, dtype=np.float32)
        chances = np.zeros(self._filled, dtype=np.float32)
        if self._filled:
            _trace_back(
                *(self._cents, self._chances, self._came_from),
                *(int(self._scores.argmax()), pitches, chances),
            )
        for held in (self._cents, self._chances, self._counts, self._came_from):
            held[: self._filled - frames] = held[frames : self._filled].copy()
        self._filled -= frames
        return pitches[:frames], chances[:frames]


@recursion
def _advance(
    cents: Floats,
    chances: Floats,
    counts: Integers,
    start: int,
    end: int,
    first: bool,
    scores: Floats,
    came_from: Integers,
) -> None:
    """Goes on from the scores of frame `start` − 1 to those of `end` − 1, and notes where each state came from."""
    before = np.empty(STATES, dtype=np.float32)
    switch, stay, leap = np.log(SWITCH), np.log(1.0 - SWITCH), np.log(LEAP)
    for frame in range(start, end):
        before[:] = scores
        known = 0 if first and frame == start else counts[frame - 1]
        pitched = np.float32(0.0)
        for state in range(counts[frame]):
            pitched += chances[frame, state]
            best, source = before[NOTHING] + switch, NOTHING
            for other in range(known):
                away = abs(cents[frame, state] - cents[frame - 1, other])
                step = leap
                if away < WIDEST_CENTS:
                    step = max(stay + np.log(1.0 - away / WIDEST_CENTS), leap)
                if before[other] + step > best:
                    best, source = before[other] + step, other
            scores[state] = best + np.log(max(chances[frame, state], _LEAST))
            came_from[frame, state] = source
        for state in range(counts[frame], MOST):
            scores[state] = -np.inf
        best, source = before[NOTHING] + stay, NOTHING
        for other in range(known):
            if before[other] + switch > best:
                best, source = before[other] + switch, other
        scores[NOTHING] = best + np.log(max(UNPITCHED * (1.0 - pitched), _LEAST))
        came_from[frame, NOTHING] = source
        most = scores.max()
        for state in range(STATES):
            scores[state] -= most


@recursion
def _trace_back(
    cents: Floats, chances: Floats, came_from: Integers, state: int, pitches: Floats, taken: Floats
) -> None:
    for frame in range(pitches.shape[0] - 1, -1, -1):
        if state != NOTHING:
            pitches[frame] = cents[frame, state]
            taken[frame] = chances[frame, state]
        state = came_from[frame, state]
