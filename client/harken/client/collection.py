"""What a collection of analyses is like."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Bin:
    """A bar of a histogram: values from `low` on and below `high`; None where it is open."""

    low: float | None = None
    high: float | None = None
    count: int = 0
    duration_s: float = 0.0
    """Sound of the recordings in it, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """How a number is spread over a collection."""

    count: int = 0
    """Results with the number."""
    none_count: int = 0
    """Results without it: the feature was computed, and it does not exist."""
    minimum: float | None = None
    lower_quartile: float | None = None
    median: float | None = None
    upper_quartile: float | None = None
    maximum: float | None = None
    mean: float | None = None
    quartile_step: float = 0.0
    """Quartiles are within half of it of the exact ones."""
    quartile_step_relative: bool = False
    """Whether `quartile_step` is a part of the value, as 0.01 is 1 %."""
    bins: tuple[Bin, ...] = ()
    """The histogram, all bins in order."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """How often a name occurs."""

    name: str = ""
    count: int = 0
    duration_s: float = 0.0
    """Sound of the recordings with it, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """How often names occur in a collection."""

    count: int = 0
    """Jobs or results with at least one of the names."""
    none_count: int = 0
    """Those without any."""
    shares: tuple[Share, ...] = ()
    """The most frequent first; keys in chromatic order."""
    other_count: int = 0
    """Occurrences of more names than are kept apart."""


@dataclass(frozen=True, kw_only=True)
class CollectionStatistics:
    """What a collection of analyses is like: how many there are, how long, and how their values are spread."""

    job_count: int = 0
    result_count: int = 0
    duration_s: float = 0.0
    first_end_time: datetime | None = None
    last_end_time: datetime | None = None
    states: Breakdown | None = None
    failures: Breakdown | None = None
    feature_errors: Breakdown | None = None
    quality_problems: Breakdown | None = None
    keys: Breakdown | None = None
    codecs: Breakdown | None = None
    containers: Breakdown | None = None
    sample_rates: Breakdown | None = None
    channels: Breakdown | None = None
    duration: Distribution | None = None
    tempo: Distribution | None = None
    loudness: Distribution | None = None
    loudness_range: Distribution | None = None
    true_peak: Distribution | None = None
    true_peak_over_count: int = 0
    """Recordings whose true peak is above 0 dBTP."""
    brightness: Distribution | None = None
    onset_rate: Distribution | None = None
    bit_rate: Distribution | None = None
