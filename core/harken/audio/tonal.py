"""Chroma, tuning and key of the whole recording."""

from typing import Final

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Floats, SpectrumBlock
from harken.audio.key import estimate_key
from harken.audio.key_confidence import probability
from harken.audio.moments import Moments
from harken.audio.pitch_classes import Pitches, PitchHistogram
from harken.audio.result import Tonal

# Noise, drum kits and gliding syllables lie below, notes and music above.
LEAST_PITCHEDNESS: Final = 0.4
# Speech has pitch, but on no grid of semitones; a voice with vibrato still sits around one.
LEAST_PITCHEDNESS_AND_STEADINESS: Final = 0.85


class Tonality(Analysis):
    """Chroma of every frame; key and tuning from the peaks that last."""

    hears = Hears.SPECTRUM | Hears.CHROMA

    def __init__(self) -> None:
        self._chroma = Moments()
        self._pitches = PitchHistogram()

    def on_spectrum(self, block: SpectrumBlock) -> None:
        """Take in the next frames."""
        self._pitches.add(block.magnitude)

    def on_chroma(self, chroma: Floats) -> None:
        """Take in the chroma of the next frames."""
        self._chroma.add(chroma)

    def finish(self) -> Tonal:
        """The group; without pitched energy neither key nor tuning exists."""
        mean = self._chroma.mean
        heard = mean if any(mean) else ()
        pitches = self._pitches.finish()
        if pitches is None or not is_tonal(pitches):
            return Tonal(chroma_mean=heard)
        key = estimate_key(pitches)
        return Tonal(
            key=key.tonic if key else None,
            mode=key.mode if key else None,
            key_confidence=probability(key) if key else None,
            tuning_cents=pitches.tuning_cents,
            chroma_mean=heard,
        )


def is_tonal(pitches: Pitches) -> bool:
    """Whether what sounds has pitches that a key could be made of."""
    pitched, steady = pitches.pitchedness, pitches.steadiness
    return pitched >= LEAST_PITCHEDNESS and pitched + steady >= LEAST_PITCHEDNESS_AND_STEADINESS
