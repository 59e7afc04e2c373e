"""Uploads, from their first byte to their end. Of several calls one receives; its writes are fenced by its own id."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from harken.jobs.errors import (
    JobsError,
    UploadBusy,
    UploadElsewhere,
    UploadIdReused,
    UploadIncomplete,
    UploadInUse,
    UploadLost,
    UploadNotFound,
)
from harken.jobs.files import blobs
from harken.jobs.files.blobs import Bytes, StoredBytes
from harken.jobs.files.upload import WRITER_LEASE, NewUpload, Opened, Part, Upload, UploadState
from harken.jobs.store.schema import BLOBS, HOLDING_UPLOADS, JOBS, UPLOAD_PARTS, UPLOADS

CHUNK = 500  # uploads that one transaction deletes or looks up

_COLUMNS = tuple(
    UPLOADS.c[name]
    for name in [
        "upload_id",
        "owner",
        "state",
        "filename",
        "received",
        "size",
        "sha256",
        "resumable",
        "create_time",
        "expire_time",
    ]
)


def open_upload(
    connection: Connection,
    new: NewUpload,
    *,
    owner: str,
    offset: int,
    writer: str,
    now: datetime,
    kept_for: timedelta,
) -> Opened:
    """Lets a call, `writer`, receive an upload from `offset` on.

    It comes back complete when it was, or when its bytes are known here by their SHA-256. Raises UploadNotFound,
    UploadBusy, UploadElsewhere and UploadIdReused.
    """
    row = _row(connection, new.upload_id, owner, lock=True)
    if row is None:
        if offset:
            raise UploadNotFound(new.upload_id)
        _insert(connection, new, owner, writer, now, kept_for)
    else:
        _check_same(row, new)
        if row.state == UploadState.COMPLETE:
            return Opened(upload=_upload(row))
        if row.writer is not None and row.writer_expires_at > now:
            raise UploadBusy(new.upload_id)
    known = _known(connection, new, owner, now)
    if known is not None:
        parts = parts_of(connection, new.upload_id, owner=owner)
        upload = _complete(connection, new.upload_id, owner, known, now, kept_for)
        return Opened(upload=upload, orphans=[part.key for part in parts])
    if row is not None:
        if row.received != offset:
            raise UploadElsewhere(new.upload_id, offset, row.received)
        values = {"writer": writer, "writer_expires_at": now + WRITER_LEASE}
        connection.execute(update(UPLOADS).where(_is(new.upload_id, owner)).values(**values))
    # Parts of which nothing is durable were begun by a call that was lost.
    parts = parts_of(connection, new.upload_id, owner=owner)
    empty = [part.key for part in parts if not part.size]
    connection.execute(delete(UPLOAD_PARTS).where(UPLOAD_PARTS.c.key.in_(empty)))
    return Opened(
        upload=get_upload(connection, new.upload_id, owner=owner),
        parts=tuple(part for part in parts if part.size),
        orphans=empty,
    )


def begin_part(
    connection: Connection, upload_id: str, key: str, *, owner: str, writer: str, now: datetime
) -> None:
    """Notes that the call is about to write bytes under a key. Raises UploadLost."""
    _hold(connection, upload_id, owner, writer, now)
    query = select(UPLOAD_PARTS.c.position).where(
        UPLOAD_PARTS.c.owner == owner, UPLOAD_PARTS.c.upload_id == upload_id
    )
    position = max(connection.execute(query).scalars(), default=-1) + 1
    values = {"owner": owner, "upload_id": upload_id, "position": position}
    connection.execute(insert(UPLOAD_PARTS).values(key=key, size=0, **values))


def advance(
    connection: Connection,
    upload_id: str,
    part: Part,
    *,
    owner: str,
    writer: str,
    now: datetime,
) -> None:
    """Notes that so many bytes of the part being written are durable. Raises UploadLost."""
    _hold(connection, upload_id, owner, writer, now)
    grown = update(UPLOAD_PARTS).where(UPLOAD_PARTS.c.key == part.key).values(size=part.size)
    connection.execute(grown)
    received = sum(piece.size for piece in parts_of(connection, upload_id, owner=owner))
    connection.execute(update(UPLOADS).where(_is(upload_id, owner)).values(received=received))


def renew(
    connection: Connection, upload_id: str, *, owner: str, writer: str, now: datetime
) -> None:
    """Says that the call is still there. Raises UploadLost."""
    _hold(connection, upload_id, owner, writer, now)


def complete(
    connection: Connection,
    upload_id: str,
    content: Bytes,
    *,
    owner: str,
    writer: str,
    now: datetime,
    kept_for: timedelta,
) -> Opened:
    """All is there, and is `content`. Raises UploadLost."""
    _hold(connection, upload_id, owner, writer, now)
    parts = parts_of(connection, upload_id, owner=owner)
    key = blobs.keep(connection, content, owner=owner, now=now)
    upload = _complete(connection, upload_id, owner, content, now, kept_for)
    surplus = {part.key for part in parts} | {content.key}
    return Opened(upload=upload, orphans=sorted(surplus - {key}))


def leave(
    connection: Connection,
    upload_id: str,
    *,
    owner: str,
    writer: str,
    forget: bool,
) -> tuple[str, ...]:
    """The call has ended without an end of the upload; to `forget` it deletes it. Returns keys of orphans."""
    mine = and_(_is(upload_id, owner), UPLOADS.c.writer == writer)
    if not forget:
        free = {"writer": None, "writer_expires_at": None}
        connection.execute(update(UPLOADS).where(mine).values(**free))
        return ()
    row = connection.execute(select(UPLOADS.c.upload_id).where(mine).with_for_update()).first()
    return () if row is None else _delete(connection, [(owner, upload_id)])


def get_upload(connection: Connection, upload_id: str, *, owner: str) -> Upload:
    """The upload. Raises UploadNotFound."""
    row = _row(connection, upload_id, owner)
    if row is None:
        raise UploadNotFound(upload_id)
    return _upload(row)


def parts_of(connection: Connection, upload_id: str, *, owner: str) -> tuple[Part, ...]:
    """What has arrived of an upload that is not complete, in order."""
    query = (
        select(UPLOAD_PARTS.c.key, UPLOAD_PARTS.c.size)
        .where(UPLOAD_PARTS.c.owner == owner, UPLOAD_PARTS.c.upload_id == upload_id)
        .order_by(UPLOAD_PARTS.c.position)
    )
    return tuple(Part(key=row.key, size=row.size) for row in connection.execute(query))


def content_of(connection: Connection, upload_id: str, *, owner: str) -> StoredBytes | None:
    """The bytes of a complete upload; None when there is none."""
    query = (
        select(BLOBS.c.key, BLOBS.c.sha256, BLOBS.c.size)
        .join(UPLOADS, and_(UPLOADS.c.owner == BLOBS.c.owner, UPLOADS.c.sha256 == BLOBS.c.sha256))
        .where(_is(upload_id, owner), UPLOADS.c.state == UploadState.COMPLETE.value)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else StoredBytes(key=row.key, sha256=row.sha256, size=row.size)


def hold(
    connection: Connection,
    upload_ids: Collection[str],
    *,
    owner: str,
    now: datetime,
    kept_for: timedelta,
) -> dict[str, JobsError]:
    """Keeps uploads that are being submitted for as long as if they had just come.

    Returns why not, of those that cannot be submitted: UploadNotFound or UploadIncomplete.
    """
    refused: dict[str, JobsError] = {}
    wanted = sorted(set(upload_ids))
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        mine = and_(UPLOADS.c.owner == owner, UPLOADS.c.upload_id.in_(some))
        # The update first: who is about to delete one of them has it by then, or has to wait.
        complete = UPLOADS.c.state == UploadState.COMPLETE.value
        connection.execute(update(UPLOADS).where(mine, complete).values(expire_time=now + kept_for))
        query = select(UPLOADS.c.upload_id, UPLOADS.c.state, UPLOADS.c.received).where(mine)
        found = {row.upload_id: row for row in connection.execute(query)}
        for upload_id in some:
            row = found.get(upload_id)
            if row is None:
                refused[upload_id] = UploadNotFound(upload_id)
            elif row.state != UploadState.COMPLETE:
                refused[upload_id] = UploadIncomplete(upload_id, row.received)
    return refused


def filenames(connection: Connection, upload_ids: Collection[str], *, owner: str) -> dict[str, str]:
    """What the files of uploads were called; those that are not there are left out."""
    wanted = sorted(set(upload_ids))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), CHUNK):
        some = UPLOADS.c.upload_id.in_(wanted[start : start + CHUNK])
        query = select(UPLOADS.c.upload_id, UPLOADS.c.filename)
        rows = connection.execute(query.where(UPLOADS.c.owner == owner, some))
        found.update({row.upload_id: row.filename for row in rows})
    return found


def delete_upload(connection: Connection, upload_id: str, *, owner: str) -> tuple[str, ...]:
    """Deletes an upload; returns keys of orphans. Raises UploadNotFound and UploadInUse."""
    if _row(connection, upload_id, owner, lock=True) is None:
        raise UploadNotFound(upload_id)
    if connection.execute(
        select(UPLOADS.c.upload_id).where(_is(upload_id, owner), _held())
    ).first():
        raise UploadInUse(upload_id)
    return _delete(connection, [(owner, upload_id)])


def delete_expired(connection: Connection, now: datetime) -> tuple[int, tuple[str, ...]]:
    """Deletes up to `CHUNK` uploads that have expired, or broke off for good.

    Returns how many, and keys of orphans.
    """
    lost = and_(
        UPLOADS.c.state == UploadState.RECEIVING.value,
        UPLOADS.c.resumable.is_(False),
        or_(UPLOADS.c.writer_expires_at.is_(None), UPLOADS.c.writer_expires_at < now),
    )
    silent = or_(UPLOADS.c.writer.is_(None), UPLOADS.c.writer_expires_at < now)
    expired = and_(UPLOADS.c.expire_time < now, silent, ~_held())
    query = (
        select(UPLOADS.c.owner, UPLOADS.c.upload_id)
        .where(or_(lost, expired))
        .limit(CHUNK)
        .with_for_update(skip_locked=True)
    )
    found = [(row.owner, row.upload_id) for row in connection.execute(query)]
    return len(found), _delete(connection, found) if found else ()


def _known(connection: Connection, new: NewUpload, owner: str, now: datetime) -> StoredBytes | None:
    if new.sha256 is None:
        return None
    known = blobs.use(connection, new.sha256, owner=owner, now=now)
    if known is not None and new.size not in (None, known.size):
        raise UploadIdReused(new.upload_id)
    return known


def _check_same(row: Row[Any], new: NewUpload) -> None:
    """Raises UploadIdReused when other bytes were announced before."""
    for before, announced in ((row.size, new.size), (row.sha256, new.sha256)):
        if before is not None and announced is not None and before != announced:
            raise UploadIdReused(new.upload_id)


def _insert(
    connection: Connection,
    new: NewUpload,
    owner: str,
    writer: str,
    now: datetime,
    kept_for: timedelta,
) -> None:
    """Makes the upload. Raises UploadBusy when another call has just done that."""
    insert_ = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    made = connection.execute(
        insert_(UPLOADS)
        .values(
            owner=owner,
            upload_id=new.upload_id,
            state=UploadState.RECEIVING.value,
            filename=new.filename,
            received=0,
            size=new.size,
            sha256=new.sha256,
            resumable=new.resumable,
            writer=writer,
            writer_expires_at=now + WRITER_LEASE,
            create_time=now,
            expire_time=now + kept_for,
        )
        .on_conflict_do_nothing()
        .returning(UPLOADS.c.upload_id)
    )
    if made.one_or_none() is None:
        raise UploadBusy(new.upload_id)


def _complete(
    connection: Connection,
    upload_id: str,
    owner: str,
    content: Bytes,
    now: datetime,
    kept_for: timedelta,
) -> Upload:
    connection.execute(
        delete(UPLOAD_PARTS).where(
            UPLOAD_PARTS.c.owner == owner, UPLOAD_PARTS.c.upload_id == upload_id
        )
    )
    written = (
        update(UPLOADS)
        .where(_is(upload_id, owner))
        .values(
            state=UploadState.COMPLETE.value,
            received=content.size,
            size=content.size,
            sha256=content.sha256,
            writer=None,
            writer_expires_at=None,
            expire_time=now + kept_for,
        )
        .returning(*_COLUMNS)
    )
    return _upload(connection.execute(written).one())


def _hold(connection: Connection, upload_id: str, owner: str, writer: str, now: datetime) -> None:
    """Prolongs the hold of a call on its upload. Raises UploadLost."""
    held = (
        update(UPLOADS)
        .where(_is(upload_id, owner), UPLOADS.c.writer == writer)
        .values(writer_expires_at=now + WRITER_LEASE)
    )
    if connection.execute(held).rowcount != 1:
        raise UploadLost(upload_id)


def _delete(connection: Connection, found: list[tuple[str, str]]) -> tuple[str, ...]:
    """Deletes uploads with their parts; returns the keys of these."""
    keys: list[str] = []
    for table in (UPLOAD_PARTS, UPLOADS):
        gone = delete(table).where(tuple_(table.c.owner, table.c.upload_id).in_(found))
        if table is UPLOAD_PARTS:
            keys += connection.execute(gone.returning(UPLOAD_PARTS.c.key)).scalars()
        else:
            connection.execute(gone)
    return tuple(keys)


def _held() -> ColumnElement[bool]:
    """Whether a job that has not ended has the upload as its source."""
    return exists().where(
        JOBS.c.owner == UPLOADS.c.owner, JOBS.c.source == UPLOADS.c.upload_id, HOLDING_UPLOADS
    )


def _is(upload_id: str, owner: str) -> ColumnElement[bool]:
    return and_(UPLOADS.c.owner == owner, UPLOADS.c.upload_id == upload_id)


def _row(
    connection: Connection, upload_id: str, owner: str, *, lock: bool = False
) -> Row[Any] | None:
    query = select(UPLOADS).where(_is(upload_id, owner))
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _upload(row: Row[Any]) -> Upload:
    return Upload(
        upload_id=row.upload_id,
        owner=row.owner,
        state=UploadState(row.state),
        filename=row.filename,
        received=row.received,
        size=row.size,
        sha256=row.sha256,
        resumable=row.resumable,
        create_time=row.create_time,
        expire_time=row.expire_time,
    )
