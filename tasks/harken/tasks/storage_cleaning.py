"""What nobody needs any more in the storage: expired uploads, bytes to which nothing refers, and orphans.

Rows go first, then what they named: whoever dies in between leaves an orphan, and those that do it at once delete the
same twice, which is no error.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from harken.jobs import clock
from harken.jobs.files import blobs, uploads
from harken.media.storage import Storage

T = TypeVar("T")

LOG = logging.getLogger(__name__)

# Bytes are in the storage before the database knows of them: a while, when they are many.
ORPHANED_FOR = timedelta(days=1)


class Transact(Protocol):
    """Runs work in a transaction."""

    def __call__(self, work: Callable[[Connection], T], /) -> T: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """What was deleted, each by its number."""

    uploads: int = 0
    blobs: int = 0
    orphans: int = 0


def delete_expired(write: Transact, storage: Storage) -> Cleaned:
    """Deletes uploads that expired or broke off for good, and bytes to which nothing refers.

    Raises StorageError.
    """
    storage.claim()  # before the rows go that name what is another's to delete
    expired = unused = 0
    while True:
        number, keys = write(lambda c: uploads.delete_expired(c, clock.now(c)))
        storage.delete(keys)
        expired += number
        if not number:
            break
    while keys := write(lambda c: blobs.delete_unused(c, clock.now(c))):
        storage.delete(keys)
        unused += len(keys)
    if expired or unused:
        LOG.info("storage: %d uploads and the bytes of %d files deleted", expired, unused)
    return Cleaned(uploads=expired, blobs=unused)


def delete_orphans(
    read: Transact, storage: Storage, *, orphaned_for: timedelta = ORPHANED_FOR
) -> int:
    """Deletes what is kept and that nobody knows, as processes leave it that die; returns how many.

    Raises StorageError.
    """
    storage.claim()
    before = read(clock.now) - orphaned_for
    orphans = 0
    for some in storage.listed():
        old = [one.key for one in some if one.time < before]
        if not old:
            continue
        known = read(lambda c, keys=old: blobs.known_keys(c, keys))
        gone = [key for key in old if key not in known]
        storage.delete(gone)
        orphans += len(gone)
    if orphans:
        LOG.warning("storage: %d orphans deleted", orphans)
    return orphans
