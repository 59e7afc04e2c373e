"""The way down from a folder to a file, descriptor by descriptor, so that nothing on it can lead elsewhere.

Each step is opened in the folder that was opened before, and none of them may be a link: a folder that is exchanged for
one on the way is noticed, not followed. It is what openat2 does in one call with RESOLVE_BENEATH and
RESOLVE_NO_SYMLINKS, on every system and under every container's rules.
"""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from io import FileIO

# A folder is only passed through, for which leave to enter it suffices.
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
# A pipe that has taken the file's place is not waited for, and a terminal not made one's own.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
# What an open says of a step that is no longer what it was: gone, a link, a file for a folder, a socket.
_CHANGED = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.EMLINK)


class PathChanged(Exception):
    """A step of the path is no longer what it was."""


def open_below(root: str, path: str) -> FileIO:
    """The regular file at a path below a folder, which holds neither links nor `..`.

    Raises PathChanged where it does, or where no regular file is, and OSError for what else may be wrong.
    """
    *folders, name = path.split("/")
    if not name or ".." in folders or name in (".", ".."):
        raise PathChanged
    try:
        with _folder_below(root, folders) as folder:
            file = FileIO(os.open(name, _FILE, dir_fd=folder))
    except OSError as error:
        if error.errno in _CHANGED:
            raise PathChanged from error
        raise
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise PathChanged
    return file


def open_folder_below(root: str, path: str) -> int:
    """A descriptor of the folder at a path below another, which holds neither links nor `..`; it can be listed.

    Raises PathChanged where it is no folder or holds a link, and OSError for what else may be wrong.
    """
    try:
        with _folder_below(
            root, [name for name in path.split("/") if name not in ("", ".")]
        ) as here:
            return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=here)
    except OSError as error:
        if error.errno in _CHANGED:
            raise PathChanged from error
        raise


def folder_in(folder: int, name: str) -> int:
    """A descriptor of a folder in an open one, which is no link; it can be listed. Raises OSError."""
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)


@contextmanager
def _folder_below(root: str, folders: list[str]) -> Generator[int]:
    """A descriptor of the folder that a series of steps leads to."""
    # The root's own path is the operator's, and may hold links.
    here = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for name in folders:
            there = os.open(name, _FOLDER, dir_fd=here)
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)
