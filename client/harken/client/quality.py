"""The technical state of a recording, as in `harken/v1/quality.proto`; levels of silence are None."""

from dataclasses import dataclass

from harken.client.enums import ProblemKind, Severity


@dataclass(frozen=True, kw_only=True)
class QualityProblem:
    """Something wrong, with its figure in a sentence."""

    kind: ProblemKind = ProblemKind.UNKNOWN
    severity: Severity = Severity.UNKNOWN
    message: str = ""
    """What was found, for people."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of one channel."""

    channel: int | None = None
    """Number of the channel; the first is 0."""
    start_s: float | None = None
    """Where it begins, in seconds."""
    duration_s: float | None = None
    """Its length in seconds."""


@dataclass(frozen=True, kw_only=True)
class ChannelQuality:
    """One channel. Levels of silence are None."""

    speaker: str | None = None
    """Name of the speaker, such as "FL"; "FC" of mono."""
    rms_dbfs: float | None = None
    """Root mean square in dBFS."""
    peak_dbfs: float | None = None
    """Largest sample in dBFS."""
    dc_offset: float | None = None
    """Mean of all samples, full scale being 1."""
    dc_offset_dbfs: float | None = None
    """The same in dBFS; None for 0."""
    dc_steady: bool | None = None
    """Whether the mean is much the same in every 400 ms: an offset rather than the swing of a drum."""
    clipped_samples: int | None = None
    """Samples in crests that are cut flat."""
    clip_level_dbfs: float | None = None
    """Where they are cut, in dBFS; None where none is."""


@dataclass(frozen=True, kw_only=True)
class Clipping:
    """Crests that are cut flat: three or more samples at a channel's own extreme, left steeply."""

    samples: int | None = None
    """Samples in them."""
    share: float | None = None
    """Their share of all samples, 0 to 1."""
    stretch_count: int | None = None
    """How many there are, also past the first 100."""
    stretches: tuple[Stretch, ...] = ()
    """The first 100."""
    samples_over_full_scale: int | None = None
    """Samples beyond full scale, in formats of floating point."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """What is not there."""

    start_s: float | None = None
    """Seconds before the first sample above −60 dBFS; the whole length of silence."""
    end_s: float | None = None
    """Seconds after the last one."""
    digital_share: float | None = None
    """Share of samples that are exactly 0."""
    dropout_count: int | None = None
    """Gaps of zeros from 1 ms to 0.5 s that begin and end suddenly within sound, also past the first 100."""
    dropouts: tuple[Stretch, ...] = ()
    """The first 100."""


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """Bits and bandwidth: what the file has room for, and what it uses."""

    stored_bits: int | None = None
    """Bits a sample of a lossless format; None of lossy ones."""
    effective_bits: int | None = None
    """Bits that the samples need; None where they need more than 24, and of silence."""
    cutoff_hz: float | None = None
    """Where the spectrum ends in a wall, in Hz; None where it fades."""
    cutoff_drop_db: float | None = None
    """Height of the wall in dB."""
    upsampled_from_hz: int | None = None
    """The lower sample rate that the wall is typical of, in Hz; of lossless formats."""
    hole_share: float | None = None
    """Largest share of the frames in which a band of 500 Hz below the wall is missing, 0 to 1."""
    lossy_confidence: float | None = None
    """How sure it is that a lossy coder was at work, 0 to 1; None where the file itself is lossy."""


@dataclass(frozen=True, kw_only=True)
class Hum:
    """The hum of the mains. All is None where there is none."""

    base_hz: float | None = None
    """Its base, near 50 or 60 Hz."""
    level_dbfs: float | None = None
    """Level of all its harmonics, a full-scale sine having −3.01 dBFS."""
    prominence_db: float | None = None
    """By how much the strongest one stands over what is around it, in dB."""
    harmonics: int | None = None
    """How many of the first six were found."""


@dataclass(frozen=True, kw_only=True)
class StereoImage:
    """How the two channels of stereo relate. All is None otherwise, and of silence."""

    correlation: float | None = None
    """Pearson's correlation, −1 to 1."""
    correlation_min: float | None = None
    """The lowest of any 400 ms in which both channels are above −60 dBFS."""
    side_to_mid_db: float | None = None
    """Energy of half the difference beside that of half the sum, in dB; None where one is nothing."""
    mono_loss_db: float | None = None
    """What is lost when both are mixed to one, in dB: 0 of the same, 3 of unrelated channels; None where all is."""
    balance_db: float | None = None
    """By how much the left is louder than the right, in dB; None where one is silent."""
    identical: bool | None = None
    """Whether both are the same, sample by sample."""
    nearly_identical: bool | None = None
    """Whether both are the same but for dither."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The technical state of a recording."""

    problems: tuple[QualityProblem, ...] = ()
    """What is wrong, warnings first."""
    channels: tuple[ChannelQuality, ...] = ()
    """The channels in the file's order."""
    clipping: Clipping | None = None
    silence: Silence | None = None
    resolution: Resolution | None = None
    hum: Hum | None = None
    stereo: StereoImage | None = None
