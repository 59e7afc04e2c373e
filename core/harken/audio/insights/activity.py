"""How much goes on in a recording: sounds a second, and energy as listeners rate it."""

from collections.abc import Iterator
from typing import Final

from harken.audio.insights.grading import Scale
from harken.audio.insights.groups import Groups
from harken.audio.insights.result import InsightTag

DENSITIES: Final = Scale(names=("sparse", "medium", "dense"), borders=(2.0, 6.0), unsure=0.7)
SHORTEST_FOR_RATE_S: Final = 2.0  # of less, a rate is a number of onsets and no more
ENERGIES: Final = Scale(names=("low", "medium", "high"), borders=(0.4, 0.65), unsure=0.1)
# What is 0 and what is 1 of each part of the energy. Perceived energy follows loudness most of all, then how often
# sounds begin and how bright they are.
_LOUDNESS_LUFS: Final = (-30.0, -8.0)
_RATE_HZ: Final = (0.0, 8.0)
_CENTROID_HZ: Final = (500.0, 4_000.0)
_WEIGHTS: Final = (0.5, 0.3, 0.2)


def activity_tags(groups: Groups) -> Iterator[InsightTag]:
    """Tags in density and energy."""
    onsets, duration = groups.onsets, groups.duration_s
    if onsets is None or onsets.rate_hz is None or duration is None:
        return
    if duration < SHORTEST_FOR_RATE_S:
        return
    name, sure = DENSITIES.grade(onsets.rate_hz)
    evidence = f"{onsets.rate_hz:.1f} onsets a second"
    yield InsightTag(name=f"density:{name}", confidence=sure, evidence=evidence)
    loudness, spectral = groups.loudness, groups.spectral
    if loudness is None or loudness.integrated_lufs is None:
        return
    if spectral is None or spectral.centroid_hz_mean is None:
        return
    parts = (
        _share(loudness.integrated_lufs, _LOUDNESS_LUFS),
        _share(onsets.rate_hz, _RATE_HZ),
        _share(spectral.centroid_hz_mean, _CENTROID_HZ),
    )
    energy = sum(weight * part for weight, part in zip(_WEIGHTS, parts, strict=True))
    name, sure = ENERGIES.grade(energy)
    loud, busy, bright = parts
    evidence = f"{energy:.2f} of loudness {loud:.2f}, onsets {busy:.2f}, brightness {bright:.2f}"
    yield InsightTag(name=f"energy:{name}", confidence=sure, evidence=evidence)


def _share(value: float, ends: tuple[float, float]) -> float:
    return min(max((value - ends[0]) / (ends[1] - ends[0]), 0.0), 1.0)
