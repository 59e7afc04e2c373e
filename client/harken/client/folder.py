"""What a folder, a pattern or a bucket holds that can be submitted, and the batches that it becomes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from harken.client.job import Source

MAX_ITEMS = 10_000
"""Items that the server takes in one batch; as many a page of a listing has."""
MAX_PLACE_BYTES = 16 * 1024 * 1024
"""Bytes of paths in one batch: half of the server's message limit, for what stands around them."""


@dataclass(frozen=True, kw_only=True)
class ListedSource:
    """A file that the server can read, to be submitted by its `source`."""

    source: Source | None = None
    size: int = 0
    """Bytes."""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.source or "")


@dataclass(frozen=True, kw_only=True)
class SourcePage:
    """A page of a listing."""

    sources: tuple[ListedSource, ...]
    unreadable_folders: tuple[str, ...]
    """Folders that were passed over, since they could not be read."""
    next_page_token: str


@dataclass
class Portions:
    """Gathers sources into portions that fit into one batch each."""

    _gathered: list[Source] = field(default_factory=list[Source])
    _size: int = 0

    def add(self, source: Source) -> list[Source] | None:
        """Takes one more; gives the portion before it where that is full."""
        size = len((source.path or source.uri or "").encode("utf-8", "replace"))
        full = None
        if self._gathered and (
            len(self._gathered) == MAX_ITEMS or self._size + size > MAX_PLACE_BYTES
        ):
            full = self.rest()
        self._gathered.append(source)
        self._size += size
        return full

    def rest(self) -> list[Source]:
        """What is left."""
        gathered, self._gathered, self._size = self._gathered, [], 0
        return gathered


def portions(found: Iterable[ListedSource]) -> Iterator[list[Source]]:
    """The sources of a listing in portions that fit into one batch each."""
    gathered = Portions()
    for one in found:
        if one.source is not None and (full := gathered.add(one.source)):
            yield full
    if rest := gathered.rest():
        yield rest
