"""What was found of speech."""

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
    segment_count: int | None = None
    speech_s: float | None = None
    voiced_s: float | None = None
    speech_share: float | None = None
    music_share: float | None = None
    noise_share: float | None = None
    silence_share: float | None = None
    snr_db: float | None = None
    pause_count: int | None = None
    pause_s_mean: float | None = None
    pause_s_longest: float | None = None
    syllable_count: int | None = None
    syllable_rate_hz: float | None = None
