"""Sounds for tests of searches: results whose vectors have a known likeness."""

import math
from typing import Any

from harken.jobs.similarity.wanted import DIMENSIONS

MODEL = "test-1"


def towards(degrees: float, *, of: int = 0) -> tuple[float, ...]:
    """A vector at an angle to axis `of`, in the plane with the axis after it."""
    vector = [0.0] * DIMENSIONS
    vector[of] = math.cos(math.radians(degrees))
    vector[of + 1] = math.sin(math.radians(degrees))
    return tuple(vector)


def result(
    vector: tuple[float, ...],
    *,
    model: str = MODEL,
    duration_s: float = 2.0,
    tempo_bpm: float | None = None,
    key: str | None = None,
    mode: str | None = None,
    fingerprint: str | None = None,
) -> dict[str, Any]:
    """A result as the engine gives it, what does not exist left out."""
    embedding: dict[str, Any] = {"vector": list(vector), "model": model}
    if fingerprint is not None:
        embedding["fingerprint"] = fingerprint
    found: dict[str, Any] = {"media": {"duration_s": duration_s}, "embedding": embedding}
    found["rhythm"] = {} if tempo_bpm is None else {"tempo_bpm": tempo_bpm}
    found["tonal"] = {} if key is None else {"key": key, "mode": mode}
    return found
