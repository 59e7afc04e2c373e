"""The command line's options of features that leave a choice: --stems, --prepare, --video, --language-model."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

import click

from harken.client.cli.video_option import video_option
from harken.client.enums import AudioFormat, Feature, PreparedChannels, StemKind
from harken.client.options import (
    InsightsOptions,
    Options,
    PrepareOptions,
    StemsOptions,
    VideoOptions,
)

R = TypeVar("R")

STEM_KINDS: Final = tuple(
    kind.value.replace("_", "-") for kind in StemKind if kind is not StemKind.UNKNOWN
)
_PREPARE: Final = (
    "flac or wav, rate=44100, bits=16, loudness=-14, ceiling=-1, trim or trim=-50, mono"
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


language_model_option = click.option(
    "--language-model",
    is_flag=True,
    help="Insights also by the language model that the workers are set up with. Without --features nothing else.",
)


def feature_options(command: Callable[..., R]) -> Callable[..., R]:
    """Adds the options of features, which ask for these too; the command takes `options`."""

    @wraps(command)
    def with_options(*args: Any, **values: Any) -> R:
        stems: StemsOptions | None = values.pop("stems")
        prepare: PrepareOptions | None = values.pop("prepare")
        video: VideoOptions | None = values.pop("video")
        insights = InsightsOptions(language_model=True) if values.pop("language_model") else None
        if stems is None and prepare is None and video is None and insights is None:
            return command(*args, **{**values, "options": None})
        asked = [Feature.STEMS] if stems else []
        asked += [Feature.PREPARE] if prepare else []
        asked += [Feature.VIDEO] if video else []
        asked += [Feature.INSIGHTS] if insights else []
        features = dict.fromkeys((*(values["features"] or ()), *asked))
        options = Options(stems=stems, prepare=prepare, video=video, insights=insights)
        return command(*args, **{**values, "features": tuple(features), "options": options})

    return stems_option(prepare_option(video_option(language_model_option(with_options))))
