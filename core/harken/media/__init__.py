"""Where bytes come from and where they are kept: folders that may be read, and a storage."""

from harken.media.roots import (
    MediaRoots,
    SourceError,
    SourceNotAFile,
    SourceNotFound,
    SourceOutside,
)

__all__ = ["MediaRoots", "SourceError", "SourceNotAFile", "SourceNotFound", "SourceOutside"]
