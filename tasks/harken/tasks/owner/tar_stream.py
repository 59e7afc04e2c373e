"""A gzipped tar archive that is written from the beginning to the end, in flat memory however much there is in it."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Self

LEVEL = 1  # most of an archive is sound, which does not get smaller


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file in the archive."""

    name: str
    size: int
    sha256: str


class TarStream:
    """Files go in one after the other."""

    def __init__(self, file: BinaryIO, now: datetime) -> None:
        self._stack = ExitStack()
        packed = self._stack.enter_context(
            gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=file, mtime=0)
        )
        self._tar = self._stack.enter_context(
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 # the stack closes it
        )
        self._mtime = int(now.timestamp())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, name: str, content: bytes) -> Member:
        """Adds a file."""
        self._add(name, len(content), io.BytesIO(content))
        return Member(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())

    def add_blocks(self, name: str, size: int, blocks: Iterable[memoryview]) -> None:
        """Adds a file of known size; `blocks` have to have as many bytes."""
        self._add(name, size, _Blocks(blocks))

    def _add(self, name: str, size: int, content: io.IOBase) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, self._mtime, 0o600
        self._tar.addfile(info, content)
        # It would remember each, for a list that nobody asks for.
        self._tar.members.clear()  # pyright: ignore[reportAttributeAccessIssue] # the stubs lack it


class _Blocks(io.RawIOBase):
    """Blocks of bytes as a file to read."""

    def __init__(self, blocks: Iterable[memoryview]) -> None:
        self._blocks = iter(blocks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """As many bytes as are asked for, fewer at the end."""
        parts: list[bytes] = []
        while size > 0:
            if not self._rest:
                block = next(self._blocks, None)
                if block is None:
                    break
                self._rest = block
            part = self._rest[:size]
            self._rest = self._rest[len(part) :]
            parts.append(bytes(part))
            size -= len(part)
        return b"".join(parts)
