"""`harken similar` and `harken duplicates`: what sounds like this, and what is the same recording."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from harken.client.cli.params import batch_option, label_option
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.table import table
from harken.client.cli.text import NOTHING, count, duration, number, plain
from harken.client.enums import SoundClass
from harken.client.job import URIS
from harken.client.sound import SimilarSound

_CLASSES = tuple(
    kind.value.lower().replace("_", "-") for kind in SoundClass if kind is not SoundClass.UNKNOWN
)
_BOUNDS = re.compile(r"(\d+(?:\.\d+)?)?\.\.(\d+(?:\.\d+)?)?")


class Bounds(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """At least and at most: 100..130, 100.. or ..130."""

    name = "min..max"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float | None, float | None]:
        """The bounds; None for one that is left out."""
        if isinstance(value, tuple):
            return value
        found = _BOUNDS.fullmatch(value.replace(" ", ""))
        if found is None or value.strip() == "..":
            self.fail(f"{value!r} is no range such as 100..130, 100.. or ..130.", param, ctx)
        low, high = found.groups()
        return (float(low) if low else None, float(high) if high else None)


def read_key(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, str | None] | None:
    """The tonic and the mode of `--key "A minor"`, `A` or `Am`."""
    if value is None:
        return None
    found = re.fullmatch(r"([A-Ga-g]#?) ?(major|minor|m|maj|min)?", value.strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is no key such as 'A minor', F# or Am.", ctx, param)
    tonic, mode = found.groups()
    modes = {"m": "minor", "min": "minor", "maj": "major"}
    return tonic[0].upper() + tonic[1:], modes.get(mode, mode)


@click.command()
@click.argument("query", metavar="FILE|JOB")
@click.option("--tempo", type=Bounds(), help="Beats per minute: 100..130, 100.. or ..130.")
@click.option("--duration", "lengths", type=Bounds(), help="Seconds: 0.5..4, 30.. or ..10.")
@click.option("--key", callback=read_key, metavar="KEY", help="Such as 'A minor', F# or Am.")
@click.option(
    "--related-keys",
    is_flag=True,
    help="Also its relative major or minor, and the keys a fifth away.",
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    type=click.Choice(_CLASSES, case_sensitive=False),
    help="Only this kind of sound; may be given several times.",
)
@batch_option
@label_option
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000),
    default=10,
    show_default=True,
    help="At most so many sounds.",
)
@shared_options
@pass_session
def similar(
    session: Session,
    query: str,
    tempo: tuple[float | None, float | None] | None,
    lengths: tuple[float | None, float | None] | None,
    key: tuple[str, str | None] | None,
    related_keys: bool,
    classes: tuple[str, ...],
    batch: str | None,
    labels: Mapping[str, str],
    limit: int,
) -> None:
    """List the sounds that are most like a file, or like that of a job.

    A file is analysed first. What is searched are the results of earlier jobs, with the feature
    embedding.
    """
    tonic, mode = key or (None, None)
    with session.connect() as client:
        found = client.sounds.similar(
            _query(query),
            labels=labels,
            tempo_bpm=tempo,
            duration_s=lengths,
            key=tonic,
            mode=mode,
            related_keys=related_keys,
            classes=classes,
            batch=batch,
            limit=limit,
        )
    if session.as_json:
        for sound in found:
            session.emit(sound)
        return
    if not found:
        click.echo("Nothing was found. Submit sounds with the feature embedding first.", err=True)
        return
    rows = [[f"{sound.similarity:.3f}", *_row(sound)] for sound in found]
    for line in table(("LIKE", *_HEAD), rows):
        click.echo(line)


@click.command()
@click.argument("job", required=False, metavar="[JOB]")
@batch_option
@label_option
@shared_options
@pass_session
def duplicates(
    session: Session, job: str | None, batch: str | None, labels: Mapping[str, str]
) -> None:
    """List sounds that are the same recording: of a job, in a batch, or among all.

    In other formats, at another level, or cut by some seconds at either end.
    """
    groups = looked_at = without = 0
    with session.connect() as client:
        for page in client.sounds.duplicates_pages(job=job, batch=batch, labels=labels):
            looked_at += page.looked_at
            without += page.without_fingerprint
            for group in page.groups:
                groups += 1
                if session.as_json:
                    session.emit(group)
                    continue
                if groups > 1:
                    click.echo()
                rows = [
                    [
                        f"{one.bit_error_rate:.0%}",
                        f"{one.offset_s:+.1f} s",
                        *_row(one.sound or SimilarSound()),
                    ]
                    for one in group.sounds
                ]
                for line in table(("BITS OFF", "BEGINS", *_HEAD), rows):
                    click.echo(line)
    looked = count(looked_at, "sound")
    click.echo(f"{count(groups, 'group')} of duplicates; {looked} looked at.", err=True)
    if without:
        click.echo(
            f"{count(without, 'sound')} could not be compared, as an older version analysed them."
            " Run on the server: harken maintenance re-embed",
            err=True,
        )


_HEAD = ("LENGTH", "TEMPO", "KEY", "JOB", "SOURCE")


def _row(sound: SimilarSound) -> list[str]:
    key = f"{sound.key} {sound.mode}" if sound.key else NOTHING
    return [
        duration(sound.duration_s),
        number(sound.tempo_bpm),
        key,
        sound.job_id,
        plain(str(sound.source)) if sound.source else NOTHING,
    ]


def _query(text: str) -> str | Path:
    """A job's id or an address as it is; else a file of this machine, even one that is called like an id."""
    if text.lower().startswith(URIS):
        return text
    try:
        UUID(text)
    except ValueError:
        return Path(text)
    return Path(text) if os.path.exists(text) else text
