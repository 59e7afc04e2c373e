"""What is counted of results: adding a number or a name is a line here and a field of CollectionStatistics."""

from dataclasses import dataclass
from typing import Final

from harken.jobs.collection.scale import Scale


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number of each result; `name` is its field of the statistics, `path` where the result has it."""

    name: str
    path: str
    scale: Scale

    @property
    def feature(self) -> str:
        """The feature that it belongs to."""
        return self.path.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Property:
    """A name, or a number that is one, of each result."""

    name: str
    path: str

    @property
    def feature(self) -> str:
        """The feature that it belongs to."""
        return self.path.partition(".")[0]


def _steps(first: int, last: int, step: int) -> tuple[float, ...]:
    return tuple(float(edge) for edge in range(first, last + 1, step))


_DURATIONS: Final = (0.5, 1, 2, 4, 8, 15, 30, 60, 120, 180, 240, 300, 420, 600, 1800, 3600, 7200)
# Thirds of an octave, as their nominal frequencies are written.
_THIRDS: Final = (
    *(100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000),
    *(2500, 3150, 4000, 5000, 6300, 8000, 10_000),
)
_BIT_RATES: Final = (48, 64, 96, 128, 160, 192, 256, 320, 512, 768, 1024, 1536, 2304, 4608)

DURATION: Final = Measure(
    name="duration", path="media.duration_s", scale=Scale(edges=_DURATIONS, step=0.01, ratio=True)
)
TRUE_PEAK: Final = Measure(
    name="true_peak", path="loudness.true_peak_dbtp", scale=Scale(edges=_steps(-18, 3, 1), step=0.1)
)
MEASURES: Final = (
    DURATION,
    Measure(name="tempo", path="rhythm.tempo_bpm", scale=Scale(edges=_steps(50, 200, 5), step=0.1)),
    Measure(
        name="loudness",
        path="loudness.integrated_lufs",
        scale=Scale(edges=_steps(-40, -4, 2), step=0.1),
    ),
    Measure(
        name="loudness_range",
        path="loudness.range_lu",
        scale=Scale(edges=_steps(1, 20, 1), step=0.1),
    ),
    TRUE_PEAK,
    Measure(
        name="brightness",
        path="spectral.centroid_hz_mean",
        scale=Scale(edges=tuple(map(float, _THIRDS)), step=0.01, ratio=True),
    ),
    Measure(
        name="onset_rate",
        path="onsets.rate_hz",
        scale=Scale(edges=tuple(half / 2 for half in range(1, 21)), step=0.05),
    ),
    Measure(
        name="bit_rate",
        path="media.bit_rate",
        scale=Scale(edges=tuple(1000.0 * rate for rate in _BIT_RATES), step=0.01, ratio=True),
    ),
)
PROPERTIES: Final = (
    Property(name="codecs", path="media.codec"),
    Property(name="containers", path="media.container"),
    Property(name="sample_rates", path="media.sample_rate_hz"),
    Property(name="channels", path="media.channels"),
)

TONIC, MODE = "tonal.key", "tonal.mode"
TONICS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
KEYS: Final = tuple(f"{tonic} {mode}" for tonic in TONICS for mode in ("major", "minor"))

ERRORS = "errors"
PROBLEMS = "quality.problems"

# What is read of each result, and nothing else.
PATHS: Final = (
    *(measure.path for measure in MEASURES),
    *(named.path for named in PROPERTIES),
    *(TONIC, MODE, ERRORS, PROBLEMS),
)
