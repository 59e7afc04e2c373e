"""The command line's option of videos: --video, words and numbers separated by commas."""

from typing import Any, Final

import click

from harken.client.enums import ImageFormat, VideoProduct
from harken.client.options import VideoOptions

WORDS: Final = (
    "facts, thumbnail, at=12.5 or at=1:02:03 (often), thumbnail-height=720, sheet or sheet=5x4, "
    "sheet-width=1280, proxy or proxy=480, fps=10, jpeg or png"
)
_SECONDS_A_MINUTE: Final = 60


class VideoWishes(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """What is made of a video."""

    name = "what,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> VideoOptions:
        """The options that say so."""
        if isinstance(value, VideoOptions):
            return value
        products: dict[VideoProduct, None] = {}
        times: list[float] = []
        wanted: dict[str, Any] = {}
        for word in (word.strip().lower() for word in value.split(",") if word.strip()):
            name, _, argument = word.partition("=")
            try:
                product, fields = _meant(name, argument)
            except (KeyError, ValueError):
                self.fail(f"{word!r} is not understood. There are: {WORDS}.", param, ctx)
            if product is not None:
                products[product] = None
            times += fields.pop("thumbnail_times_s", ())
            wanted |= fields
        return VideoOptions(products=tuple(products), thumbnail_times_s=tuple(times), **wanted)


def _meant(name: str, argument: str) -> tuple[VideoProduct | None, dict[str, Any]]:
    """What one word asks for, and the fields that it sets; raises KeyError and ValueError for none."""
    if not argument:
        if name in ("jpeg", "png"):
            return None, {"image_format": ImageFormat(name)}
        return {
            "facts": VideoProduct.FACTS,
            "thumbnail": VideoProduct.THUMBNAILS,
            "sheet": VideoProduct.CONTACT_SHEET,
            "proxy": VideoProduct.PROXY,
        }[name], {}
    if name == "sheet":
        columns, _, rows = argument.partition("x")
        return VideoProduct.CONTACT_SHEET, {"sheet_columns": int(columns), "sheet_rows": int(rows)}
    if name == "at":
        return VideoProduct.THUMBNAILS, {"thumbnail_times_s": (_seconds(argument),)}
    product, field, kind = {
        "thumbnail-height": (VideoProduct.THUMBNAILS, "thumbnail_height", int),
        "sheet-width": (VideoProduct.CONTACT_SHEET, "sheet_width", int),
        "proxy": (VideoProduct.PROXY, "proxy_height", int),
        "fps": (VideoProduct.PROXY, "proxy_fps", float),
    }[name]
    return product, {field: kind(argument)}


def _seconds(text: str) -> float:
    """Seconds of 12.5, 1:02.5 or 1:02:03."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = _SECONDS_A_MINUTE * seconds + float(part)
    return seconds


video_option = click.option(
    "--video",
    type=VideoWishes(),
    help=f"Look at a video, and make files of it: {WORDS}. Without --features nothing else.",
)
