"""What every back end that writes speech down is: a piece of sound in, parts of text with their times out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from harken.audio.blocks import Floats
from harken.audio.transcription.result import TranscriptWord


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How speech is to be written down."""

    language: str | None = None
    words: bool = False
    translate: bool = False
    prompt: str | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is said in a part of a piece; times from the piece's first sample."""

    start_s: float
    end_s: float
    text: str
    confidence: float | None
    words: tuple[TranscriptWord, ...] = ()


class Transcriber(Protocol):
    """A model that is loaded; what it raises is ModelError."""

    @property
    def name(self) -> str:
        """What results call it."""
        ...

    def languages(self, samples: Floats) -> dict[str, float]:
        """The probability of each language in a piece, mono at 16 kHz, up to 30 s; one where it knows no other."""
        ...

    def parts(self, samples: Floats, wanted: Wanted) -> Iterator[Part]:
        """What is said in a piece, part by part as it is found; `wanted` names a language."""
        ...
