"""Which picture is drawn how: the one place to name a new one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from harken.audio.pictures.canvas import Canvas
from harken.audio.pictures.chromagram import draw_chromagram
from harken.audio.pictures.extremes import Extremes
from harken.audio.pictures.layout import Layout, layout
from harken.audio.pictures.loudness_curve import draw_loudness
from harken.audio.pictures.mel_spectrogram import draw_mel_spectrogram
from harken.audio.pictures.peaks import peaks_dat, peaks_json
from harken.audio.pictures.result import Picture, PictureKind
from harken.audio.pictures.sketch import Sketch
from harken.audio.pictures.tempogram import draw_tempogram
from harken.audio.pictures.theme import Theme
from harken.audio.pictures.waveform import draw_waveform


@dataclass(frozen=True, kw_only=True)
class Look:
    """How pictures are to look: their size in pixels before they are drawn `scale` times as fine."""

    width: int = 1600
    height: int = 500
    scale: int = 1
    theme: Theme = Theme.DARK


@dataclass(frozen=True, kw_only=True)
class Known:
    """What other features have found, of which pictures tell too."""

    beats_s: tuple[float, ...] = ()
    tempo_bpm: float | None = None
    integrated_lufs: float | None = None


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A file, and what is said of it."""

    picture: Picture
    media_type: str
    content: bytes


Draw = Callable[[Canvas, Layout, Sketch, Known], None]
DRAW: Final[Mapping[PictureKind, Draw]] = {
    PictureKind.WAVEFORM: lambda c, at, s, _: draw_waveform(c, at, s),
    PictureKind.MEL_SPECTROGRAM: lambda c, at, s, _: draw_mel_spectrogram(c, at, s),
    PictureKind.CHROMAGRAM: lambda c, at, s, known: draw_chromagram(c, at, s, known.beats_s),
    PictureKind.TEMPOGRAM: lambda c, at, s, known: draw_tempogram(c, at, s, known.tempo_bpm),
    PictureKind.LOUDNESS: lambda c, at, s, known: draw_loudness(c, at, s, known.integrated_lufs),
}
NAMES: Final = {
    kind: kind.value.removeprefix("KIND_").lower().replace("_", "-") for kind in PictureKind
}
PEAKS: Final[Mapping[str, tuple[str, Callable[[Extremes], bytes]]]] = {
    "peaks.json": ("application/json", peaks_json),
    "peaks.dat": ("application/octet-stream", peaks_dat),
}


def draw(kind: PictureKind, sketch: Sketch, known: Known, look: Look) -> tuple[Drawn, ...]:
    """The files of a kind: one picture, or the peaks in both forms."""
    if kind is PictureKind.PEAKS:
        return _peaks(sketch)
    at = layout(look.width, look.height, look.scale)
    canvas = Canvas(at.width, at.height)
    DRAW[kind](canvas, at, sketch, known)
    classes = kind in (PictureKind.CHROMAGRAM, PictureKind.TEMPOGRAM)
    picture = Picture(
        kind=kind,
        artifact_name=f"{NAMES[kind]}.png",
        width=at.width,
        height=at.height,
        plot_left=at.left,
        plot_top=at.top,
        plot_width=at.plot_width,
        plot_height=at.plot_height,
    )
    png = canvas.png(look.theme, classes=classes)
    return (Drawn(picture=picture, media_type="image/png", content=png),)


def _peaks(sketch: Sketch) -> tuple[Drawn, ...]:
    found = sketch.extremes
    if found is None:
        return ()
    return tuple(
        Drawn(
            picture=Picture(kind=PictureKind.PEAKS, artifact_name=name),
            media_type=media_type,
            content=made(found),
        )
        for name, (media_type, made) in PEAKS.items()
    )
