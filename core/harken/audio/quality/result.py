"""What was found about a recording's technical state; docs/quality.md says how and from when on it counts."""

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """What is wrong, in the contract's words."""

    CLIPPING = "KIND_CLIPPING"
    OVER_FULL_SCALE = "KIND_OVER_FULL_SCALE"
    HUM = "KIND_HUM"
    DC_OFFSET = "KIND_DC_OFFSET"
    DROPOUTS = "KIND_DROPOUTS"
    LONG_SILENCE = "KIND_LONG_SILENCE"
    SILENT = "KIND_SILENT"
    PADDED_BITS = "KIND_PADDED_BITS"
    UPSAMPLED = "KIND_UPSAMPLED"
    LOSSY_ORIGIN = "KIND_LOSSY_ORIGIN"
    DUAL_MONO = "KIND_DUAL_MONO"
    SILENT_CHANNEL = "KIND_SILENT_CHANNEL"
    INVERTED_POLARITY = "KIND_INVERTED_POLARITY"
    IMBALANCE = "KIND_IMBALANCE"


class Severity(StrEnum):
    """How much it matters, in the contract's words."""

    NOTICE = "SEVERITY_NOTICE"
    WARNING = "SEVERITY_WARNING"


@dataclass(frozen=True, kw_only=True)
class QualityProblem:
    """Something wrong, with its figure in a sentence."""

    kind: ProblemKind
    severity: Severity
    message: str


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of one channel, the first of which is 0."""

    channel: int
    start_s: float
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class ChannelQuality:
    """One channel; levels of silence are None."""

    speaker: str | None = None
    rms_dbfs: float | None = None
    peak_dbfs: float | None = None
    dc_offset: float | None = None
    dc_offset_dbfs: float | None = None
    dc_steady: bool | None = None
    clipped_samples: int | None = None
    clip_level_dbfs: float | None = None


@dataclass(frozen=True, kw_only=True)
class Clipping:
    """Tops cut flat; `stretches` ends at 100, the count does not."""

    samples: int | None = None
    share: float | None = None
    stretch_count: int | None = None
    stretches: tuple[Stretch, ...] = ()
    samples_over_full_scale: int | None = None


@dataclass(frozen=True, kw_only=True)
class Silence:
    """What is not there; `dropouts` ends at 100, the count does not."""

    start_s: float | None = None
    end_s: float | None = None
    digital_share: float | None = None
    dropout_count: int | None = None
    dropouts: tuple[Stretch, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """Bits and bandwidth, as promised by the file and as used."""

    stored_bits: int | None = None
    effective_bits: int | None = None
    cutoff_hz: float | None = None
    cutoff_drop_db: float | None = None
    upsampled_from_hz: int | None = None
    hole_share: float | None = None
    lossy_confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class Hum:
    """The mains in the sound; all is None where there is none."""

    base_hz: float | None = None
    level_dbfs: float | None = None
    prominence_db: float | None = None
    harmonics: int | None = None


@dataclass(frozen=True, kw_only=True)
class StereoImage:
    """How two channels relate; None in mono and beyond two channels."""

    correlation: float | None = None
    correlation_min: float | None = None
    side_to_mid_db: float | None = None
    mono_loss_db: float | None = None
    balance_db: float | None = None
    identical: bool | None = None
    nearly_identical: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The technical state of a recording."""

    problems: tuple[QualityProblem, ...] = ()
    channels: tuple[ChannelQuality, ...] = ()
    clipping: Clipping | None = None
    silence: Silence | None = None
    resolution: Resolution | None = None
    hum: Hum | None = None
    stereo: StereoImage | None = None
