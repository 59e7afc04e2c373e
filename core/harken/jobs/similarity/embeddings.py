"""Keeping what a job's sound is like, in the transaction that keeps its result."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from harken.jobs.similarity.sound_class import sound_class
from harken.jobs.store.schema import EMBEDDINGS, float32_bytes

QUERY = (
    "query"  # in the spec of a job that was made for a search: it is no part of what is searched
)

_KEEP = insert(EMBEDDINGS)


def keep(
    connection: Connection,
    job_id: str,
    *,
    owner: str,
    spec: Mapping[str, Any] | None,
    result: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keeps the vector of a result, if it has one and the job was not made for a search alone."""
    if not (spec or {}).get(QUERY) and (row := embedding_row(job_id, owner, result, now)):
        connection.execute(_KEEP, row)


def embedding_row(
    job_id: str, owner: str, result: Mapping[str, Any], now: datetime
) -> dict[str, Any] | None:
    """The row of a job with a result, which has the names of the contract's AnalysisResult; None without a vector."""
    embedding = result.get("embedding") or {}
    vector = embedding.get("vector")
    if not vector:
        return None
    media, rhythm, tonal = (result.get(name) or {} for name in ("media", "rhythm", "tonal"))
    duration_s = media.get("duration_s", embedding.get("duration_s"))
    tempo_bpm = rhythm.get("tempo_bpm")
    kind = sound_class(duration_s, tempo_bpm)
    fingerprint = embedding.get("fingerprint")
    return {
        "job_id": job_id,
        "owner": owner,
        "model": embedding["model"],
        "vector": vector,
        "digest": digest_of(vector),
        "fingerprint": base64.b64decode(fingerprint) if fingerprint else None,
        "tempo_bpm": tempo_bpm,
        "tonic": tonal.get("key"),
        "mode": tonal.get("mode"),
        "duration_s": duration_s,
        "sound_class": kind.value if kind else None,
        "create_time": now,
    }


def digest_of(vector: Any) -> int:
    """What vectors of the same samples have in common: 63 bits of their SHA-256, in single precision."""
    return int.from_bytes(hashlib.sha256(float32_bytes(vector)).digest()[:8], "big") >> 1
