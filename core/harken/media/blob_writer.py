"""Writing bytes under a new key: into a file of the local folder, or to a remote storage as a multipart upload.

Both count and hash what they write. They are used by one thread at a time.
"""

import hashlib
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import obstore

from harken.media.blob import Blob
from harken.media.storage_errors import StorageError, storage_errors

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PART_BYTES = 8 * 1024 * 1024  # of a multipart upload; S3 takes 10,000 of them, which is 78 GiB
PARTS_AT_ONCE = 2  # more would need more memory than they bring speed


class BlobWriter(ABC):
    """Bytes on their way into the storage; left without `finish`, it leaves nothing behind."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.size = 0
        self._hash = hashlib.sha256()
        self._open = True
        self._blob: Blob | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._open:
            self.discard()

    def write(self, data: bytes | memoryview) -> int:
        """Appends bytes. Raises StorageError."""
        with storage_errors():
            self._write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def finish(self) -> Blob:
        """What was written, now durable; asked again, it says so again. Raises StorageError."""
        if self._blob is None:
            with storage_errors():
                self._finish()
            self._open = False
            self._blob = Blob(key=self.key, sha256=self._hash.hexdigest(), size=self.size)
        return self._blob

    def discard(self) -> None:
        """Takes away what was written; what cannot be taken away now is found by the clean-up later."""
        self._open = False
        with suppress(StorageError), storage_errors():
            self._discard()

    @abstractmethod
    def abandon(self) -> None:
        """Lets go without an end: what was made durable by `sync` stays."""

    @abstractmethod
    def sync(self) -> bool:
        """Makes durable what was written so far, if that can be done without an end; says whether."""

    @abstractmethod
    def _write(self, data: bytes | memoryview) -> None: ...

    @abstractmethod
    def _finish(self) -> None: ...

    @abstractmethod
    def _discard(self) -> None: ...


class LocalWriter(BlobWriter):
    """Writes a file."""

    def __init__(self, key: str, path: Path) -> None:
        super().__init__(key)
        self._path = path
        with storage_errors():
            make_folder(path.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(path, flags, 0o600)

    def abandon(self) -> None:
        """Lets go of the file."""
        self._open = False
        self._close()

    def sync(self) -> bool:
        """Makes durable what was written so far."""
        with storage_errors():
            os.fsync(self._file)
        return True

    def _write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]

    def _finish(self) -> None:
        os.fsync(self._file)
        self._close()
        # The names too: of the file in its folder, and of the folder in its own.
        for folder in (self._path.parent, self._path.parent.parent):
            entry = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(entry)
            finally:
                os.close(entry)

    def _discard(self) -> None:
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        file, self._file = self._file, -1  # once: its number may be another file's next
        if file >= 0:
            with suppress(OSError):
                os.close(file)


def make_folder(path: Path) -> None:
    """Makes a folder for this user alone, and what is missing above it likewise."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


class RemoteWriter(BlobWriter):
    """Writes an object, which is there once all of it is; in memory are a few parts at most."""

    def __init__(self, key: str, store: "ObjectStore") -> None:
        super().__init__(key)
        self._store = store
        self._object = obstore.open_writer(
            store, key, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
        )

    def abandon(self) -> None:
        """Takes away what was written."""
        self.discard()

    def sync(self) -> bool:
        """Nothing of an object is there before all of it is."""
        return False

    def _write(self, data: bytes | memoryview) -> None:
        self._object.write(data)

    def _finish(self) -> None:
        self._object.close()

    def _discard(self) -> None:
        # The library cannot abort a multipart upload, whose parts would stay: it is ended, and then deleted.
        with suppress(obstore.exceptions.BaseError):
            self._object.close()
        obstore.delete(self._store, self.key)
