"""What tasks that run jobs have in common: the database, the bell, and how an attempt ends."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from celery import Task
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from harken.jobs.owners.quotas import Quota
from harken.jobs.queueing.bell import Bell
from harken.jobs.store.database import Database
from harken.settings import Settings, parse_quota
from harken.tasks.app import SETTINGS
from harken.tasks.process import Memory

LOG = logging.getLogger(__name__)

T = TypeVar("T")

if TYPE_CHECKING:
    _Task = Task[..., object]  # generic for the type checker only
else:
    _Task = Task

# An answer that has been computed is worth waiting for a database that comes back.
WRITE_WITHIN_S = 60.0
WRITE_AGAIN_S = 0.5


class JobTask(_Task):
    """A task with what a job needs, opened in the child process that first uses it."""

    Request = "harken.tasks.request:JobRequest"
    settings: Settings = SETTINGS

    @cached_property
    def database(self) -> Database:
        """The child's own database."""
        return Database(self.settings.database_url)

    @cached_property
    def running(self) -> Quota:
        """How many jobs of each owner may run."""
        everyone, owners = parse_quota(self.settings.quota_running_jobs)
        return Quota(everyone=everyone, owners=owners)

    @cached_property
    def bell(self) -> Bell:
        """The child's own bell."""
        return Bell(self.settings.result_backend)

    @cached_property
    def memory(self) -> Memory:
        """The child's memory."""
        return Memory()

    def write(
        self,
        work: Callable[[Connection], T],
        *,
        single: bool = False,
        within_s: float = WRITE_WITHIN_S,
    ) -> T:
        """Runs `work` in a write transaction and rings the bell; a database that is away is waited for.

        `single` is for work of a single statement. Raises OperationalError when the database stays away.
        """
        transaction = self.database.statement if single else self.database.write
        give_up = time.monotonic() + within_s
        while True:
            try:
                with transaction() as connection:
                    value = work(connection)
            except OperationalError as error:
                if time.monotonic() > give_up:
                    raise
                LOG.warning("the database does not answer, trying again: %s", error.orig)
                time.sleep(WRITE_AGAIN_S)
            else:
                self.bell.ring()
                return value

    def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a read transaction."""
        with self.database.read() as connection:
            return work(connection)

    def query(self, work: Callable[[Connection], T]) -> T:
        """Runs `work`, a single query."""
        with self.database.query() as connection:
            return work(connection)


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)
