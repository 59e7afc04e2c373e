"""What was said."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TranscriptSegment:
    """A part of what is said."""

    start_s: float | None = None
    end_s: float | None = None
    text: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class TranscriptWord:
    """A word, with the punctuation about it."""

    start_s: float | None = None
    end_s: float | None = None
    text: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """What is said; the counts go on where the lists are cut."""

    language: str | None = None
    language_probability: float | None = None
    text: str | None = None
    segments: tuple[TranscriptSegment, ...] = ()
    segment_count: int | None = None
    words: tuple[TranscriptWord, ...] = ()
    word_count: int | None = None
    heard_s: float | None = None
    artifact_name: str | None = None
    model: str | None = None
