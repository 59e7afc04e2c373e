"""What an analysis found: one value a feature, as in `harken/v1/analysis_result.proto`.

A group is set when its feature was asked for. Within a group, what does not exist is None, never 0,
NaN or infinite: silence has no loudness, a drum roll has no key, a second of sound has no tempo.
All times are seconds from the first sample after the encoder's delay.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from harken.client.frozen_map import FrozenMap


@dataclass(frozen=True, kw_only=True)
class Media:
    """What the file is."""

    duration_s: float | None = None
    """Length of what was decoded, in seconds."""
    start_time_s: float | None = None
    """Time stamp of the first sample in the container's own time, in seconds."""
    sample_rate_hz: int | None = None
    channels: int | None = None
    codec: str | None = None
    """FFmpeg's name of the audio codec, such as "flac"."""
    container: str | None = None
    """FFmpeg's name of the container, such as "wav" or "mov,mp4,m4a,3gp,3g2,mj2"."""
    bit_rate: int | None = None
    """In bit/s."""
    tags: Mapping[str, str] = FrozenMap()
    """Tags of the file, such as "title" and "artist", keys in lower case."""
    non_finite_samples: int | None = None
    """Number of NaN and infinite samples; they count as 0 in everything else."""


@dataclass(frozen=True, kw_only=True)
class TempoCandidate:
    """A tempo that fits the music."""

    bpm: float | None = None
    confidence: float | None = None
    """0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """Tempo and beats; None where the sound is shorter than 2 s or has no pulse."""

    tempo_bpm: float | None = None
    tempo_confidence: float | None = None
    """0 to 1."""
    tempo_candidates: tuple[TempoCandidate, ...] = ()
    """The tempi considered, best first."""
    beats_s: tuple[float, ...] = ()
    """Times of the beats, in seconds; the first 10,000."""
    beat_count: int | None = None
    """Number of beats found, also of those past the first 10,000."""


@dataclass(frozen=True, kw_only=True)
class Tonal:
    """Key and pitch classes; key, mode and confidence are None where there is no pitched energy."""

    key: str | None = None
    """The tonic, from "C" to "B", with sharps."""
    mode: str | None = None
    """"major" or "minor"."""
    key_confidence: float | None = None
    """Confidence in key and mode together, 0 to 1."""
    tuning_cents: float | None = None
    """Deviation from A4 = 440 Hz, −50 to 50."""
    chroma_mean: tuple[float, ...] = ()
    """Mean over frames of the 12 pitch classes from C, each frame divided by its maximum."""


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
    """Contrast of 7 sub-bands, in dB."""
    contrast_std: tuple[float, ...] = ()
    zero_crossing_rate_mean: float | None = None
    zero_crossing_rate_std: float | None = None


@dataclass(frozen=True, kw_only=True)
class Timbre:
    """Mel-frequency cepstral coefficients, 20 of each, the 0th first."""

    mfcc_mean: tuple[float, ...] = ()
    mfcc_std: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Loudness:
    """Loudness by ITU-R BS.1770-4 and EBU R 128; levels of silence are None."""

    integrated_lufs: float | None = None
    range_lu: float | None = None
    momentary_max_lufs: float | None = None
    short_term_max_lufs: float | None = None
    true_peak_dbtp: float | None = None
    sample_peak_dbfs: float | None = None
    rms_dbfs: float | None = None
    """A full-scale sine has −3.01."""


@dataclass(frozen=True, kw_only=True)
class Onsets:
    """Where sounds begin."""

    onsets_s: tuple[float, ...] = ()
    """Times of the onsets, in seconds; the first 10,000."""
    onset_count: int | None = None
    """Number of onsets found, also of those past the first 10,000."""
    rate_hz: float | None = None
    """Onsets per second of sound."""


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """A vector of the sound as a whole; compare two of the same model by their cosine."""

    vector: tuple[float, ...] = ()
    """128 numbers of Euclidean length 1."""
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class AnalysisResult:
    """What an analysis found; a group is set when its feature was asked for."""

    media: Media | None = None
    rhythm: Rhythm | None = None
    tonal: Tonal | None = None
    spectral: Spectral | None = None
    timbre: Timbre | None = None
    loudness: Loudness | None = None
    onsets: Onsets | None = None
    embedding: Embedding | None = None
