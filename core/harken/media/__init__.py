"""Where bytes come from: the folders that may be read."""

from harken.media.roots import (
    MediaRoots,
    SourceError,
    SourceNotAFile,
    SourceNotFound,
    SourceOutside,
)

__all__ = ["MediaRoots", "SourceError", "SourceNotAFile", "SourceNotFound", "SourceOutside"]
