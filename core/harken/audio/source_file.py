"""A regular file behind the few calls that FFmpeg makes on it."""

import errno
import os
import stat
from io import SEEK_CUR, SEEK_END, SEEK_SET, FileIO
from types import TracebackType
from typing import Final, Self, cast

from harken.audio import errors
from harken.audio.blocks import Bytes
from harken.audio.errors import InputError

# What the operating system answers when the path itself is at fault, not the disk.
NOWHERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


class SourceFile:
    """Reads one open regular file; FFmpeg itself never gets to open anything.

    A failing disk must come out as the OSError it is. FFmpeg cannot carry exceptions, so the
    first one is kept in `failure` and FFmpeg sees the end of the file.
    """

    def __init__(self, path: str, descriptor: int | None = None) -> None:
        """Opens `path`, or reads the file that the caller has open as `descriptor`; `path` is but its name then.

        Raises InputError for what is no readable file; other OSErrors pass.
        """
        try:
            self._file = _opened(path) if descriptor is None else _taken(descriptor)
        except ValueError:
            raise InputError(errors.FILE_NOT_FOUND, "This path holds a NUL byte.") from None
        except PermissionError:
            raise InputError(
                errors.PERMISSION_DENIED, "Reading this file is not permitted; check its mode."
            ) from None
        except OSError as error:
            if error.errno in NOWHERE:
                raise InputError(errors.FILE_NOT_FOUND, "There is no file at this path.") from None
            raise
        # FFmpeg takes the extension as a hint when it probes the format. Of the rest it learns nothing: some formats
        # look for neighbours of the name, or take it for a pattern.
        self.name = "source" + os.path.splitext(path)[1]
        self.size = os.fstat(self._file.fileno()).st_size
        self.failure: OSError | None = None

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; none at the end or once the disk has failed."""
        if self.failure is None:
            try:
                return self._file.read(count)
            except OSError as error:
                self.failure = error
        return b""

    def read_into(self, room: Bytes, offset: int) -> int:
        """Fill `room` from `offset` on; how many bytes there were. Raises OSError when the disk fails."""
        filled = 0
        while filled < room.shape[0]:
            rest = cast("memoryview", room[filled:])
            count = os.preadv(self._file.fileno(), [rest], offset + filled)
            if count == 0:
                break
            filled += count
        return filled

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """The new position, or -1 for a place before the start (damaged headers ask for it)."""
        base = {SEEK_SET: 0, SEEK_CUR: self.tell(), SEEK_END: self.size}[whence]
        if base + offset < 0:
            return -1
        try:
            return self._file.seek(base + offset)
        except (OSError, OverflowError):
            return -1

    def tell(self) -> int:
        """The position in bytes."""
        return self._file.tell()

    def raise_failure(self) -> None:
        """Raise what the disk said, if it failed."""
        if self.failure is not None:
            raise self.failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _opened(path: str) -> FileIO:
    # Told apart before opening as well, which a device may take for a command.
    _check_regular(os.stat(path))
    # A pipe that has just taken the file's place is not waited for.
    file = FileIO(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    try:
        _check_regular(os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def _taken(descriptor: int) -> FileIO:
    _check_regular(os.fstat(descriptor))
    os.lseek(descriptor, 0, SEEK_SET)
    return FileIO(descriptor, closefd=False)


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InputError(errors.NOT_A_FILE, "This path is a folder or device, not a file.")
