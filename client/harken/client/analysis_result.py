"""What an analysis found: one value a feature, as in `harken/v1/analysis_result.proto`.

A group is set when its feature was asked for. Within a group, what does not exist is None, never 0,
NaN or infinite: silence has no loudness, a drum roll has no key, a second of sound has no tempo.
All times are seconds from the first sample after the encoder's delay.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from harken.client.enums import FaultKind, Feature, LoopKind, PictureKind, StemKind
from harken.client.frozen_map import FrozenMap
from harken.client.insights_result import Insights
from harken.client.quality import Quality
from harken.client.speech import Speech, Transcript
from harken.client.video_result import Video


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
    fingerprint: bytes | None = None
    """By which the same recording is known in other formats."""


@dataclass(frozen=True, kw_only=True)
class Pitch:
    """The fundamental frequency of one voice or instrument."""

    f0_hz_median: float | None = None
    """Median over the voiced frames."""
    f0_hz_low: float | None = None
    """5th percentile."""
    f0_hz_high: float | None = None
    """95th percentile."""
    midi_note: int | None = None
    """The note nearest to the median; 69 is A4, 440 Hz."""
    cents: float | None = None
    """How far the median is above that note, −50 to 50."""
    voiced_share: float | None = None
    """Share of the frames that have a pitch, 0 to 1."""
    confidence: float | None = None
    """Mean probability of the pitch that was chosen, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """How the loudest sound begins and dies away."""

    attack_s: float | None = None
    """Seconds in which the level rises from 10 % to 90 % of its maximum."""
    peak_s: float | None = None
    """When the level is highest."""
    decay_s: float | None = None
    """Seconds from there until the level has fallen by 20 dB for good."""
    temporal_centroid_s: float | None = None
    """Mean time weighted by the level."""
    effective_duration_s: float | None = None
    """Seconds for which the level is above 40 % of its maximum."""


@dataclass(frozen=True, kw_only=True)
class SampleLoop:
    """A part to be repeated; no play count is for as long as the note is held."""

    kind: LoopKind = LoopKind.UNKNOWN
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
    """Number of loops, also of those past the first 100."""


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
    """Number of markers, also of those past the first 1,000."""
    broadcast: BroadcastInfo | None = None
    tempo_bpm: float | None = None
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stem:
    """A part of the sound, as a file."""

    name: str | None = None
    kind: StemKind = StemKind.UNKNOWN
    artifact_name: str | None = None
    """Name of the artifact that holds it."""
    rms_dbfs: float | None = None
    energy_share: float | None = None
    """Its energy beside that of all stems of its kind, 0 to 1."""
    model: str | None = None
    gain_db: float | None = None
    """Gain that all stems of its kind were given, so that none goes beyond full scale."""


@dataclass(frozen=True, kw_only=True)
class Stems:
    """The sound taken apart; the stems of one kind sum to the whole."""

    stems: tuple[Stem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What was made of the sound."""

    artifact_name: str | None = None
    """Name of the artifact that holds it."""
    duration_s: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    bits: int | None = None
    gain_db: float | None = None
    held_by_ceiling: bool | None = None
    """Whether the ceiling of the true peak kept the gain below what the loudness asked for."""
    trimmed_start_s: float | None = None
    trimmed_end_s: float | None = None
    integrated_lufs: float | None = None
    true_peak_dbtp: float | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A file that shows the sound over time; in its plot time runs from the left edge to the right."""

    kind: PictureKind = PictureKind.UNKNOWN
    artifact_name: str | None = None
    """Name of the artifact that holds it."""
    width: int | None = None
    height: int | None = None
    plot_left: int | None = None
    plot_top: int | None = None
    plot_width: int | None = None
    plot_height: int | None = None


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Pictures of the sound for people to look at, and peaks for players."""

    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FeatureError:
    """Why a feature could not be computed, while others of the same file were."""

    feature: Feature = Feature.UNKNOWN
    kind: FaultKind = FaultKind.UNKNOWN
    reason: str = ""
    """For programs, in UPPER_SNAKE_CASE."""
    message: str = ""
    """What is wrong and what to do, for people."""

    def __str__(self) -> str:
        return f"{self.feature}: {self.message} ({self.reason})"


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
    """Features that could not be computed, while others were."""
