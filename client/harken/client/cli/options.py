"""The command line's options of features that leave a choice: --stems, --prepare, --video and so on."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

import click

from harken.client.cli.video_option import video_option
from harken.client.enums import (
    AudioFormat,
    Feature,
    PictureKind,
    PictureTheme,
    PreparedChannels,
    StemKind,
)
from harken.client.options import (
    InsightsOptions,
    Options,
    PicturesOptions,
    PrepareOptions,
    StemsOptions,
    TranscriptOptions,
)

R = TypeVar("R")

_TRANSCRIPT: Final = "auto or a language such as en, words, translate, whole, prompt=TEXT"
_WORDS: Final = ("words", "translate", "whole")

STEM_KINDS: Final = tuple(
    kind.value.replace("_", "-") for kind in StemKind if kind is not StemKind.UNKNOWN
)
_PREPARE: Final = (
    "flac or wav, rate=44100, bits=16, loudness=-14, ceiling=-1, trim or trim=-50, mono"
)

PICTURE_KINDS: Final = tuple(
    kind.value.replace("_", "-") for kind in PictureKind if kind is not PictureKind.UNKNOWN
)
_PICTURES: Final = (
    f"{', '.join(PICTURE_KINDS)}, all, dark or light, width=1600, height=500, scale=2"
)


class StemKinds(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """Ways to take sound apart, separated by commas."""

    name = "kind,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> StemsOptions:
        """The options that say so."""
        if isinstance(value, StemsOptions):
            return value
        names = dict.fromkeys(word.strip().lower() for word in value.split(",") if word.strip())
        for name in names:
            if name not in STEM_KINDS:
                self.fail(f"{name!r} is no kind. There are: {', '.join(STEM_KINDS)}.", param, ctx)
        return StemsOptions(kinds=tuple(StemKind(name.replace("-", "_")) for name in names))


class Preparation(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """What is made of the sound: words and numbers separated by commas."""

    name = "what,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> PrepareOptions:
        """The options that say so."""
        if isinstance(value, PrepareOptions):
            return value
        wanted: dict[str, Any] = {}
        for word in (word.strip().lower() for word in value.split(",") if word.strip()):
            name, _, number = word.partition("=")
            try:
                wanted |= _meant(name, number)
            except (KeyError, ValueError):
                self.fail(f"{word!r} is not understood. There are: {_PREPARE}.", param, ctx)
        return PrepareOptions(**wanted)


class PictureWords(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """Which pictures are made, and how they look: words and numbers separated by commas."""

    name = "what,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> PicturesOptions:
        """The options that say so."""
        if isinstance(value, PicturesOptions):
            return value
        kinds: dict[PictureKind, None] = {}
        wanted: dict[str, Any] = {}
        for word in (word.strip().lower() for word in value.split(",") if word.strip()):
            name, _, number = word.partition("=")
            if word in PICTURE_KINDS:
                kinds[PictureKind(word.replace("-", "_"))] = None
            elif word in ("dark", "light"):
                wanted["theme"] = PictureTheme(word)
            elif name in ("width", "height", "scale") and number.isdecimal():
                wanted[name] = int(number)
            elif word != "all":
                self.fail(f"{word!r} is not understood. There are: {_PICTURES}.", param, ctx)
        return PicturesOptions(kinds=tuple(kinds), **wanted)


def _meant(name: str, number: str) -> dict[str, Any]:
    """The fields that one word of --prepare sets; raises KeyError and ValueError for none."""
    if name == "trim":
        threshold = {"silence_threshold_dbfs": float(number)} if number else {}
        return {"trim_silence": True, **threshold}
    if not number:
        return {
            "flac": {"format": AudioFormat.FLAC},
            "wav": {"format": AudioFormat.WAV},
            "mono": {"channels": PreparedChannels.MONO},
        }[name]
    field, kind = {
        "rate": ("sample_rate_hz", int),
        "bits": ("bits", int),
        "loudness": ("loudness_lufs", float),
        "ceiling": ("true_peak_ceiling_dbtp", float),
    }[name]
    return {field: kind(number)}


class Transcription(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """How speech is written down: a language and words separated by commas, a prompt last."""

    name = "how,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> TranscriptOptions:
        """The options that say so."""
        if isinstance(value, TranscriptOptions):
            return value
        chosen, _, prompt = value.partition("prompt=")
        wanted: dict[str, Any] = {"prompt": prompt} if prompt else {}
        for word in (word.strip().lower() for word in chosen.split(",") if word.strip()):
            if word in _WORDS:
                wanted[word] = True
            elif word.isascii() and word.isalpha() and 2 <= len(word) <= 3:
                wanted["language"] = word
            elif word != "auto":
                self.fail(f"{word!r} is not understood. There are: {_TRANSCRIPT}.", param, ctx)
        return TranscriptOptions(**wanted)


stems_option = click.option(
    "--stems",
    type=StemKinds(),
    help=f"Take the sound apart into files: {', '.join(STEM_KINDS)}. Without --features nothing else.",
)
prepare_option = click.option(
    "--prepare",
    type=Preparation(),
    help=f"Make a file for use elsewhere: {_PREPARE}. Without --features nothing else.",
)

pictures_option = click.option(
    "--pictures",
    type=PictureWords(),
    help=f"Draw the sound: {_PICTURES}. Without --features nothing else.",
)

language_model_option = click.option(
    "--language-model",
    "insights",
    is_flag=True,
    callback=lambda _context, _parameter, asked: (
        InsightsOptions(language_model=True) if asked else None
    ),
    help="Insights also by the language model that the workers are set up with. Without --features nothing else.",
)


transcript_option = click.option(
    "--transcript",
    type=Transcription(),
    help=f"Write down what is said: {_TRANSCRIPT}. Without --features nothing else.",
)

_OPTIONS: Final = {
    Feature.STEMS: stems_option,
    Feature.PREPARE: prepare_option,
    Feature.VIDEO: video_option,
    Feature.PICTURES: pictures_option,
    Feature.TRANSCRIPT: transcript_option,
    Feature.INSIGHTS: language_model_option,
}


def feature_options(command: Callable[..., R]) -> Callable[..., R]:
    """Adds these options, which ask for their features too; the command takes `options`."""

    @wraps(command)
    def with_options(*args: Any, **values: Any) -> R:
        chosen = {feature: values.pop(feature.value) for feature in _OPTIONS}
        asked = [feature for feature, options in chosen.items() if options is not None]
        if not asked:
            return command(*args, **{**values, "options": None})
        features = dict.fromkeys((*(values["features"] or ()), *asked))
        options = Options(**{feature.value: options for feature, options in chosen.items()})
        return command(*args, **{**values, "features": tuple(features), "options": options})

    for add in reversed(_OPTIONS.values()):
        with_options = add(with_options)
    return with_options
