"""What an analysis found: frozen values that carry the names and units of the published contract.

None stands for what does not exist (the loudness of silence, the key of a drum), never 0, NaN or
minus infinity. docs/engine-conventions.md defines every field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from math import isfinite
from typing import Any, Final

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


@dataclass(frozen=True, kw_only=True)
class AnalysisResult:
    """One field a feature group; a group that was not asked for is None."""

    media: Media | None = None
    rhythm: Rhythm | None = None
    tonal: Tonal | None = None
    spectral: Spectral | None = None
    timbre: Timbre | None = None
    loudness: Loudness | None = None
    onsets: Onsets | None = None
    embedding: Embedding | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the contract's names; what is unset or empty is left out."""
        return _plain(self)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        plain = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {name: item for name, item in plain.items() if item is not None}
    if isinstance(value, Mapping):
        return {str(key): str(item) for key, item in value.items()} or None
    if isinstance(value, tuple):
        items = [_plain(item) for item in value]
        # A vector with a hole means nothing, so one bad number unsets the whole of it.
        return items if items and None not in items else None
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    return value
