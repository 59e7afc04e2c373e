"""What can go wrong with kept bytes.

StorageError
├── BlobMissing          nothing is kept under the key
├── StorageFull          no space is left where bytes are kept
├── StorageOfAnother     the storage is that of another system
└── StorageUnavailable   the storage does not answer, or refuses harken
"""

import errno
import logging
from collections.abc import Generator
from contextlib import contextmanager

from obstore.exceptions import BaseError

LOG = logging.getLogger(__name__)

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageError(Exception):
    """Base of what can go wrong with kept bytes."""


class BlobMissing(StorageError):
    """Nothing is kept under the key."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Nothing is kept under {key}: it was deleted, or the storage was exchanged."
        )
        self.key = key


class StorageFull(StorageError):
    """No space is left where bytes are kept."""

    def __init__(self) -> None:
        super().__init__("The storage is full. Delete what is not needed, or enlarge it.")


class StorageOfAnother(StorageError):
    """The storage bears the mark of another system."""

    def __init__(self, key: str, found: str, system: str) -> None:
        LOG.error("the storage is that of the system %s, not of this one, %s", found, system)
        super().__init__(
            f"The storage (HARKEN_STORAGE_URL) is that of another harken: its object {key!r} names the system {found},"
            f" and this one, by its database, is {system}. They would delete each other's bytes. Give this one a"
            f" folder or prefix of its own; or delete that object where the other one is gone for good."
        )


class StorageUnavailable(StorageError):
    """The storage does not answer, or refuses harken; `cause` says how, for the log."""

    def __init__(self, cause: str) -> None:
        # A caller is not told where bytes are kept, nor by whom.
        LOG.warning("the storage: %s", cause)
        super().__init__(
            "The storage does not answer, or refuses harken; the server's log tells more."
            " Try again later."
        )
        self.cause = cause


@contextmanager
def storage_errors(key: str | None = None) -> Generator[None]:
    """Raises what the library and the system raise as errors of this module; `key` is what is read."""
    try:
        yield
    except FileNotFoundError as error:
        if key is None:  # a bucket or a folder, rather than what is in it
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
        raise BlobMissing(key) from error
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull from error
        raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
    except BaseError as error:
        raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
