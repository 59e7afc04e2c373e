"""`harken keys`: making, listing and revoking API keys, in the database that the environment names."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import click

from harken.jobs.owners.scope import Scope

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from harken.jobs.owners.keys import Key

T = TypeVar("T")

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
NEVER = "never"

_Row = tuple[str, str, str, str, str, str, str, str]


class Lifetime(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]  # since 8.3
    """A length of time such as 90d, or "never"."""

    name = "lifetime"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta | None:
        """The length of time; None is for ever."""
        text = str(value)
        if text == NEVER:
            return None
        found = re.fullmatch(r"([1-9]\d{0,5})([mhdw])", text)
        if found is None:
            self.fail(f"{text!r} is no length of time such as 12h, 90d, 52w or never", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.group()
def keys() -> None:
    """Make, list and revoke the API keys of a server that asks who calls.

    They are in the database that HARKEN_DATABASE_URL names; that of `harken up` is
    sqlite:///$HOME/.local/share/harken/harken.db.
    """


@keys.command()
@click.option("--owner", required=True, help="Whose jobs are made and seen with it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What may be done with it; repeat it for more. None implies another.",
)
@click.option(
    "--expires",
    required=True,
    type=Lifetime(),
    metavar="90d",
    help="How long it holds: minutes, hours, days, weeks (12h, 90d, 52w), or never.",
)
@click.option("--name", default="", help="What it is for, to know it by in the list.")
def create(owner: str, scopes: tuple[str, ...], expires: timedelta | None, name: str) -> None:
    """Make a key, and show it, this once.

    Only the key is written to stdout, so that it can go into a file:
    harken keys create … > key; chmod 600 key.
    """
    from harken.jobs import clock
    from harken.jobs.owners.keys import create_key

    key, text = _written(
        lambda c: create_key(
            c,
            owner=owner,
            name=name,
            scopes={Scope(scope) for scope in scopes},
            lifetime=expires,
            now=clock.now(c),
        )
    )
    until = f"until {_time(key.expire_time)}" if key.expire_time else "until it is revoked"
    click.echo(f"Key {key.key_id} of {owner} holds {until}. It is not shown again:", err=True)
    click.echo(text)


@keys.command("list")
@click.option("--owner", help="Only the keys of this owner.")
def list_(owner: str | None) -> None:
    """List the keys, without what they are: that only their holders have."""
    from harken.jobs.owners.keys import list_keys

    found = _written(lambda c: list_keys(c, owner=owner))
    if not found:
        click.echo("There are no keys.", err=True)
        return
    rows: list[_Row] = [
        ("KEY", "OWNER", "SCOPES", "STATUS", "MADE", "EXPIRES", "LAST USED", "NAME")
    ]
    rows += _rows(found)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke a key: servers take it for no longer than 5 seconds, and its streams end."""
    from harken.jobs import clock
    from harken.jobs.owners.keys import revoke_key

    key = _written(lambda c: revoke_key(c, key_id, now=clock.now(c)))
    click.echo(f"Key {key.key_id} of {key.owner} was revoked at {_time(key.revoke_time)}.")


def _rows(found: Iterable["Key"]) -> Iterator[_Row]:
    now = datetime.now(UTC)
    for key in found:
        yield (
            key.key_id,
            key.owner,
            ",".join(scope for scope in Scope if scope in key.scopes),
            _status(key, now),
            _time(key.create_time),
            _time(key.expire_time) if key.expire_time else NEVER,
            _time(key.last_used_time) if key.last_used_time else NEVER,
            key.name,
        )


def _status(key: "Key", now: datetime) -> str:
    if key.revoke_time is not None:
        return "revoked"
    return "expired" if key.expire_time is not None and key.expire_time <= now else "holds"


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%MZ}" if moment else ""


def _written(work: Callable[["Connection"], T]) -> T:
    """What `work` makes of a transaction on the database, which has the schema of this version."""
    from sqlalchemy.exc import OperationalError

    from harken.jobs.errors import JobsError
    from harken.jobs.store.database import Database
    from harken.jobs.store.migrate import check
    from harken.settings import Settings, SettingsError

    try:
        settings = Settings.from_environment(os.environ)
        with closing(Database(settings.database_url, pooled=False)) as database:
            check(database)
            with database.write() as connection:
                return work(connection)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    except JobsError as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException(f"The database does not answer: {error.orig}") from error
