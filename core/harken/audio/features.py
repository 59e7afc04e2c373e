"""The groups of a result that can be asked for."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


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
    PITCH = "pitch"
    ENVELOPE = "envelope"
    ANNOTATIONS = "annotations"
    STEMS = "stems"
    PREPARE = "prepare"
    VIDEO = "video"
    PICTURES = "pictures"
    SPEECH = "speech"
    QUALITY = "quality"
    TRANSCRIPT = "transcript"
    INSIGHTS = "insights"


# What is computed where no feature is named; the others cost more, or fit some recordings alone.
DEFAULT_FEATURES: Final = tuple(Feature)[:8]
# Those whose result is in files, which the engine alone has nowhere to put.
IN_FILES: Final = frozenset({Feature.STEMS, Feature.PREPARE, Feature.PICTURES, Feature.TRANSCRIPT})


def wanted_features(features: Iterable[Feature | str] | None) -> tuple[Feature, ...]:
    """The features asked for, each once, in the result's order; None means the default ones.

    Raises ValueError for a name that is no feature.
    """
    if features is None:
        return DEFAULT_FEATURES
    chosen = {Feature(feature) for feature in features}
    return tuple(feature for feature in Feature if feature in chosen)
