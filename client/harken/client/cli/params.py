"""Types of options: lists of features, labels, lengths of time."""

import re
from datetime import timedelta
from typing import Any

import click
from click.shell_completion import CompletionItem

from harken.client.enums import Feature, JobState

FEATURES = tuple(f.value for f in Feature if f is not Feature.UNKNOWN)
STATES = tuple(s.value.lower() for s in JobState if s is not JobState.UNKNOWN)


class FeatureList(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """Features separated by commas."""

    name = "feature,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Feature, ...]:
        """The features named, each once, in the order given."""
        if not isinstance(value, str):
            return tuple(value)
        names = dict.fromkeys(word.strip().lower() for word in value.split(",") if word.strip())
        for name in names:
            if name not in FEATURES:
                self.fail(f"{name!r} is no feature. There are: {', '.join(FEATURES)}.", param, ctx)
        return tuple(Feature(name) for name in names)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  # as click calls it
        param: click.Parameter,  # noqa: ARG002  # as click calls it
        incomplete: str,
    ) -> list[CompletionItem]:
        """The features that could follow the last comma."""
        before, comma, word = incomplete.rpartition(",")
        taken = before.split(",")
        return [
            CompletionItem(before + comma + name)
            for name in FEATURES
            if name.startswith(word) and name not in taken
        ]


class TimeSpan(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """A length of time: 90s, 10m, 1h30m, 2d."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """The length; a plain number counts seconds."""
        if isinstance(value, timedelta):
            return value
        parts = re.fullmatch(
            r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", value.strip().lower()
        )
        if parts is None:
            self.fail(f"{value!r} is no length of time such as 90s, 10m, 1h30m or 2d.", param, ctx)
        days, hours, minutes, seconds = (float(number or 0) for number in parts.groups())
        try:
            return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        except OverflowError:
            self.fail(f"{value!r} is too long.", param, ctx)


def read_labels(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """The labels of `--label key=value --label …`."""
    labels: dict[str, str] = {}
    for value in values:
        key, equals, content = value.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{value!r} is not key=value.", ctx, param)
        labels[key] = content
    return labels


features_option = click.option(
    "--features",
    type=FeatureList(),
    help="What to compute: rhythm,loudness … [default: all]",
)
priority_option = click.option(
    "--priority",
    type=click.IntRange(0, 9),
    metavar="0..9",
    help="9 is the most urgent. [default: 5]",
)
run_timeout_option = click.option(
    "--run-timeout",
    type=TimeSpan(),
    metavar="TIME",
    help="How long an attempt may take: 90s, 10m, 1h30m. [default: the server's limit]",
)
label_option = click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    callback=read_labels,
    help="A mark of your own; may be given several times.",
)
schedule_timeout_option = click.option(
    "--schedule-timeout",
    type=TimeSpan(),
    metavar="TIME",
    help="Fail it when it has not started by then: 90s, 10m, 2h. [default: wait for ever]",
)
