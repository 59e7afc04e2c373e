"""Fetching: a remote source's bytes into a file without a name, within a size and a time.

A thread of its own reads, since hosts that resolve for ever, or send a byte a minute, must not keep the caller from
noticing a cancel. The caller looks on and tells how far it is.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from io import FileIO
from tempfile import TemporaryFile
from typing import Final, Protocol

from harken.media.bucket_source import BucketSources
from harken.media.https_source import HttpsSources
from harken.media.source_errors import SourceTooLarge, SourceTooSlow
from harken.media.source_rules import SourceRules
from harken.media.stream import Cut, Stream
from harken.media.uri import BUCKETS, HTTPS, SourceUri, parse_uri

LOOK_EVERY_S: Final = 0.1  # how often it is told how far it is, and heard whether to go on

OnBytes = Callable[[int, int | None], None]
"""Is told the bytes that are here and those that were announced; what it raises ends the fetching."""


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """The most bytes of a source, and the seconds in which it has to be here."""

    largest_bytes: int
    longest_s: float


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file without a name, at its start, to be closed by whoever has it, and the SHA-256 of its bytes."""

    file: FileIO
    sha256: str


class Remote(Protocol):
    """A kind of remote source."""

    def open(self, uri: SourceUri, cut: Cut) -> AbstractContextManager[Stream]:
        """The bytes of an address."""
        ...


class Sources:
    """The kinds of remote sources, by the scheme of their addresses."""

    def __init__(self, rules: SourceRules, *, https: Remote | None = None) -> None:
        buckets: Remote = BucketSources(rules)
        self._kinds = {HTTPS: https or HttpsSources(rules), **dict.fromkeys(BUCKETS, buckets)}

    def fetch(self, text: str, limits: FetchLimits, on_bytes: OnBytes) -> Fetched:
        """The file at an address.

        Raises SourceError for what is wrong with the source, OSError (SourceUnreachable) for what may be right another
        time, and what `on_bytes` raises.
        """
        uri = parse_uri(text)
        download = _Download(self._kinds[uri.scheme], uri, limits)
        try:
            return download.watched(on_bytes)
        finally:
            download.abandon()


class _Download:
    """One file on its way: `received` of `size` bytes are here."""

    def __init__(self, kind: Remote, uri: SourceUri, limits: FetchLimits) -> None:
        self.received = 0
        self.size: int | None = None
        self._kind = kind
        self._uri = uri
        self._limits = limits
        self._cut = Cut()
        self._abandoned = False
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._file: FileIO | None = None
        self._hash = hashlib.sha256()
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def watched(self, on_bytes: OnBytes) -> Fetched:
        """Waits until the file is here."""
        on_bytes(0, None)
        deadline = time.monotonic() + self._limits.longest_s
        self._thread.start()
        while not self._ended.wait(LOOK_EVERY_S):
            on_bytes(self.received, self.size)
            if time.monotonic() > deadline:
                raise SourceTooSlow(
                    self._uri.shown,
                    f"{self._uri.shown} took longer than {self._limits.longest_s:g} s to fetch."
                    " Put it where it is had faster, or upload it.",
                )
        if self._failure is not None:
            raise self._failure
        on_bytes(self.received, self.received)
        file, self._file = self._file, None
        assert file is not None  # of a thread that has ended without a failure
        return Fetched(file=file, sha256=self._hash.hexdigest())

    def abandon(self) -> None:
        """Lets go of what was not taken. The thread is not waited for; should it go on, it writes nothing any more."""
        self._abandoned = True
        if not self._ended.is_set():
            self._cut.now()
        elif self._file is not None:
            self._file.close()
            self._file = None

    def _run(self) -> None:
        try:
            self._file = self._received()
        except BaseException as error:  # the caller's to raise
            self._failure = error
        finally:
            self._ended.set()
            if self._abandoned and self._file is not None:
                self._file.close()

    def _received(self) -> FileIO:
        # Without buffers: what fills the disk is an error of the write that does.
        file = _unnamed_file()
        try:
            with self._kind.open(self._uri, self._cut) as stream:
                self.size = stream.size
                self._check_size(stream.size or 0)
                for block in stream.blocks:
                    self._check_size(self.received + len(block))
                    if self._abandoned:
                        break
                    _write(file, block)
                    self._hash.update(block)
                    self.received += len(block)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def _check_size(self, size: int) -> None:
        if size > self._limits.largest_bytes:
            limit = f"{self._limits.largest_bytes / 1e6:,.0f} MB"
            message = f"{self._uri.shown} has more than {limit}, the most that is fetched."
            raise SourceTooLarge(self._uri.shown, message)


def _unnamed_file() -> FileIO:
    """A file in TMPDIR that is gone when it is closed, also by a process's death."""
    with TemporaryFile(buffering=0, prefix="harken-fetch-") as file:
        return FileIO(os.dup(file.fileno()), "r+b")


def _write(file: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        with suppress(InterruptedError):
            rest = rest[file.write(rest) :]
