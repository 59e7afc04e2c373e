"""Pictures of a file on this machine, without a job: what `harken show FILE` draws."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harken.audio.engine import run
from harken.audio.errors import InputError
from harken.audio.features import DEFAULT_FEATURES, Feature
from harken.audio.limits import Limits
from harken.audio.pictures.gallery import Drawn, Known, Look, draw
from harken.audio.pictures.result import PictureKind, Pictures
from harken.audio.pictures.sketch import Sketcher
from harken.audio.pictures.theme import Theme
from harken.audio.result import AnalysisResult


def look_at(
    path: str,
    kinds: tuple[str, ...],
    *,
    theme: str,
    sizes: tuple[tuple[int, int], ...],
    on_progress: Callable[[str, float, str], None] | None = None,
) -> tuple[dict[str, Any], list[list[tuple[str, dict[str, Any], bytes]]]]:
    """The result in plain JSON values, and for each size the pictures: name, what the result says, bytes.

    Raises ValueError with what to do where the file cannot be analysed, and OSError where it cannot be read.
    """
    wanted = tuple(PictureKind[kind.upper().replace("-", "_")] for kind in kinds)
    sketcher = Sketcher(wanted)
    features = tuple(f for f in DEFAULT_FEATURES if f is not Feature.EMBEDDING)
    try:
        result = run(
            path, features, on_progress, listeners={Feature.PICTURES: sketcher}, limits=Limits()
        )
    except InputError as error:
        raise ValueError(f"{error.message} ({error.reason})") from error
    assert sketcher.sketch is not None
    known = Known()
    if result.rhythm and result.loudness:
        known = Known(
            beats_s=result.rhythm.beats_s,
            tempo_bpm=result.rhythm.tempo_bpm,
            integrated_lufs=result.loudness.integrated_lufs,
        )
    sets = [
        [
            drawn
            for kind in wanted
            for drawn in draw(
                kind, sketcher.sketch, known, Look(width=width, height=height, theme=Theme(theme))
            )
        ]
        for width, height in sizes
    ]
    last = Pictures(pictures=tuple(drawn.picture for drawn in sets[-1]))
    return replace(result, pictures=last).to_dict(), [
        [_plain(one) for one in made] for made in sets
    ]


def _plain(drawn: Drawn) -> tuple[str, dict[str, Any], bytes]:
    plain = AnalysisResult(pictures=Pictures(pictures=(drawn.picture,))).to_dict()["pictures"][
        "pictures"
    ][0]
    return drawn.picture.artifact_name, plain, drawn.content
