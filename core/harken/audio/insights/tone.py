"""How bright a recording is, and its key."""

from collections.abc import Iterator
from math import log2
from typing import Final

from harken.audio.insights.camelot import camelot
from harken.audio.insights.grading import Scale
from harken.audio.insights.groups import Groups
from harken.audio.insights.result import InsightTag

# In octaves above 1 Hz, as brightness is heard: below 1,200 Hz a bass or a kick, above 3,000 Hz cymbals.
DARK_BELOW_HZ: Final = 1_200.0
BRIGHT_FROM_HZ: Final = 3_000.0
BRIGHTNESSES: Final = Scale(
    names=("dark", "balanced", "bright"),
    borders=(log2(DARK_BELOW_HZ), log2(BRIGHT_FROM_HZ)),
    unsure=0.25,
)
KEY_FROM: Final = 0.5  # a key that is less sure is not named


def tone_tags(groups: Groups) -> Iterator[InsightTag]:
    """Tags in brightness and key."""
    spectral = groups.spectral
    if spectral is not None and spectral.centroid_hz_mean:
        name, sure = BRIGHTNESSES.grade(log2(spectral.centroid_hz_mean))
        evidence = f"centroid {spectral.centroid_hz_mean:.0f} Hz"
        yield InsightTag(name=f"brightness:{name}", confidence=sure, evidence=evidence)
    if (key := sure_key(groups)) is not None:
        name, mode, confidence = key
        notation = camelot(name, mode)
        evidence = f"{name} {mode}, {notation}"
        yield InsightTag(name=f"key:{notation.lower()}", confidence=confidence, evidence=evidence)


def sure_key(groups: Groups) -> tuple[str, str, float] | None:
    """Key, mode and confidence, where the key is sure enough to be named."""
    tonal = groups.tonal
    if tonal is None or tonal.key is None or tonal.mode is None:
        return None
    confidence = tonal.key_confidence or 0.0
    return (tonal.key, tonal.mode, confidence) if confidence >= KEY_FROM else None
