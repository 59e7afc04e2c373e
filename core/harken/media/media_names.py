"""Which names are those of sound and video files: for listings, which leave the rest out."""

from os.path import splitext
from typing import Final

# The same as in the client's `audio_files`, which cannot be imported here; a test holds them together.
SOUND: Final = (
    ".aac .ac3 .aif .aifc .aiff .alac .amr .ape .au .caf .dsf .dts .eac3 .flac .m4a .m4b .mka .mp2 "
    ".mp3 .mpc .oga .ogg .opus .ra .snd .spx .tta .w64 .wav .wave .wma .wv"
)
VIDEO: Final = (
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv"
)
EXTENSIONS: Final = frozenset([*SOUND.split(), *VIDEO.split()])


def is_media_name(name: str) -> bool:
    """Whether a file's name says that it is sound or video."""
    return splitext(name)[1].lower() in EXTENSIONS
