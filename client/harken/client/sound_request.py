"""The calls that search by sound: shared by the sync and the asyncio client."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from harken.client import requests
from harken.client.analysis_result import Embedding
from harken.client.convert import decode, number_of
from harken.client.enums import SoundClass
from harken.client.errors import InvalidRequest
from harken.client.job import Source
from harken.client.requests import BatchRef, HasJobId, JobRef
from harken.client.rpc import Rpc
from harken.client.sound import DuplicateGroup, SimilarSound
from harken.v1 import similarity_service_pb2 as pb

Query = JobRef | os.PathLike[str] | Source | Embedding
"""A job, by its id or as itself; a file or address; or the embedding of a result."""
Bounds = tuple[float | None, float | None]
"""At least and at most; None for no bound."""
SoundClasses = Iterable[SoundClass | str] | str

MAX_SOUNDS = 200
"""The server's cap of sounds a page."""
SOURCE_TIMEOUT_S = 60.0
"""How long a call waits that has a file analysed, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class SimilarPage:
    """A page of what a search has found."""

    sounds: tuple[SimilarSound, ...]
    next_page_token: str
    job_id: str | None


@dataclass(frozen=True, kw_only=True)
class DuplicatesPage:
    """A page of groups of duplicates."""

    groups: tuple[DuplicateGroup, ...]
    next_page_token: str
    looked_at: int
    without_fingerprint: int


def is_source(query: Query) -> bool:
    """Whether a file or an address is meant."""
    if isinstance(query, str):
        return not _is_uuid(query)
    return isinstance(query, os.PathLike | Source)


def find_similar(
    query: Query,
    *,
    labels: Mapping[str, str] | None,
    tempo_bpm: Bounds | None,
    duration_s: Bounds | None,
    key: str | None,
    mode: str | None,
    related_keys: bool,
    classes: SoundClasses | None,
    batch: BatchRef | None,
) -> pb.FindSimilarRequest:
    """The request for the first page."""
    tempo_min, tempo_max = tempo_bpm or (None, None)
    duration_min, duration_max = duration_s or (None, None)
    wanted = requests.valid(
        pb.SoundFilter,
        labels=labels,
        tempo_bpm_min=tempo_min,
        tempo_bpm_max=tempo_max,
        duration_s_min=duration_min,
        duration_s_max=duration_max,
        key=key,
        mode=mode,
        related_keys=related_keys,
        classes=[number_of(kind) for kind in _classes(classes)],
        batch_id=None if batch is None else requests.batch_id_of(batch),
    )
    request = pb.FindSimilarRequest(filter=wanted)
    if isinstance(query, Embedding):
        vector = requests.valid(pb.QueryVector, values=query.vector, model=query.model)
        request.vector.CopyFrom(vector)
    elif isinstance(query, os.PathLike | Source) or (isinstance(query, str) and is_source(query)):
        request.source.CopyFrom(requests.source_message(query))
    else:
        job: str | UUID | HasJobId = query
        request.job_id = requests.job_id_of(job)
    return request


def similar_page(request: pb.FindSimilarRequest) -> Rpc[SimilarPage]:
    """One page."""

    def page(got: pb.FindSimilarResponse) -> SimilarPage:
        return SimilarPage(
            sounds=tuple(decode(SimilarSound, sound) for sound in got.sounds),
            next_page_token=got.next_page_token,
            job_id=got.job_id if got.HasField("job_id") else None,
        )

    return Rpc(lambda on: on.similarity.FindSimilar, request, page)


def go_on(request: pb.FindSimilarRequest, page: SimilarPage, wanted: int) -> None:
    """Makes the request for a page into that for the next one, with so many sounds."""
    if request.WhichOneof("query") == "source" and page.job_id:
        request.job_id = page.job_id
    request.page_token = page.next_page_token
    request.page_size = min(wanted, MAX_SOUNDS)


def find_duplicates(
    *, job: JobRef | None, batch: BatchRef | None, labels: Mapping[str, str] | None
) -> pb.FindDuplicatesRequest:
    """The request for the first page."""
    if job is not None and batch is not None:
        raise InvalidRequest("Name a job or a batch, not both.", reason="TWO_SCOPES")
    return requests.valid(
        pb.FindDuplicatesRequest,
        job_id=None if job is None else requests.job_id_of(job),
        batch_id=None if batch is None else requests.batch_id_of(batch),
        labels=labels,
    )


def duplicates_page(request: pb.FindDuplicatesRequest) -> Rpc[DuplicatesPage]:
    """One page."""

    def page(got: pb.FindDuplicatesResponse) -> DuplicatesPage:
        return DuplicatesPage(
            groups=tuple(decode(DuplicateGroup, group) for group in got.groups),
            next_page_token=got.next_page_token,
            looked_at=got.looked_at,
            without_fingerprint=got.without_fingerprint,
        )

    return Rpc(lambda on: on.similarity.FindDuplicates, request, page)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _classes(classes: SoundClasses | None) -> list[SoundClass]:
    names: Any = [classes] if isinstance(classes, str) else classes or ()
    known = [kind for kind in SoundClass if kind is not SoundClass.UNKNOWN]
    wanted: list[SoundClass] = []
    for name in names:
        plain = str(name).strip().upper().replace("-", "_")
        if plain not in known:
            raise InvalidRequest(
                f"There is no class of sounds {str(name)!r}. There are: {', '.join(known)}.",
                reason="UNKNOWN_CLASS",
            )
        wanted.append(SoundClass(plain))
    return wanted
