"""What was found of speech, as in `harken/v1/speech.proto` and `transcript.proto`; times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SpeechSegment:
    """A stretch of speech without a pause."""

    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Speech:
    """Where speech is, and how it is; the four shares sum to 1."""

    segments: tuple[SpeechSegment, ...] = ()
    """The first 10,000."""
    segment_count: int | None = None
    speech_s: float | None = None
    """Length of all segments."""
    voiced_s: float | None = None
    """Time within them in which there is a voice."""
    speech_share: float | None = None
    music_share: float | None = None
    noise_share: float | None = None
    silence_share: float | None = None
    snr_db: float | None = None
    """Power of the speech over that of what is heard beside it."""
    pause_count: int | None = None
    """Gaps of 0.25 to 3 s between segments."""
    pause_s_mean: float | None = None
    pause_s_longest: float | None = None
    syllable_count: int | None = None
    syllable_rate_hz: float | None = None
    """Syllables per second of speech."""


@dataclass(frozen=True, kw_only=True)
class TranscriptSegment:
    """A part of what is said."""

    start_s: float | None = None
    end_s: float | None = None
    text: str | None = None
    confidence: float | None = None
    """The probability of its words as the model sees it, 0 to 1."""


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
    """Such as "en": the one that was given, or else found."""
    language_probability: float | None = None
    """As the model sees it, 0 to 1; None where it was given."""
    text: str | None = None
    segments: tuple[TranscriptSegment, ...] = ()
    """The first 10,000."""
    segment_count: int | None = None
    words: tuple[TranscriptWord, ...] = ()
    """The first 20,000, where they were asked for."""
    word_count: int | None = None
    heard_s: float | None = None
    """Length of what the model has heard."""
    artifact_name: str | None = None
    """Name of the artifact that holds all segments as WebVTT."""
    model: str | None = None
