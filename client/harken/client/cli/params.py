"""Types of options: lists of features, labels, lengths of time, moments."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from harken.client.enums import ErrorKind, Feature, JobKind, JobState

F = TypeVar("F", bound=Callable[..., Any])

FEATURES = tuple(f.value for f in Feature if f is not Feature.UNKNOWN)
DEFAULT = "default"
DEFAULT_FEATURES = FEATURES[:8]  # media to embedding
STATES = tuple(s.value.lower() for s in JobState if s is not JobState.UNKNOWN)
KINDS = tuple(k.value.lower() for k in ErrorKind if k is not ErrorKind.UNKNOWN)
JOB_KINDS = tuple(
    kind.value.lower().replace("_", "-") for kind in JobKind if kind is not JobKind.UNKNOWN
)

_AGO = re.compile(r"(\d+) ?(s|m|min|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """A moment: a while ago, or a date with or without a time."""

    name = "2h|DATE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The moment; a date and time without a zone is of this machine's."""
        if isinstance(value, datetime):
            return value
        try:
            if ago := _AGO.fullmatch(value.strip()):
                return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            return datetime.fromisoformat(value.strip()).astimezone()
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no moment such as 90s, 30m, 2h, 3d or 2026-01-31T12:00.", param, ctx
            )


class FeatureList(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """Features separated by commas; "default" is those that are computed where none is named."""

    name = "feature,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Feature, ...]:
        """The features named, each once, in the order given."""
        if not isinstance(value, str):
            return tuple(value)
        names = dict.fromkeys(word.strip().lower() for word in value.split(",") if word.strip())
        for name in names:
            if name not in (*FEATURES, DEFAULT):
                known = ", ".join((*FEATURES, DEFAULT))
                self.fail(f"{name!r} is no feature. There are: {known}.", param, ctx)
        meant = (DEFAULT_FEATURES if name == DEFAULT else (name,) for name in names)
        return tuple(dict.fromkeys(Feature(name) for some in meant for name in some))

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
            for name in (*FEATURES, DEFAULT)
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


def read_features(
    _ctx: click.Context, _param: click.Parameter, values: tuple[tuple[Feature, ...], ...]
) -> tuple[Feature, ...] | None:
    """The features of `--features pitch,rhythm --feature onsets`, each once; None where there are none."""
    return tuple(dict.fromkeys(name for names in values for name in names)) or None


features_option = click.option(
    "--features",
    "--feature",
    "features",
    type=FeatureList(),
    multiple=True,
    callback=read_features,
    help="What to compute: rhythm,pitch …, or default,pitch; may be given several times. [default: media to embedding]",
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
upload_option = click.option(
    "--upload",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Send the files themselves: where the server cannot see them, always, or never.",
)
skip_cache_option = click.option(
    "--skip-cache",
    is_flag=True,
    help="Analyse unchanged files again, rather than take what is known.",
)
kind_option = click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS, case_sensitive=False),
    help="Only jobs with an error of this kind; may be given several times.",
)
job_kind_option = click.option(
    "--job-kind",
    "job_kinds",
    multiple=True,
    type=click.Choice(JOB_KINDS, case_sensitive=False),
    help="Only jobs of this kind; may be given several times.",
)
batch_option = click.option("--batch", metavar="ID", help="Only jobs of this batch.")


def ended_options(command: F) -> F:
    """Adds --since and --until, which bound the time of a job's end."""
    until = click.option("--until", type=Moment(), help="Only jobs that ended before this moment.")
    since = click.option(
        "--since",
        type=Moment(),
        help="Only jobs that ended since: 30m, 2h, 3d ago, or a date such as 2026-01-31T12:00.",
    )
    return since(until(command))
