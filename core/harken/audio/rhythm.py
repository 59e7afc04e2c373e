"""Tempo and beats of the whole recording."""

from typing import Final

from harken.audio.analysis import Analysis, Hears
from harken.audio.beats import track_beats
from harken.audio.result import MAX_TIMES, Rhythm, TempoCandidate
from harken.audio.tempo import estimate_tempo

TEMPO_SHARE: Final = 0.3  # of the time this takes, the rest is tracking beats


class Pulse(Analysis):
    """Works on the onset envelope; without a pulse only the beat count (0) is given."""

    hears = Hears.ENVELOPE

    def finish(self) -> Rhythm:
        """The group."""
        tempi = estimate_tempo(
            self.track.envelope,
            self.track.duration_s,
            lambda seconds: self.track.done(TEMPO_SHARE * seconds),
        )
        if not tempi:
            return Rhythm(beat_count=0)
        begun_s = TEMPO_SHARE * self.track.duration_s
        beats = track_beats(
            self.track.envelope,
            tempi[0].bpm,
            lambda seconds: self.track.done(begun_s + (1 - TEMPO_SHARE) * seconds),
        )
        beats = beats[beats < self.track.duration_s]
        return Rhythm(
            tempo_bpm=tempi[0].bpm,
            tempo_confidence=tempi[0].confidence,
            tempo_candidates=tuple(
                TempoCandidate(bpm=tempo.bpm, confidence=tempo.confidence) for tempo in tempi
            ),
            beats_s=tuple(beats[:MAX_TIMES].tolist()),
            beat_count=beats.shape[0],
        )
