"""Worker and beat refuse a database of another schema: with a line that says what to do, however they were started."""

import logging
from typing import Any

from celery import signals
from sqlalchemy.exc import DBAPIError

from harken.jobs.errors import SchemaMismatch
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import check
from harken.tasks.app import SETTINGS

LOG = logging.getLogger(__name__)


def require_schema(**_: Any) -> None:
    """Ends the process when the schema is another one. A database that is away is no reason: it comes back."""
    database = Database(SETTINGS.database_url, pooled=False)
    try:
        check(database)
    except SchemaMismatch as error:
        raise SystemExit(f"Error: {error}") from error
    except DBAPIError as error:
        LOG.warning("the database does not answer, its schema is not checked: %s", error.orig)
    finally:
        database.close()


signals.celeryd_init.connect(require_schema, weak=False)
signals.beat_init.connect(require_schema, weak=False)
