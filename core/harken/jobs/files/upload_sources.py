"""Jobs whose source is an upload: it has to be complete, and is kept until they have ended."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from harken.jobs import submission
from harken.jobs.errors import JobsError, UploadNotFound
from harken.jobs.files import uploads
from harken.jobs.job import Job, NewBatch, NewJob, RefusedItem
from harken.jobs.queueing.waiting_room import WaitingRoom

UPLOAD = "upload_id"  # the kind of such a source

_REASONS: Mapping[bool, str] = {True: "UPLOAD_NOT_FOUND", False: "UPLOAD_INCOMPLETE"}


def submit_job(
    connection: Connection,
    new: NewJob,
    *,
    owner: str,
    now: datetime,
    kept_for: timedelta,
    room: WaitingRoom | None = None,
) -> Job:
    """Makes the job of an upload, or finds the one that its request_id made.

    Raises RequestIdReused, QuotaExceeded, UploadNotFound and UploadIncomplete.
    """
    names = uploads.filenames(connection, [new.source.value], owner=owner)
    new = _named(new, names)
    job = submission.submit_job(connection, new, owner=owner, now=now, room=room)
    held = uploads.hold(connection, [new.source.value], owner=owner, now=now, kept_for=kept_for)
    # What a request_id made before stands, whatever has become of the upload since.
    if job.create_time == now and held:
        raise held[new.source.value]
    return job


def with_uploads(
    connection: Connection, new: NewBatch, *, owner: str, now: datetime, kept_for: timedelta
) -> NewBatch:
    """The batch with its files' names, and with the items refused whose uploads cannot be submitted."""
    wanted = [item.source.value for _, item in new.items if item.source.kind == UPLOAD]
    held = uploads.hold(connection, wanted, owner=owner, now=now, kept_for=kept_for)
    names = uploads.filenames(connection, wanted, owner=owner)
    new = replace(new, items=tuple((index, _named(item, names)) for index, item in new.items))
    if not held:
        return new
    refused = [
        _refused(index, held[item.source.value])
        for index, item in new.items
        if _is_refused(item, held)
    ]
    return replace(
        new,
        items=tuple((index, item) for index, item in new.items if not _is_refused(item, held)),
        refused=tuple(sorted((*new.refused, *refused), key=lambda item: item.index)),
    )


def _named(new: NewJob, names: Mapping[str, str]) -> NewJob:
    return (
        replace(new, filename=names.get(new.source.value) or None)
        if new.source.kind == UPLOAD
        else new
    )


def _is_refused(item: NewJob, held: Mapping[str, JobsError]) -> bool:
    return item.source.kind == UPLOAD and item.source.value in held


def _refused(index: int, error: JobsError) -> RefusedItem:
    reason = _REASONS[isinstance(error, UploadNotFound)]
    return RefusedItem(index=index, reason=reason, message=str(error))
