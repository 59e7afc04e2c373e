"""A fingerprint of how a sound sounds: 128 numbers whose dot product measures likeness.

    excerpt ─ fine frames ─ parts ─ projection
      19 s      40 bands     273      128

No learnt network: parts that are known to matter (fingerprint_parts.py), in a metric fitted once to
generated sounds (fingerprint_space.py). Gain leaves it as it is.
"""

import base64
from typing import Final

from harken.audio.acoustic_fingerprint import AcousticFingerprint
from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Doubles, SpectrumBlock
from harken.audio.excerpts import Excerpt, Excerpts, heard
from harken.audio.fingerprint_frames import fine_frames
from harken.audio.fingerprint_parts import parts
from harken.audio.fingerprint_space import project
from harken.audio.result import Embedding
from harken.audio.waveform_signs import waveform_signs

MODEL: Final = "harken-sound-2"


class Fingerprint(Analysis):
    """Keeps an excerpt, made into the vector at the end, and what the recording is known by in other formats."""

    hears = Hears.SPECTRUM

    def __init__(self) -> None:
        self._excerpts = Excerpts()
        self._course = AcousticFingerprint()

    def on_spectrum(self, block: SpectrumBlock) -> None:
        """Take in the next samples."""
        self._excerpts.add(block)
        self._course.add(block)

    def finish(self) -> Embedding:
        """The group; silence sounds like nothing and has no vector."""
        excerpt = self._excerpts.finish()
        vector = embed(excerpt)
        if vector is None:
            return Embedding(model=MODEL)
        duration_s = self.track.duration_s
        course = self._course.finish(duration_s)
        if course is not None:
            course += waveform_signs(excerpt, duration_s)
        return Embedding(
            vector=tuple(vector.tolist()),
            model=MODEL,
            fingerprint=None if course is None else base64.b64encode(course).decode(),
        )


def embed(excerpt: Excerpt) -> Doubles | None:
    """The vector of an excerpt; None for silence."""
    sound = heard(excerpt)
    return None if sound is None else project(parts(fine_frames(sound), sound))
