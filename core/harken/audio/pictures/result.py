"""What pictures were made: frozen values that carry the names of the published contract."""

from dataclasses import dataclass
from enum import StrEnum


class PictureKind(StrEnum):
    """What a picture shows, in the contract's words."""

    WAVEFORM = "KIND_WAVEFORM"
    MEL_SPECTROGRAM = "KIND_MEL_SPECTROGRAM"
    CHROMAGRAM = "KIND_CHROMAGRAM"
    TEMPOGRAM = "KIND_TEMPOGRAM"
    LOUDNESS = "KIND_LOUDNESS"
    PEAKS = "KIND_PEAKS"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A file; sizes are in pixels, and in the plot time runs from its left edge to its right."""

    kind: PictureKind
    artifact_name: str
    width: int | None = None
    height: int | None = None
    plot_left: int | None = None
    plot_top: int | None = None
    plot_width: int | None = None
    plot_height: int | None = None


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The files, in the order of their kinds."""

    pictures: tuple[Picture, ...] = ()
