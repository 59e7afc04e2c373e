"""Which files a directory holds that are worth to be analysed."""

import os
from collections.abc import Iterable, Iterator

SOUND = (
    ".aac .ac3 .aif .aifc .aiff .alac .amr .ape .au .caf .dsf .dts .eac3 .flac .m4a .m4b .mka .mp2 "
    ".mp3 .mpc .oga .ogg .opus .ra .snd .spx .tta .w64 .wav .wave .wma .wv"
)
VIDEO = ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv"
EXTENSIONS = frozenset([*SOUND.split(), *VIDEO.split()])


def find_files(places: Iterable[str], *, every: bool = False) -> Iterator[str]:
    """The files given, and those below the directories given, as absolute paths, each once.

    A directory is walked in the order of names; of its files only those with an extension of sound
    or video are taken, hidden ones left out; with `every` all of them. Symbolic links to
    directories are not followed.
    """
    seen: set[str] = set()
    for place in places:
        path = os.path.abspath(place)
        for found in _walk(path, every) if os.path.isdir(path) else (path,):
            if found not in seen:
                seen.add(found)
                yield found


def _walk(folder: str, every: bool) -> Iterator[str]:
    for here, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if every or not name.startswith("."))
        yield from (os.path.join(here, name) for name in sorted(files) if every or is_media(name))


def is_media(name: str) -> bool:
    """Whether a file's name says that it is sound or video, and not hidden."""
    return os.path.splitext(name)[1].lower() in EXTENSIONS and not name.startswith(".")


def _raise(error: OSError) -> None:
    """Without it `os.walk` passes over a folder that cannot be read, in silence."""
    raise error
