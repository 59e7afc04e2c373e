"""The groups of a result that can be asked for."""

from collections.abc import Iterable
from enum import StrEnum


class Feature(StrEnum):
    """One group of an `AnalysisResult`; the value is the name of its field."""

    MEDIA = "media"
    RHYTHM = "rhythm"
    TONAL = "tonal"
    SPECTRAL = "spectral"
    TIMBRE = "timbre"
    LOUDNESS = "loudness"
    ONSETS = "onsets"
    EMBEDDING = "embedding"


def wanted_features(features: Iterable[Feature | str] | None) -> tuple[Feature, ...]:
    """The features asked for, each once, in the result's order; None means all of them.

    Raises ValueError for a name that is no feature.
    """
    if features is None:
        return tuple(Feature)
    chosen = {Feature(feature) for feature in features}
    return tuple(feature for feature in Feature if feature in chosen)
