"""Where uploaded bytes and artifacts are kept: a local folder, S3, Google Cloud Storage or Azure, by one URL.

Credentials and endpoints come from the process's environment, as each provider's own tools read them.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from harken.media import marker
from harken.media.blob import FOLDER, Kept, folder_of, new_key
from harken.media.blob_writer import BlobWriter, LocalWriter, RemoteWriter, make_folder
from harken.media.storage_errors import BlobMissing, StorageUnavailable, storage_errors

if TYPE_CHECKING:
    from obstore.store import ObjectStore

BLOCK_BYTES = (
    8 * 1024 * 1024
)  # that one request reads: memory stays flat, and no request lasts long
SCHEMES = ("file", "s3", "gs", "az")


class Storage:
    """Bytes under keys, which are made here and never used twice."""

    def __init__(self, url: str, *, system: str | None = None) -> None:
        """Opens the storage at a URL; nothing is asked of a remote one yet. Raises ValueError.

        Whoever writes or deletes says for which `system`: the storage is marked as its own, once.
        """
        self.url = url
        self._system = system
        self._claimed = False
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise ValueError(f"{url!r} is no storage: it has to begin with one of {known}")
        self._folder: Path | None = None
        if parts.scheme == "file":
            if parts.netloc or not parts.path.startswith("/"):
                raise ValueError(f"{url!r} names no folder of this machine: write file:///…")
            self._folder = Path(unquote(parts.path))
        self._opened: ObjectStore | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a folder."""
        return self._folder is not None

    def check(self) -> None:
        """Asks the storage for its first object. Raises StorageError when that cannot be had."""
        with storage_errors():
            next(iter(obstore.list(self._store, FOLDER, chunk_size=1)), None)

    def check_system(self) -> None:
        """Asks whose the storage is; one that nobody has used yet is nobody's. Raises StorageError."""
        if self._system is not None and (self._folder is None or self._folder.is_dir()):
            marker.check(self._store, self._system)

    def claim(self) -> None:
        """Makes the storage the system's, where it is nobody's. Raises StorageError, when it is another's too."""
        if self._system is not None and not self._claimed:
            marker.claim(self._store, self._system)
            self._claimed = True

    def new(self, owner: str) -> BlobWriter:
        """A writer under a new key of an owner's. Raises StorageError."""
        self.claim()
        key = new_key(owner)
        if self._folder is not None:
            return LocalWriter(key, self._folder / key)
        return RemoteWriter(key, self._store)

    def read(self, key: str, *, start: int = 0, end: int) -> Generator[memoryview]:
        """The bytes from `start` to before `end`, in blocks. Raises StorageError."""
        for place in range(start, end, BLOCK_BYTES):
            with storage_errors(key):
                got = obstore.get_range(
                    self._store, key, start=place, end=min(place + BLOCK_BYTES, end)
                )
            yield memoryview(got)

    async def read_async(self, key: str, *, start: int = 0, end: int) -> AsyncGenerator[memoryview]:
        """As `read`, without a thread: for an event loop, whose reader says when it wants the next block."""
        for place in range(start, end, BLOCK_BYTES):
            with storage_errors(key):
                got = await obstore.get_range_async(
                    self._store, key, start=place, end=min(place + BLOCK_BYTES, end)
                )
            yield memoryview(got)

    def open(
        self,
        key: str,
        size: int,
        *,
        folder: str | None = None,
        on_block: Callable[[int], None] | None = None,
    ) -> FileIO:
        """The bytes as a file open for reading: the kept one itself, or a nameless copy in `folder`.

        `on_block` hears of each block of a copy how many bytes came before it; what it raises ends the copying.
        Raises StorageError.
        """
        if self._folder is not None:
            with storage_errors(key):
                return FileIO(self._folder / key)
        with storage_errors():
            # Nameless from the start: a process that is killed leaves nothing behind.
            copy = TemporaryFile(buffering=0, prefix="harken-", dir=folder)  # noqa: SIM115 # the caller closes it
        try:
            done = 0
            for block in self.read(key, end=size):
                if on_block is not None:
                    on_block(done)
                done += len(block)
                with storage_errors():
                    left = block
                    while left:
                        left = left[copy.write(left) :]
            copy.seek(0)
        except BaseException:
            copy.close()
            raise
        return copy

    def delete(self, keys: Iterable[str]) -> None:
        """Deletes what is kept under the keys; what is not there is no error. Raises StorageError."""
        self.claim()
        for key in keys:
            with suppress(BlobMissing), storage_errors(key):
                obstore.delete(self._store, key)

    def listed(self, *, owner: str | None = None) -> Generator[list[Kept]]:
        """All that is kept, or all of an owner's, some at a time. Raises StorageError."""
        found = iter(obstore.list(self._store, FOLDER if owner is None else folder_of(owner)))
        while True:
            with storage_errors():
                some: Any = next(found, None)
            if some is None:
                return
            yield [
                Kept(key=one["path"], size=one["size"], time=one["last_modified"]) for one in some
            ]

    @property
    def _store(self) -> "ObjectStore":
        # Opened when it is first used: what forks must not have used the library before.
        if self._opened is None:
            if self._folder is not None:
                with storage_errors():
                    make_folder(self._folder)
                self._opened = LocalStore(self._folder)
            else:
                try:
                    self._opened = from_url(self.url)
                except (BaseError, ValueError) as error:
                    raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
        return self._opened
