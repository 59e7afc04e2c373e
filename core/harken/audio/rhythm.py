"""Tempo and beats of the whole recording."""

from itertools import pairwise
from math import ceil
from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.beats import LATENCY_S, track_beats
from harken.audio.blocks import FRAME_RATE, Doubles, MelBlock
from harken.audio.pulse_envelopes import PARTS, PulseEnvelopes
from harken.audio.result import MAX_TIMES, Rhythm, TempoCandidate
from harken.audio.spool import FrameSpool
from harken.audio.tempo import Tempo, distinct, estimate_tempo

TEMPO_SHARE: Final = 0.8  # of the time this takes, the rest is tracking beats
# Longer recordings are heard in equal parts of at most an hour, so that memory stays flat. What is
# so long is a set or a broadcast: its parts have tempi of their own.
LONGEST_S: Final = 3600.0


class Pulse(Analysis):
    """Works on the onset envelopes; without a pulse only the beat count (0) is given."""

    hears = Hears.MEL | Hears.ENVELOPE

    def __init__(self) -> None:
        self._parts = PulseEnvelopes(self.until_closed(FrameSpool(len(PARTS))))

    def on_mel(self, block: MelBlock) -> None:
        """Take in the next frames."""
        self._parts.on_mel(block)

    def finish(self) -> Rhythm:
        """The group."""
        hours = max(1, ceil(self.track.duration_s / LONGEST_S))
        bounds = np.linspace(0, self.track.envelope.shape[0], hours + 1).astype(np.int64)
        heard = [self._hear(*ends) for ends in pairwise(bounds.tolist())]
        beats = np.concatenate([beats for _, beats in heard])
        beats = beats[beats < self.track.duration_s]
        tempi = heard[0][0] if hours == 1 else _of_all([tempi for tempi, _ in heard])
        if not tempi:
            return Rhythm(beat_count=0)
        return Rhythm(
            tempo_bpm=tempi[0].bpm,
            tempo_confidence=tempi[0].confidence,
            tempo_candidates=tuple(
                TempoCandidate(bpm=tempo.bpm, confidence=tempo.confidence) for tempo in tempi
            ),
            beats_s=tuple(beats[:MAX_TIMES].tolist()),
            beat_count=beats.shape[0],
        )

    def _hear(self, first: int, last: int) -> tuple[tuple[Tempo, ...], Doubles]:
        """The tempi of some of the frames, and their beats in seconds from the first sample."""
        begin_s = first / FRAME_RATE
        duration_s = min(last / FRAME_RATE, self.track.duration_s) - begin_s
        found = estimate_tempo(
            self._parts.between(self.track.envelope, first, last),
            duration_s,
            lambda seconds: self.track.done(begin_s + TEMPO_SHARE * seconds),
        )
        if not found.tempi:
            return (), np.zeros(0)
        frames = track_beats(
            found.envelopes,
            found.tempi[0].bpm,
            loop=found.loop,
            done=lambda seconds: self.track.done(
                begin_s + TEMPO_SHARE * duration_s + (1 - TEMPO_SHARE) * min(seconds, duration_s)
            ),
        )
        if found.warp is not None:
            frames = found.warp.back(frames)
        return found.tempi, begin_s + np.maximum(frames / FRAME_RATE - LATENCY_S, 0.0)


def _of_all(hours: list[tuple[Tempo, ...]]) -> tuple[Tempo, ...]:
    """The tempi of a recording of several hours: the probability of each, averaged over them."""
    named = [tempo for tempi in hours for tempo in tempi]
    if not named:
        return ()
    chances = np.array([tempo.confidence for tempo in named]) / len(hours)
    return distinct(np.array([tempo.bpm for tempo in named]), chances)
