"""What must hold of every result, whatever the file was."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from math import isfinite
from typing import Any, Final

from harken.audio import MAX_TIMES, AnalysisResult

# The least and the most that a field may be, by its name; None for no bound.
BOUNDS: Final[dict[str, tuple[float | None, float | None]]] = {
    "duration_s": (0.0, 48 * 3600.0),
    "start_time_s": (0.0, None),
    "sample_rate_hz": (1, None),
    "channels": (1, None),
    "bit_rate": (0, None),
    "non_finite_samples": (0, None),
    "tempo_bpm": (40.0, 240.0),
    "bpm": (20.0, 480.0),
    "confidence": (0.0, 1.0),
    "tempo_confidence": (0.0, 1.0),
    "key_confidence": (0.0, 1.0),
    "tuning_cents": (-50.0, 50.0),
    "beat_count": (0, None),
    "onset_count": (0, None),
    "rate_hz": (0.0, None),
    "centroid_hz_mean": (0.0, 11_025.1),
    "bandwidth_hz_mean": (0.0, 11_025.1),
    "rolloff_hz_mean": (0.0, 11_025.1),
    "centroid_hz_std": (0.0, 11_025.1),
    "bandwidth_hz_std": (0.0, 11_025.1),
    "rolloff_hz_std": (0.0, 11_025.1),
    "flatness_mean": (0.0, 1.0001),
    "flatness_std": (0.0, 1.0),
    "zero_crossing_rate_mean": (0.0, 1.0),
    "zero_crossing_rate_std": (0.0, 1.0),
    "range_lu": (0.0, None),
}


def insanities(result: AnalysisResult) -> list[str]:
    """What cannot be so in a result of all features, in words; none when it is sound."""
    found = list(_out_of_bounds(result, ""))
    try:
        json.dumps(result.to_dict(), allow_nan=False).encode()
        str(result.to_dict()).encode()
    except ValueError as error:
        found.append(f"to_dict: {error}")
    found += _times(result)
    found += _levels(result)
    if (embedding := result.embedding) and embedding.vector:
        norm = sum(value * value for value in embedding.vector)
        if len(embedding.vector) != 128 or abs(norm - 1) > 1e-3:
            found.append(f"embedding of {len(embedding.vector)} numbers, norm² {norm}")
    if (tonal := result.tonal) and not all(-1e-6 <= x <= 1.0001 for x in tonal.chroma_mean):
        found.append(f"chroma_mean {tonal.chroma_mean}")
    return found


def _out_of_bounds(value: Any, name: str) -> Iterator[str]:
    if is_dataclass(value):
        for field in fields(value):
            yield from _out_of_bounds(getattr(value, field.name), field.name)
    elif isinstance(value, tuple):
        for item in value:
            yield from _out_of_bounds(item, name)
    elif isinstance(value, int | float):
        least, most = BOUNDS.get(name, (None, None))
        above = least is None or value >= least
        below = most is None or value <= most
        if not (isfinite(value) and above and below):
            yield f"{name} is {value}"


def _times(result: AnalysisResult) -> Iterator[str]:
    assert result.media
    assert result.rhythm
    assert result.onsets
    duration = result.media.duration_s or 0.0
    for name, times, count in (
        ("beats", result.rhythm.beats_s, result.rhythm.beat_count or 0),
        ("onsets", result.onsets.onsets_s, result.onsets.onset_count or 0),
    ):
        if any(later <= earlier for earlier, later in pairwise(times)):
            yield f"{name} are not in order"
        if times and not (times[0] >= 0.0 and times[-1] <= duration):
            yield f"{name} from {times[0]} to {times[-1]} s in {duration} s"
        if len(times) != min(count, MAX_TIMES):
            yield f"{len(times)} {name}, counted {count}"


def _levels(result: AnalysisResult) -> Iterator[str]:
    loudness = result.loudness
    assert loudness
    peak, rms, true_peak = loudness.sample_peak_dbfs, loudness.rms_dbfs, loudness.true_peak_dbtp
    if peak is not None and rms is not None and rms > peak + 0.01:
        yield f"RMS {rms} above the peak {peak}"
    if peak is not None and true_peak is not None and true_peak < peak - 0.7:
        yield f"true peak {true_peak} below the sample peak {peak}"
    if peak is not None and peak > 241:
        yield f"peak {peak}"
