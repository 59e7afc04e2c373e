"""A fingerprint of how a sound sounds: 128 numbers whose dot product measures likeness.

    excerpt ─ fine frames ─ parts ─ projection
      19 s      40 bands     273      128

No learnt network: parts that are known to matter (fingerprint_parts.py), in a metric fitted once to
generated sounds (fingerprint_space.py). Gain leaves it as it is.
"""

from typing import Final

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Doubles, SpectrumBlock
from harken.audio.excerpts import Excerpt, Excerpts, heard
from harken.audio.fingerprint_frames import fine_frames
from harken.audio.fingerprint_parts import parts
from harken.audio.fingerprint_space import project
from harken.audio.result import Embedding

MODEL: Final = "harken-sound-2"


class Fingerprint(Analysis):
    """Keeps an excerpt, made into the vector at the end."""

    hears = Hears.SPECTRUM

    def __init__(self) -> None:
        self._excerpts = Excerpts()

    def on_spectrum(self, block: SpectrumBlock) -> None:
        """Take in the next samples."""
        self._excerpts.add(block)

    def finish(self) -> Embedding:
        """The group; silence sounds like nothing and has no vector."""
        vector = embed(self._excerpts.finish())
        if vector is None:
            return Embedding(model=MODEL)
        return Embedding(vector=tuple(vector.tolist()), model=MODEL)


def embed(excerpt: Excerpt) -> Doubles | None:
    """The vector of an excerpt; None for silence."""
    sound = heard(excerpt)
    return None if sound is None else project(parts(fine_frames(sound), sound))
