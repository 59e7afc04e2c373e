"""How maintenance opens the database of the environment, and says in words what is wrong with it."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from harken.settings import Settings, SettingsError

if TYPE_CHECKING:
    from harken.jobs.store.database import Database


def settings_of_environment() -> Settings:
    """The settings; what is wrong with them is an error of usage."""
    try:
        return Settings.from_environment(os.environ)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error


@contextmanager
def opened(*, check: bool = True) -> "Generator[tuple[Settings, Database]]":
    """The database of the environment, which has the schema of this version if that is checked."""
    from harken.jobs.store.database import Database
    from harken.jobs.store.migrate import check as check_schema

    settings = settings_of_environment()
    with errors():
        database = Database(settings.database_url, pooled=False)
        try:
            if check:
                check_schema(database)
            yield settings, database
        finally:
            database.close()


@contextmanager
def errors() -> Generator[None]:
    """Tells errors of the job domain and of the database in words."""
    from sqlalchemy.exc import OperationalError

    from harken.jobs.errors import JobsError

    try:
        yield
    except JobsError as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException(f"The database does not answer: {error.orig}") from error
