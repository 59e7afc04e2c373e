"""The folders below which files may be read, and the way from a submitted path to such a file.

SourceError
├── SourceOutside     the path leads out of the roots, by `..`, a symbolic link or as it stands
├── SourceNotFound    nothing is there
└── SourceNotAFile    a folder, a device, a pipe

The roots themselves, and what lies above them, are the operator's: what their paths lead to is believed. Nothing below
them is. Hard links are files as any other: who may make one to a file outside is for the file system to say.
"""

import os
import stat
import time
from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path

from harken.media.descent import PathChanged, open_below, open_folder_below

_NO_NAMES = ("", ".", "..")  # of a file
_LOOKS = 10  # at a path that changes while it is opened; nobody changes one so often in good faith
MOMENT_S = 1.0  # a resolver believes for so long what it has seen of a folder
LONGEST_SHOWN = 60  # characters of a path in a message: its end tells files apart


class SourceError(Exception):
    """A path that cannot be analysed. `reason` is for programs, `path` is as it was submitted."""

    reason = "SOURCE_ERROR"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class SourceOutside(SourceError):
    """The path leads out of the roots."""

    reason = "SOURCE_OUTSIDE_ROOTS"


class SourceNotFound(SourceError):
    """Nothing is there."""

    reason = "SOURCE_NOT_FOUND"


class SourceNotAFile(SourceError):
    """It is something else than a regular file."""

    reason = "SOURCE_NOT_A_FILE"


class MediaRoots:
    """Folders below which files may be read."""

    def __init__(self, roots: Iterable[str | Path]) -> None:
        self._roots = tuple(os.path.realpath(root) for root in roots)
        self._below = tuple(os.path.join(root, "") for root in self._roots)

    def resolve(self, path: str) -> Path:
        """The file that a submitted path names: absolute, or relative to one of the roots.

        Links are followed, and where they end has to be below a root. Whether anything is there is told
        only of places below a root. Raises SourceError.
        """
        return Path(os.path.join(*self._find(path)))

    def open(self, path: str) -> FileIO:
        """The file that a submitted path names, open for reading: what was checked is what is read.

        Raises SourceError, and OSError where the file system fails.
        """
        for _ in range(_LOOKS):
            root, below = self._find(path)
            try:
                return open_below(root, below)
            except PathChanged:
                continue  # what it leads to now is looked at anew
            except PermissionError as error:
                raise SourceNotFound(path, _cannot_be_opened(path, error)) from error
        raise SourceNotFound(path, _changes(path))

    def open_folder(self, path: str) -> int:
        """A descriptor of the folder that a path names, to be listed and closed. Raises SourceError."""
        for _ in range(_LOOKS):
            root, below = self._find(path, folder=True)
            try:
                return open_folder_below(root, below)
            except PathChanged:
                continue
            except OSError as error:
                raise SourceNotFound(path, _cannot_be_opened(path, error)) from error
        raise SourceNotFound(path, _changes(path))

    def _find(self, path: str, *, folder: bool = False) -> tuple[str, str]:
        """The root that a submitted path's file or folder is below, and its path from there, without any link."""
        if "\0" in path:
            raise SourceNotFound(path, "The path holds a NUL character; no file has such a name.")
        try:
            os.fsencode(path)
        except UnicodeEncodeError as error:
            raise SourceNotFound(
                path, "The path holds half a character; no file has such a name."
            ) from error
        candidates = [_real(os.path.join(root, path), path) for root in self._roots]
        inside = [found for found in dict.fromkeys(candidates) if self._is_inside(found)]
        if not inside:
            raise SourceOutside(
                path,
                f"{_shown(path)} is not below a media root of the server."
                " Move the file there, or start the server with --media-root for its folder.",
            )
        problems: list[SourceError] = []
        for found in inside:
            try:
                mode = os.stat(found).st_mode
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                problems.append(SourceNotFound(path, _cannot_be_opened(path, error)))
                continue
            if stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode):
                root = self._root_of(found)
                return root, os.path.relpath(found, root)
            what = (
                "neither a file nor a folder"
                if folder
                else "not a file. Submit the files in it instead"
            )
            message = f"{_shown(path)} is {what}."
            problems.append(SourceNotAFile(path, message))
        if problems:
            raise problems[0]
        raise SourceNotFound(
            path, f"{_shown(path)} does not exist. Check the spelling of the path."
        )

    def resolver(self, clock: Callable[[], float] = time.monotonic) -> Callable[[str], object]:
        """As `resolve`, for many paths: a folder that holds several is followed once in a moment.

        With threads it is far quicker: each look at the file system may cost a thread its turn at Python.
        """
        followed: dict[str, str | None] = {}
        begun = clock()

        def resolve(path: str) -> object:
            nonlocal followed, begun
            if clock() - begun > MOMENT_S:
                followed, begun = {}, clock()
            folders = followed  # another thread may begin anew
            folder, _, name = path.rpartition("/")
            if self._roots and name not in _NO_NAMES:
                if folder not in folders:
                    folders[folder] = self._folder(folder, path)
                real = folders[folder]
                if real is not None and _is_plain_file(real + name):
                    return real + name
            return self.resolve(path)

        return resolve

    def _folder(self, folder: str, path: str) -> str | None:
        """Where the first root has a folder, with a slash at its end; None where that is not below the root."""
        try:
            if path.startswith("/"):
                folder += "/"
            found = os.path.join(os.path.realpath(os.path.join(self._roots[0], folder)), "")
        except (OSError, ValueError):
            return None
        return found if found.startswith(self._below[0]) else None

    def _is_inside(self, path: str) -> bool:
        return path in self._roots or path.startswith(self._below)

    def _root_of(self, path: str) -> str:
        """The root that a path is below, or that it is."""
        places = zip(self._roots, self._below, strict=True)
        return next(root for root, below in places if path == root or path.startswith(below))


def _is_plain_file(path: str) -> bool:
    """Whether it is a file itself, rather than a link to one, or something else."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (
        OSError,
        ValueError,
    ):  # what it is instead, and what is wrong with it, is looked at apart
        return False


def _real(path: str, submitted: str) -> str:
    """Where a path leads. Raises SourceNotFound where it changes all the time."""
    for _ in range(_LOOKS):
        try:
            return os.path.realpath(path)
        except OSError:  # what was a link a moment ago is none now
            continue
    raise SourceNotFound(submitted, _changes(submitted))


def _changes(path: str) -> str:
    return f"{_shown(path)} changes all the time. Submit it once it stays as it is."


def _cannot_be_opened(path: str, error: OSError) -> str:
    return f"{_shown(path)} cannot be opened: {error.strerror}."


def _shown(path: str) -> str:
    """The path as a message shows it: ten thousand messages have to fit into one answer."""
    name = path if len(path) <= LONGEST_SHOWN else "…" + path[-LONGEST_SHOWN:]
    return repr(name)
