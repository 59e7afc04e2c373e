"""The body of an owner's export: every row and every byte that is held, as one archive with a manifest.

rows/jobs-00001.jsonl    a JSON object a row, in parts of some megabytes
bytes/SHA256             what uploads and artifacts are, under their SHA-256
parts/UPLOAD/POSITION    what has arrived of uploads that are not complete
manifest.json            what there is: the last file, for only then is it known
"""

import base64
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import Any

import orjson
from sqlalchemy import JSON, Row

from harken.jobs.owners import holdings
from harken.jobs.owners.holdings import HOLDINGS, Holding
from harken.jobs.store.schema import BLOBS, UPLOAD_PARTS
from harken.media.storage_errors import BlobMissing
from harken.tasks.artifact import new_artifact
from harken.tasks.export.rows import FIRST_PAGE, next_limit
from harken.tasks.job_task import utc_now
from harken.tasks.owner.tar_stream import Member, TarStream
from harken.tasks.work import Ending, Work

STAGE = "export"
NAME = "owner.tar.gz"
MEDIA_TYPE = "application/gzip"
FORMAT = 1  # of the archive, for programs that read it


def run(work: Work) -> Ending:
    """Writes the archive, as an artifact of the job."""
    owner: str = (work.job.spec or {})["owner"]
    now = utc_now()
    with new_artifact(work, name=NAME, media_type=MEDIA_TYPE) as artifact:
        with TarStream(artifact.file, now) as archive:
            _Export(work, archive, owner).write(now)
        return work.done(alongside=artifact.finish())


class _Export:
    """One owner's, into one archive."""

    def __init__(self, work: Work, archive: TarStream, owner: str) -> None:
        self._work = work
        self._archive = archive
        self._owner = owner
        self._rows: dict[str, int] = {}
        self._members: list[Member] = []
        self._missing: list[str] = []

    def write(self, now: datetime) -> None:
        """Writes all of it."""
        for place, holding in enumerate(HOLDINGS):
            for number, rows in enumerate(self._pages(holding), start=1):
                self._report(place, holding, number)
                lines = b"".join(_line(holding, row) for row in rows)
                name = f"rows/{holding.name}-{number:05}.jsonl"
                self._members.append(self._archive.add(name, lines))
                if holding.has_bytes:
                    self._add_bytes(place, holding, rows)
        manifest = {
            "format": FORMAT,
            "owner": self._owner,
            "time": now,
            "harken": version("harken"),
            "rows": self._rows,
            "files": [asdict(member) for member in self._members],
            "missing_bytes": self._missing,
        }
        text = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
        self._archive.add("manifest.json", text)

    def _pages(self, holding: Holding) -> Iterator[list[Row[Any]]]:
        after, limit = None, FIRST_PAGE
        self._rows[holding.name] = 0
        while rows := self._work.read(self._page(holding, after, limit)):
            yield rows
            self._rows[holding.name] += len(rows)
            after = tuple(getattr(rows[-1], column.name) for column in holding.order)
            limit = next_limit(len(rows), sum(len(str(tuple(row))) for row in rows))

    def _page(self, holding: Holding, after: tuple[Any, ...] | None, limit: int) -> Any:
        return lambda connection: holdings.page(
            connection, holding, self._owner, after=after, limit=limit
        )

    def _add_bytes(self, place: int, holding: Holding, rows: list[Row[Any]]) -> None:
        from harken.media.storage import Storage  # what forks must not have used the library before

        storage = Storage(self._work.settings.storage_url)
        for number, row in enumerate(rows, start=1):
            self._report(place, holding, number)
            try:
                first = next(storage.read(row.key, end=row.size), memoryview(b""))
            except BlobMissing:
                self._missing.append(_name_of(holding, row))
                continue
            rest = storage.read(row.key, start=len(first), end=row.size)
            self._archive.add_blocks(_name_of(holding, row), row.size, _watched(self, first, rest))

    def _report(self, place: int, holding: Holding, number: int) -> None:
        share = place / len(HOLDINGS)
        self._work.report(STAGE, share, f"{holding.name.replace('_', ' ')}, {number:,}")

    def still_wanted(self) -> None:
        """Between the blocks of a large file. Raises what `Work.report` raises."""
        self._work.report(STAGE, 0.0, "bytes")


def _watched(
    export: _Export, first: memoryview, rest: Iterator[memoryview]
) -> Iterator[memoryview]:
    yield first
    for block in rest:
        export.still_wanted()
        yield block


def _name_of(holding: Holding, row: Row[Any]) -> str:
    if holding.table is BLOBS:
        return f"bytes/{row.sha256}"
    assert holding.table is UPLOAD_PARTS, holding.name
    return f"parts/{row.upload_id}/{row.position:05}"


# What is JSON already, in JSON; the stubs lack it.
_as_it_is: Any = orjson.Fragment  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def _line(holding: Holding, row: Row[Any]) -> bytes:
    """A row as JSON; what is kept as JSON is put in as it is."""
    values: dict[str, Any] = {}
    for name, value in row._mapping.items():  # pyright: ignore[reportPrivateUsage] # SQLAlchemy's name for it
        as_json = isinstance(holding.table.c[name].type, JSON) and value is not None
        values[str(name)] = _as_it_is(value) if as_json else value
    # Bytes, which JSON lacks, in base64.
    return orjson.dumps(
        values,
        lambda value: base64.b64encode(value).decode(),
        option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE,
    )
