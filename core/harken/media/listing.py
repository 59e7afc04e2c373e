"""What may be submitted of a folder, in pages: in bounded memory, and never outside the roots.

The order is that of names, folder by folder, so that a page can begin behind the last path of the one before whatever
has come or gone meanwhile. Folders that are links are not entered, or a listing might never end; links to files are
followed as far as they stay below a root.
"""

import heapq
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from harken.media.descent import folder_in
from harken.media.media_names import is_media_name
from harken.media.pattern import Pattern, Places, split_place
from harken.media.roots import MediaRoots, SourceError, SourceNotAFile
from harken.media.sorted_names import MOST_NAMES, SortedNames, from_name

LONGEST_S: Final = (
    2.0  # of a page: one that takes longer ends where it is, and the next one goes on
)
MOST_LEVELS: Final = 100  # of folders in each other; each takes a descriptor
MOST_UNREADABLE: Final = 100  # folders that a page names as unreadable
_SORTED: Final = SortedNames()
_FEWEST_NAMES: Final = 100  # of a folder that are looked at together, where a page holds fewer


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A file: `place` is what to submit, `position` where the listing goes on behind it."""

    place: str
    position: str
    size: int


@dataclass(kw_only=True)
class Page:
    """Some of what is listed; `last` is where the next page goes on behind, None for the end."""

    files: list[Listed] = field(default_factory=list[Listed])
    unreadable: list[str] = field(default_factory=list[str])
    last: str | None = None


def list_folder(
    roots: MediaRoots, place: str, *, after: str | None, size: int, every_name: bool
) -> Page:
    """A page of a folder, or of a pattern such as "music/**/*.flac", absolute or relative to a root.

    Without `every_name`, only names of sound and video, and none that is hidden. Raises SourceError.
    """
    folder, text = split_place(place)
    if not text and is_file(roots, folder):
        found = os.stat(roots.resolve(folder))
        return Page(
            files=[Listed(place=folder, position="", size=found.st_size)] if after is None else []
        )
    prefix = folder if not folder or folder.endswith("/") else folder + "/"
    pattern = Pattern.of(text, hidden=every_name)
    walk = _Walk(
        roots=roots,
        prefix=prefix,
        pattern=pattern,
        every_name=every_name,
        names_at_once=max(size + 1, _FEWEST_NAMES),
    )
    begin = tuple(after.split("/")) if after is not None else ()
    descriptor = roots.open_folder(folder)
    try:
        return walk.page(descriptor, begin, size)
    finally:
        os.close(descriptor)


def is_file(roots: MediaRoots, path: str) -> bool:
    """Whether a path is that of a file; one of nothing is none."""
    try:
        roots.resolve(path)
    except SourceNotAFile:
        return False
    return True


@dataclass(kw_only=True)
class _Walk:
    """One walk below a folder."""

    roots: MediaRoots
    prefix: str
    pattern: Pattern
    every_name: bool
    names_at_once: int
    unreadable: list[str] = field(default_factory=list[str])

    def page(self, folder: int, after: tuple[str, ...], size: int) -> Page:
        """At most so many files behind a path."""
        until = time.monotonic() + LONGEST_S
        page = Page(unreadable=self.unreadable)
        for path, found in self._below(folder, "", self.pattern.start, after):
            if len(page.files) == size:
                return page
            page.last = path
            if found is not None:
                page.files.append(Listed(place=self.prefix + path, position=path, size=found))
            if time.monotonic() > until:
                return page
        page.last = None
        return page

    def _below(
        self, folder: int, path: str, places: Places, after: tuple[str, ...]
    ) -> Iterator[tuple[str, int | None]]:
        """Files with their sizes; folders before they are entered, and what is passed over, without one."""
        first = after[0] if after else ""
        for name, is_folder in _names(folder, first, self.names_at_once):
            here = path + name
            led = self.pattern.after(places, name)
            if is_folder:
                if self.pattern.goes_on(led):
                    rest = after[1:] if name == first else ()
                    if name != first:
                        yield here, None
                    yield from self._within(folder, name, here, led, rest)
            elif (name, len(after)) != (first, 1):
                yield here, self._size(folder, name, here) if self._is_wanted(name, led) else None

    def _within(
        self, folder: int, name: str, path: str, led: Places, after: tuple[str, ...]
    ) -> Iterator[tuple[str, int | None]]:
        try:
            descriptor = folder_in(folder, name) if path.count("/") < MOST_LEVELS else None
        except OSError:  # not ours to read, gone, or a link by now
            descriptor = None
        if descriptor is None:
            if len(self.unreadable) < MOST_UNREADABLE and _can_be_sent(path):
                self.unreadable.append(self.prefix + path)
            return
        try:
            yield from self._below(descriptor, path + "/", led, after)
        finally:
            os.close(descriptor)

    def _is_wanted(self, name: str, led: Places) -> bool:
        named = self.every_name or (is_media_name(name) and not name.startswith("."))
        return named and self.pattern.ends(led) and _can_be_sent(name)

    def _size(self, folder: int, name: str, path: str) -> int | None:
        """The bytes of a file; None for what is none, or lies elsewhere."""
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                found = os.stat(self.roots.resolve(self.prefix + path))
        except (OSError, SourceError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None


def _names(folder: int, first: str, at_once: int) -> Iterator[tuple[str, bool]]:
    """The names in a folder from `first` on, in order, with whether each is a folder itself.

    Of a folder with more than `MOST_NAMES` only some are in memory at a time.
    """
    state = _SORTED.of(folder)
    if (known := _SORTED.known(state)) is not None:
        yield from from_name(known, first)
        return
    with os.scandir(folder) as entries:
        names = [
            (one.name, one.is_dir(follow_symlinks=False)) for one in islice(entries, MOST_NAMES + 1)
        ]
    if len(names) <= MOST_NAMES:
        names.sort()
        _SORTED.keep(state, names)
        yield from from_name(names, first)
        return
    behind, inclusive = first, True
    while True:
        with os.scandir(folder) as entries:
            later = (
                (entry.name, entry.is_dir(follow_symlinks=False))
                for entry in entries
                if entry.name > behind or (inclusive and entry.name == behind)
            )
            some = heapq.nsmallest(at_once, later)
        yield from some
        if len(some) < at_once:
            return
        behind, inclusive = some[-1][0], False


def _can_be_sent(name: str) -> bool:
    """Whether a name is text: others cannot be put into a message, and so not be submitted."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
