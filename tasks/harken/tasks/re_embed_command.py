"""`harken maintenance re-embed` and `index-embeddings`: what searches by sound need now and then."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import click

from harken.tasks.maintenance_opening import opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from harken.jobs.store.database import Database
    from harken.settings import Settings

T = TypeVar("T")

LOOK_EVERY_S = 1.0  # at whether the jobs that were made have ended
TOLD_EVERY_S = 5.0
PAGE = 100


@click.command("re-embed")
@click.option(
    "--at-once",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Jobs of the lowest priority that wait or run at the same time.",
)
@click.option("--bring-in-only", is_flag=True, help="Make no jobs.")
def re_embed(at_once: int, bring_in_only: bool) -> None:
    """Have all sounds in what searches search, by the newest model.

    Vectors of results from before are brought in. Sounds that another model has heard, or that have
    no fingerprint or an older one, are analysed again: as jobs of the lowest priority, some at once. Stop it with
    Ctrl-C and start it again whenever you like: it goes on where it was.
    """
    with opened() as (settings, database):
        _bring_in(database)
        if not bring_in_only:
            _analyse_again(settings, database, at_once)


@click.command("index-embeddings")
@click.option("--memory-mb", type=click.IntRange(64), default=1_024, show_default=True)
@click.option("--workers", type=click.IntRange(0, 64), default=2, show_default=True)
def index_embeddings(memory_mb: int, workers: int) -> None:
    """Make PostgreSQL's index of the vectors anew, while others work; needs the extension pgvector.

    Run it once after pgvector was installed, or after a million sounds were brought in at once. It is
    quickest where the whole index fits into the memory it may have: some 600 MB a million.
    """
    from harken.jobs.similarity import vector_index

    with opened() as (_, database):
        vector_index.build(database, memory_mb=memory_mb, workers=workers)
    click.echo("The index is made; searches take it within a minute.")


def _bring_in(database: "Database") -> None:
    from harken.jobs.similarity import re_embedding

    looked_at = brought_in = 0
    after: str | None = None
    told = time.monotonic()
    while True:
        page = _write(database, lambda c, after=after: re_embedding.bring_in(c, after))
        looked_at += page.looked_at
        brought_in += page.brought_in
        if page.job_id is None:
            break
        after = page.job_id
        if time.monotonic() - told > TOLD_EVERY_S:
            told = time.monotonic()
            click.echo(f"{looked_at:,} results looked at, {brought_in:,} brought in", err=True)
    click.echo(f"{brought_in:,} sounds were brought in, of {looked_at:,} results that were not.")


def _analyse_again(settings: "Settings", database: "Database", at_once: int) -> None:
    from harken.audio.embedding import MODEL
    from harken.jobs import clock
    from harken.jobs.queueing.bell import WORK, Bell
    from harken.jobs.similarity import re_embedding
    from harken.tasks.queues import queue_for

    total = _read(database, lambda c: re_embedding.count_stale(c, MODEL))
    kept_for = timedelta(hours=settings.upload_hours)
    waiting: dict[str, str] = {}
    position = done = failed = 0
    told = time.monotonic()
    more = total > 0
    bell = Bell(settings.result_backend)
    try:
        while more or waiting:
            room = min(at_once - len(waiting), PAGE)
            if more and room > 0:
                page = _read(
                    database,
                    lambda c, position=position, room=room: re_embedding.stale(
                        c, MODEL, position, room
                    ),
                )
                more = len(page) == room
                for sound in page:
                    position = sound.position
                    job_id = _write(
                        database,
                        lambda c, sound=sound: re_embedding.submit_again(
                            c,
                            sound,
                            queue_for=queue_for,
                            now=clock.now(c),
                            uploads_kept_for=kept_for,
                        ),
                    )
                    if job_id is None:
                        failed += 1
                    else:
                        waiting[job_id] = sound.job_id
                bell.ring(WORK)
            waiting, ended, not_done = _write(
                database, lambda c, waiting=waiting: re_embedding.settle(c, waiting)
            )
            done, failed = done + ended, failed + not_done
            if time.monotonic() - told > TOLD_EVERY_S:
                told = time.monotonic()
                click.echo(f"{done + failed:,} of {total:,} sounds", err=True)
            if waiting and (not more or len(waiting) >= at_once):
                time.sleep(LOOK_EVERY_S)
    finally:
        bell.close()
    click.echo(f"{done:,} sounds were analysed again, by {MODEL}; {failed:,} could not be.")


def _write(database: "Database", work: "Callable[[Connection], T]") -> T:
    with database.write() as connection:
        return work(connection)


def _read(database: "Database", work: "Callable[[Connection], T]") -> T:
    with database.read() as connection:
        return work(connection)
