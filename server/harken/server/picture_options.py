"""Options of pictures: as values of the domain, checked, and as messages again."""

from collections.abc import Iterable
from typing import Final, Literal

from harken.jobs.options import PictureKind, PicturesOptions, PictureTheme
from harken.server.errors import Violation
from harken.v1 import pictures_pb2 as pb

# Published in pictures.proto.
WIDTHS: Final = (64, 2_400)
HEIGHTS: Final = (32, 1_200)
SCALES: Final = (1, 2)
_SIZES: Final[tuple[tuple[Literal["width", "height", "scale"], tuple[int, int]], ...]] = (
    ("width", WIDTHS),
    ("height", HEIGHTS),
    ("scale", SCALES),
)

_NUMBERS: Final = {kind: pb.PicturesOptions.Kind.Value(f"KIND_{kind.name}") for kind in PictureKind}
_KINDS: Final = {number: kind for kind, number in _NUMBERS.items()}
_THEMES: Final = {
    theme: pb.PicturesOptions.Theme.Value(f"THEME_{theme.name}") for theme in PictureTheme
}


def pictures_violations(field: str, message: pb.PicturesOptions) -> Iterable[Violation]:
    """What is wrong with them."""
    for index, kind in enumerate(message.kinds):
        if kind not in _KINDS:
            known = ", ".join(f"KIND_{kind.name}" for kind in PictureKind)
            description = f"{kind} is no kind of pictures. There are {known}."
            yield Violation(f"{field}.kinds[{index}]", "UNKNOWN_PICTURE_KIND", description)
    for name, (least, most) in _SIZES:
        if message.HasField(name) and not least <= getattr(message, name) <= most:
            description = f"It has to be between {least:,} and {most:,}."
            yield Violation(f"{field}.{name}", f"{name.upper()}_OUT_OF_RANGE", description)
    if message.theme not in (0, *_THEMES.values()):
        known = ", ".join(f"THEME_{theme.name}" for theme in PictureTheme)
        description = f"{message.theme} is no theme. There are {known}."
        yield Violation(f"{field}.theme", "UNKNOWN_THEME", description)


def pictures_of(message: pb.PicturesOptions) -> PicturesOptions:
    """The options of a message that has no violations."""
    wanted = {_KINDS[number] for number in message.kinds} or set(PictureKind)
    default = PicturesOptions()
    light = message.theme == pb.PicturesOptions.THEME_LIGHT
    return PicturesOptions(
        kinds=tuple(kind for kind in PictureKind if kind in wanted),
        width=message.width if message.HasField("width") else default.width,
        height=message.height if message.HasField("height") else default.height,
        theme=PictureTheme.LIGHT if light else PictureTheme.DARK,
        scale=message.scale if message.HasField("scale") else default.scale,
    )


def pictures_message(options: PicturesOptions) -> pb.PicturesOptions:
    """The message of options, with every default filled in."""
    return pb.PicturesOptions(
        kinds=[_NUMBERS[kind] for kind in options.kinds],
        width=options.width,
        height=options.height,
        theme=_THEMES[options.theme],
        scale=options.scale,
    )
