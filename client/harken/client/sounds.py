"""`Client.sounds`: what sounds alike, and what is the same recording. Its twin is `harken.client.async_sounds`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

from harken.client import sound_request
from harken.client.errors import NotFound, OutsideRoots
from harken.client.exports import Call
from harken.client.requests import BatchRef, JobRef
from harken.client.sending import may_be_sent
from harken.client.sound import DuplicateGroup, SimilarSound
from harken.client.sound_request import Bounds, DuplicatesPage, Query, SimilarPage, SoundClasses

if TYPE_CHECKING:
    from harken.client.sync import Client
    from harken.v1.similarity_service_pb2 import FindSimilarRequest


class Sounds:
    """The calls of SimilarityService, on a client."""

    def __init__(self, client: Client, call: Call) -> None:
        self._client = client
        self._call = call

    def similar(
        self,
        query: Query,
        *,
        labels: Mapping[str, str] | None = None,
        tempo_bpm: Bounds | None = None,
        duration_s: Bounds | None = None,
        key: str | None = None,
        mode: str | None = None,
        related_keys: bool = False,
        classes: SoundClasses | None = None,
        batch: BatchRef | None = None,
        limit: int = 10,
        timeout: float | None = None,
    ) -> tuple[SimilarSound, ...]:
        """The sounds nearest to one, the likest first, at most `limit`.

        The query is a job with an embedding, by its id or as itself; a file or an address, which is
        analysed first, as in `Client.submit`: a `pathlib.Path` that the server cannot see is sent to
        it; or the embedding of a result. Bounds are pairs, None for none.
        """
        request = sound_request.find_similar(
            query,
            labels=labels,
            tempo_bpm=tempo_bpm,
            duration_s=duration_s,
            key=key,
            mode=mode,
            related_keys=related_keys,
            classes=classes,
            batch=batch,
        )
        if timeout is None and sound_request.is_source(query):
            timeout = max(self._client.timeout, sound_request.SOURCE_TIMEOUT_S)
        request.page_size = min(limit, sound_request.MAX_SOUNDS)
        page = self._first(query, request, timeout)
        found = list(page.sounds)
        while page.next_page_token and len(found) < limit:
            sound_request.go_on(request, page, limit - len(found))
            page = self._call(sound_request.similar_page(request), timeout)
            found += page.sounds
        return tuple(found[:limit])

    def duplicates(
        self,
        *,
        job: JobRef | None = None,
        batch: BatchRef | None = None,
        labels: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Iterator[DuplicateGroup]:
        """Groups of the same recording: of a job's sound, within a batch, or among all that carry the labels."""
        for page in self.duplicates_pages(job=job, batch=batch, labels=labels, timeout=timeout):
            yield from page.groups

    def duplicates_pages(
        self,
        *,
        job: JobRef | None = None,
        batch: BatchRef | None = None,
        labels: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Iterator[DuplicatesPage]:
        """The same in pages, which say how far the search is; one may have no group."""
        request = sound_request.find_duplicates(job=job, batch=batch, labels=labels)
        while True:
            page = self._call(sound_request.duplicates_page(request), timeout)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _first(
        self, query: Query, request: FindSimilarRequest, timeout: float | None
    ) -> SimilarPage:
        try:
            return self._call(sound_request.similar_page(request), timeout)
        except (OutsideRoots, NotFound):
            if not isinstance(query, PurePath) or not may_be_sent(query):
                raise
        request.source.upload_id = self._client.media.upload(query).upload_id
        return self._call(sound_request.similar_page(request), timeout)
