"""How loud a recording is beside what streaming services play, and how much of its level is left to dynamics."""

from collections.abc import Iterator
from typing import Final

from harken.audio.insights.grading import Scale
from harken.audio.insights.groups import Groups
from harken.audio.insights.result import InsightTag

# Most services play music at −14 LUFS, AES TD1008 recommends −16 for tracks and EBU R 128 asks −23 of broadcasts.
STREAMING_LUFS: Final = -14.0
BROADCAST_LUFS: Final = -23.0
NEAR_LU: Final = 1.5
LOUDNESSES: Final = Scale(
    names=("very-quiet", "broadcast", "quiet", "streaming", "loud"),
    borders=(
        BROADCAST_LUFS - NEAR_LU,
        BROADCAST_LUFS + NEAR_LU,
        STREAMING_LUFS - NEAR_LU,
        STREAMING_LUFS + NEAR_LU,
    ),
    unsure=1.0,
)
# Peak to loudness ratio: mastered loud it is below 8 dB, and from 14 dB on little was compressed.
PEAK_TO_LOUDNESS: Final = Scale(
    names=("compressed", "moderate", "dynamic"), borders=(8.0, 14.0), unsure=2.0
)
# Loudness range, of EBU Tech 3342: pop is mostly below 5 LU, film and orchestra above 10.
RANGES: Final = Scale(names=("narrow", "medium", "wide"), borders=(5.0, 10.0), unsure=1.5)
# Of less the range says nothing: it is drawn from windows of 3 s.
SHORTEST_FOR_RANGE_S: Final = 15.0
TRUE_PEAK_LIMIT_DBTP: Final = -1.0  # what services ask for, so that encoders do not clip


def level_tags(groups: Groups) -> Iterator[InsightTag]:
    """Tags in loudness, dynamics and range."""
    loudness = groups.loudness
    if loudness is None or loudness.integrated_lufs is None:
        return
    lufs = loudness.integrated_lufs
    name, sure = LOUDNESSES.grade(lufs)
    yield InsightTag(
        name=f"loudness:{name}",
        confidence=sure,
        evidence=f"{lufs:.1f} LUFS, {STREAMING_LUFS - lufs:+.1f} dB to {STREAMING_LUFS:.0f}",
    )
    peak = loudness.true_peak_dbtp
    if peak is not None:
        name, sure = PEAK_TO_LOUDNESS.grade(peak - lufs)
        evidence = f"peak to loudness ratio {peak - lufs:.1f} dB"
        yield InsightTag(name=f"dynamics:{name}", confidence=sure, evidence=evidence)
        if peak > TRUE_PEAK_LIMIT_DBTP:
            evidence = f"true peak {peak:.1f} dBTP, above {TRUE_PEAK_LIMIT_DBTP:.0f}"
            yield InsightTag(name="peak:over-streaming-limit", confidence=1.0, evidence=evidence)
    long_enough = groups.duration_s is not None and groups.duration_s >= SHORTEST_FOR_RANGE_S
    if loudness.range_lu is not None and long_enough:
        name, sure = RANGES.grade(loudness.range_lu)
        evidence = f"loudness range {loudness.range_lu:.1f} LU"
        yield InsightTag(name=f"range:{name}", confidence=sure, evidence=evidence)
