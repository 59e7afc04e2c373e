"""What an analysis found: frozen values that carry the names and units of the published contract.

None stands for what does not exist (the loudness of silence, the key of a drum), never 0, NaN or
minus infinity. docs/engine-conventions.md defines every field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, Final

from harken.audio.features import Feature
from harken.audio.insights.result import Insights
from harken.audio.pictures.result import Pictures
from harken.audio.quality.result import Quality
from harken.audio.speech.result import Speech
from harken.audio.transcription.result import Transcript
from harken.audio.video.result import Video

# beats_s and onsets_s end here; beat_count and onset_count always count all of them.
MAX_TIMES: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class Media:
    """The file and its sound stream."""

    duration_s: float | None = None
    start_time_s: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    codec: str | None = None
    container: str | None = None
    bit_rate: int | None = None
    tags: Mapping[str, str] | None = None
    non_finite_samples: int | None = None


@dataclass(frozen=True, kw_only=True)
class TempoCandidate:
    """A tempo the recording may be counted in; the confidences of all candidates sum to at most 1."""

    bpm: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """Tempo and beats; times in seconds from the first sample."""

    tempo_bpm: float | None = None
    tempo_confidence: float | None = None
    tempo_candidates: tuple[TempoCandidate, ...] = ()
    beats_s: tuple[float, ...] = ()
    beat_count: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tonal:
    """Key, tuning, and the mean chroma (12 values, C first)."""

    key: str | None = None
    mode: str | None = None
    key_confidence: float | None = None
    tuning_cents: float | None = None
    chroma_mean: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spectral:
    """Shape of the spectrum: mean and population standard deviation over all frames."""

    centroid_hz_mean: float | None = None
    centroid_hz_std: float | None = None
    bandwidth_hz_mean: float | None = None
    bandwidth_hz_std: float | None = None
    rolloff_hz_mean: float | None = None
    rolloff_hz_std: float | None = None
    flatness_mean: float | None = None
    flatness_std: float | None = None
    contrast_mean: tuple[float, ...] = ()
    contrast_std: tuple[float, ...] = ()
    zero_crossing_rate_mean: float | None = None
    zero_crossing_rate_std: float | None = None


@dataclass(frozen=True, kw_only=True)
class Timbre:
    """20 mel-frequency cepstral coefficients: mean and population standard deviation."""

    mfcc_mean: tuple[float, ...] = ()
    mfcc_std: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Loudness:
    """EBU R128 loudness and plain levels."""

    integrated_lufs: float | None = None
    range_lu: float | None = None
    momentary_max_lufs: float | None = None
    short_term_max_lufs: float | None = None
    true_peak_dbtp: float | None = None
    sample_peak_dbfs: float | None = None
    rms_dbfs: float | None = None


@dataclass(frozen=True, kw_only=True)
class Onsets:
    """Where sounds begin; times in seconds from the first sample."""

    onsets_s: tuple[float, ...] = ()
    onset_count: int | None = None
    rate_hz: float | None = None


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """128 numbers of unit length whose dot product says how alike two sounds are."""

    vector: tuple[float, ...] = ()
    model: str | None = None
    # Of the recording: bytes in base64.
    fingerprint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pitch:
    """The fundamental frequency of one voice or instrument."""

    f0_hz_median: float | None = None
    f0_hz_low: float | None = None
    f0_hz_high: float | None = None
    midi_note: int | None = None
    cents: float | None = None
    voiced_share: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """How the loudest sound begins and dies away."""

    attack_s: float | None = None
    peak_s: float | None = None
    decay_s: float | None = None
    temporal_centroid_s: float | None = None
    effective_duration_s: float | None = None


class LoopKind(StrEnum):
    """How a part is repeated, in the contract's words."""

    UNSPECIFIED = "KIND_UNSPECIFIED"
    FORWARD = "KIND_FORWARD"
    PING_PONG = "KIND_PING_PONG"
    BACKWARD = "KIND_BACKWARD"


@dataclass(frozen=True, kw_only=True)
class SampleLoop:
    """A part to be repeated; no play count is for as long as the note is held."""

    kind: LoopKind = LoopKind.UNSPECIFIED
    start_s: float | None = None
    end_s: float | None = None
    play_count: int | None = None


@dataclass(frozen=True, kw_only=True)
class SamplerInfo:
    """What a sampler needs to play the file."""

    root_note: int | None = None
    fine_tune_cents: float | None = None
    loops: tuple[SampleLoop, ...] = ()
    loop_count: int | None = None


@dataclass(frozen=True, kw_only=True)
class AcidInfo:
    """What a loop editor has found or been told."""

    one_shot: bool | None = None
    root_note: int | None = None
    tempo_bpm: float | None = None
    beats: int | None = None
    meter_numerator: int | None = None
    meter_denominator: int | None = None


@dataclass(frozen=True, kw_only=True)
class CuePoint:
    """A marker."""

    time_s: float | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class BroadcastInfo:
    """What a broadcaster has noted."""

    description: str | None = None
    originator: str | None = None
    originator_reference: str | None = None
    origination_date: str | None = None
    origination_time: str | None = None
    time_reference_s: float | None = None
    integrated_lufs: float | None = None
    range_lu: float | None = None
    true_peak_dbtp: float | None = None
    momentary_max_lufs: float | None = None
    short_term_max_lufs: float | None = None


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """What the file says of itself."""

    sampler: SamplerInfo | None = None
    acid: AcidInfo | None = None
    cues: tuple[CuePoint, ...] = ()
    cue_count: int | None = None
    broadcast: BroadcastInfo | None = None
    tempo_bpm: float | None = None
    key: str | None = None


class StemKind(StrEnum):
    """A way to take sound apart, in the contract's words."""

    HARMONIC_PERCUSSIVE = "KIND_HARMONIC_PERCUSSIVE"
    FOREGROUND_BACKGROUND = "KIND_FOREGROUND_BACKGROUND"
    MODEL = "KIND_MODEL"


@dataclass(frozen=True, kw_only=True)
class Stem:
    """A part of the sound, as a file."""

    name: str | None = None
    kind: StemKind
    artifact_name: str | None = None
    rms_dbfs: float | None = None
    energy_share: float | None = None
    model: str | None = None
    gain_db: float | None = None


@dataclass(frozen=True, kw_only=True)
class Stems:
    """The sound taken apart; the stems of one kind sum to the whole."""

    stems: tuple[Stem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What was made of the sound."""

    artifact_name: str | None = None
    duration_s: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    bits: int | None = None
    gain_db: float | None = None
    held_by_ceiling: bool | None = None
    trimmed_start_s: float | None = None
    trimmed_end_s: float | None = None
    integrated_lufs: float | None = None
    true_peak_dbtp: float | None = None


class FaultKind(StrEnum):
    """Who has to do something about a feature that failed alone, in the contract's words."""

    INPUT = "KIND_INPUT"
    INTERNAL = "KIND_INTERNAL"


@dataclass(frozen=True, kw_only=True)
class FeatureError:
    """Why a feature could not be computed, while others of the same file were."""

    feature: Feature
    kind: FaultKind
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class AnalysisResult:
    """One field a feature group; a group that was not asked for is None, as is one that `errors` names."""

    media: Media | None = None
    rhythm: Rhythm | None = None
    tonal: Tonal | None = None
    spectral: Spectral | None = None
    timbre: Timbre | None = None
    loudness: Loudness | None = None
    onsets: Onsets | None = None
    embedding: Embedding | None = None
    pitch: Pitch | None = None
    envelope: Envelope | None = None
    annotations: Annotations | None = None
    stems: Stems | None = None
    prepare: Prepared | None = None
    video: Video | None = None
    pictures: Pictures | None = None
    speech: Speech | None = None
    quality: Quality | None = None
    transcript: Transcript | None = None
    insights: Insights | None = None
    errors: tuple[FeatureError, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the contract's names; what is unset or empty is left out."""
        return _plain(self)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        plain = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {name: item for name, item in plain.items() if item is not None}
    if isinstance(value, Mapping):
        return {str(key): str(item) for key, item in value.items()} or None
    if isinstance(value, Feature):
        return f"FEATURE_{value.name}"
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        items = [_plain(item) for item in value]
        # A vector with a hole means nothing, so one bad number unsets the whole of it.
        return items if items and None not in items else None
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    return value
