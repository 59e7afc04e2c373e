"""How fast a recording is, said as far as its tempo is known: people tap half or double of what is counted."""

from collections.abc import Iterator
from typing import Final

from harken.audio.insights.grading import Scale
from harken.audio.insights.groups import Groups
from harken.audio.insights.result import InsightTag
from harken.audio.result import Rhythm

SLOW_BELOW_BPM: Final = 90.0
FAST_FROM_BPM: Final = 130.0
SPEEDS: Final = Scale(
    names=("slow", "medium", "fast"), borders=(SLOW_BELOW_BPM, FAST_FROM_BPM), unsure=5.0
)
# A candidate within that of half or double the tempo is the same pulse, counted in another way.
SAME_PULSE: Final = 0.03
# From that share of the pulse's confidence on, the other way to count is worth a word.
AMBIGUOUS_FROM: Final = 0.2
LEAST_CONFIDENCE: Final = 0.3  # below it the tempo is a guess, and nothing is said


def tempo_tags(groups: Groups) -> Iterator[InsightTag]:
    """The class of the tempo, and whether half or double of it is as likely to be tapped."""
    rhythm = groups.rhythm
    if rhythm is None:
        return
    if rhythm.tempo_bpm is None or rhythm.tempo_confidence is None:
        return
    pulse = pulse_confidence(rhythm)
    if pulse < LEAST_CONFIDENCE:
        return
    name, sure = SPEEDS.grade(rhythm.tempo_bpm)
    # The other ways to count that would have the same class do not speak against it.
    agreeing = sum(
        confidence for bpm, confidence in _ways_to_count(rhythm) if SPEEDS.grade(bpm)[0] == name
    )
    yield InsightTag(
        name=f"tempo:{name}",
        confidence=min(sure * agreeing, 1.0),
        evidence=f"{rhythm.tempo_bpm:.1f} BPM, confidence {rhythm.tempo_confidence:.2f}",
    )
    for bpm, confidence in _ways_to_count(rhythm):
        share = confidence / pulse
        if bpm != rhythm.tempo_bpm and share >= AMBIGUOUS_FROM:
            name = "half-time" if bpm < rhythm.tempo_bpm else "double-time"
            yield InsightTag(
                name=f"tempo:{name}",
                confidence=share,
                evidence=f"{bpm:.1f} BPM has {share:.0%} of the pulse's confidence",
            )


def pulse_confidence(rhythm: Rhythm) -> float:
    """How sure the pulse is, whether it is counted so, in half or in double."""
    return min(sum(confidence for _, confidence in _ways_to_count(rhythm)), 1.0)


def _ways_to_count(rhythm: Rhythm) -> Iterator[tuple[float, float]]:
    assert rhythm.tempo_bpm is not None
    assert rhythm.tempo_confidence is not None
    yield rhythm.tempo_bpm, rhythm.tempo_confidence
    for candidate in rhythm.tempo_candidates:
        ratio = candidate.bpm / rhythm.tempo_bpm
        if any(abs(ratio / other - 1.0) <= SAME_PULSE for other in (0.5, 2.0)):
            yield candidate.bpm, candidate.confidence
