"""Tempo and beats of the whole recording."""

from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.beats import LATENCY_S, track_beats
from harken.audio.blocks import FRAME_RATE, MelBlock
from harken.audio.pulse_envelopes import PulseEnvelopes
from harken.audio.result import MAX_TIMES, Rhythm, TempoCandidate
from harken.audio.tempo import estimate_tempo

TEMPO_SHARE: Final = 0.8  # of the time this takes, the rest is tracking beats


class Pulse(Analysis):
    """Works on the onset envelopes; without a pulse only the beat count (0) is given."""

    hears = Hears.MEL | Hears.ENVELOPE

    def __init__(self) -> None:
        self._parts = PulseEnvelopes()

    def on_mel(self, block: MelBlock) -> None:
        """Take in the next frames."""
        self._parts.on_mel(block)

    def finish(self) -> Rhythm:
        """The group."""
        duration_s = self.track.duration_s
        found = estimate_tempo(
            self._parts.finish(self.track.envelope),
            duration_s,
            lambda seconds: self.track.done(TEMPO_SHARE * seconds),
        )
        if not found.tempi:
            return Rhythm(beat_count=0)
        frames = track_beats(
            found.envelopes,
            found.tempi[0].bpm,
            loop=found.loop,
            done=lambda seconds: self.track.done(
                TEMPO_SHARE * duration_s + (1 - TEMPO_SHARE) * min(seconds, duration_s)
            ),
        )
        if found.warp is not None:
            frames = found.warp.back(frames)
        beats = np.maximum(frames / FRAME_RATE - LATENCY_S, 0.0)
        beats = beats[beats < duration_s]
        return Rhythm(
            tempo_bpm=found.tempi[0].bpm,
            tempo_confidence=found.tempi[0].confidence,
            tempo_candidates=tuple(
                TempoCandidate(bpm=tempo.bpm, confidence=tempo.confidence) for tempo in found.tempi
            ),
            beats_s=tuple(beats[:MAX_TIMES].tolist()),
            beat_count=beats.shape[0],
        )
