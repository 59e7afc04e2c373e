"""Backups are whole or are not there; what is restored goes on where it was."""

import os
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from harken.jobs import clock
from harken.jobs.errors import BackupFailed, StillAlive
from harken.jobs.queueing import leadership, outbox, workers
from harken.jobs.queueing.workers import Heartbeat
from harken.jobs.state import JobState
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import VERSION_TABLE, check, downgrade, revision_of, revisions
from harken.jobs.upkeep import backup, restore
from tests.conftest import new_postgresql_database
from tests.jobs.conftest import ON_POSTGRESQL

pytestmark = pytest.mark.usefixtures("postgresql_programs")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backups"


@pytest.fixture
def fresh(jobs, jobs_on, request, tmp_path):
    """The job domain on a database of the same kind, without tables."""
    with ExitStack() as cleanup:
        if jobs.database.dialect == "sqlite":
            url = f"sqlite:///{tmp_path / 'fresh.db'}"
        else:
            server = request.getfixturevalue("postgresql")
            url = cleanup.enter_context(new_postgresql_database(server))
        database = cleanup.enter_context(closing(Database(url)))
        yield jobs_on(database)


def back_up(jobs, folder, keep=7):
    return backup.back_up(jobs.database, folder, keep=keep, now=jobs.now)


def restored(jobs, made, *, force=False):
    restore.restore(jobs.database, made.path, force=force, now=lambda _: jobs.now)


def beat(jobs, name="one@host"):
    heartbeat = Heartbeat(
        name=name,
        hostname="host",
        pid=1,
        version="0",
        queues=(),
        concurrency=1,
        jobs_done=0,
        stopping=False,
        start_time=jobs.now,
    )
    jobs.write(lambda c: workers.beat(c, heartbeat, jobs.now))


def everything(jobs):
    """All rows of all tables that a restore does not touch."""
    names = ("jobs", "batches", "results", "transitions", "actions", "dismissals")

    def read(connection):
        return {
            name: sorted(map(str, connection.execute(text(f"SELECT * FROM harken_{name}"))))
            for name in names
        }

    return jobs.read(read)


def test_a_restored_database_has_every_row_and_goes_on(jobs, fresh, folder):
    done, failed = jobs.running(), jobs.running(labels={"a": "ü"})
    jobs.succeed(done, {"a": [1.5, None]})
    jobs.fail(failed)
    batch = jobs.submit_batch(jobs.new(), jobs.new())
    before = everything(jobs)
    made = back_up(jobs, folder)
    jobs.cancel_batch(batch)
    jobs.submit()

    fresh.now = jobs.now
    restored(fresh, made)

    check(fresh.database)
    assert everything(fresh) == before
    assert fresh.result(done) == {"a": [1.5, None]}
    assert fresh.batch(batch).queued == 2
    new = fresh.running()
    fresh.succeed(new, {"b": 2})
    positions = [row.position for row in fresh.log(new)]
    assert positions[0] > max(row.position for row in fresh.log(failed))
    assert made.path.exists()


def test_a_restore_takes_the_place_of_what_was_there(jobs, folder):
    kept = jobs.submit()
    made = back_up(jobs, folder)
    jobs.submit()
    jobs.cancel(kept)
    restored(jobs, made)
    assert jobs.listed() == [kept]
    restored(jobs, made)
    assert jobs.listed() == [kept]


def test_what_was_under_way_waits_again_and_is_published_again(jobs, folder):
    waiting, running, cancelling = jobs.submit(), jobs.running(), jobs.running()
    jobs.cancel(cancelling)
    due = jobs.due()
    jobs.write(lambda c: outbox.mark_published(c, due, jobs.now))
    beat(jobs)
    jobs.write(lambda c: leadership.lead(c, "housekeeping", holder="s", now=jobs.now))
    made = back_up(jobs, folder)
    jobs.advance(minutes=1)

    restored(jobs, made)

    assert {outgoing.job_id for outgoing in jobs.due()} == {waiting.job_id, running.job_id}
    assert (jobs.get(running).state, jobs.get(running).crashes) == (JobState.QUEUED, 0)
    assert jobs.get(cancelling).state is JobState.CANCELLED
    assert jobs.read(lambda c: workers.list_workers(c, jobs.now)) == ()
    assert jobs.succeed(running) is None  # a zombie of before is refused
    assert jobs.claim(running) is not None


def test_nothing_is_restored_while_servers_or_workers_live(jobs, folder):
    job = jobs.submit()
    made = back_up(jobs, folder)
    jobs.cancel(job)
    beat(jobs)
    jobs.write(lambda c: leadership.lead(c, "housekeeping", holder="host:1", now=jobs.now))
    with pytest.raises(StillAlive, match="worker one@host, server host:1") as caught:
        restored(jobs, made)
    assert "--force" in str(caught.value)
    assert jobs.get(job).state is JobState.CANCELLED
    jobs.advance(seconds=15)
    with pytest.raises(StillAlive, match="one@host") as caught:
        restored(jobs, made)
    assert caught.value.names == ("worker one@host",)
    restored(jobs, made, force=True)
    assert jobs.get(job).state is JobState.QUEUED


def test_all_servers_are_named_not_just_the_one_that_leads(jobs, folder):
    made = back_up(jobs, folder)
    for role, holder in [
        ("housekeeping", "host:1"),
        ("server a", "host:1"),
        ("server b", "host:2"),
    ]:
        jobs.write(
            lambda c, role=role, holder=holder: leadership.lead(
                c, role, holder=holder, now=jobs.now, term=leadership.PRESENT_FOR
            )
        )
    with pytest.raises(StillAlive) as caught:
        restored(jobs, made)
    assert caught.value.names == ("server host:1", "server host:2")


def test_who_is_alive_is_told_by_the_databases_clock(jobs, folder):
    made = back_up(jobs, folder)
    jobs.write(lambda c: leadership.lead(c, "server a", holder="host:1", now=clock.now(c)))
    with pytest.raises(StillAlive, match="server host:1"):
        restore.restore(jobs.database, made.path, force=False)


def test_the_dead_do_not_keep_from_restoring(jobs, folder):
    made = back_up(jobs, folder)
    beat(jobs)
    jobs.write(lambda c: leadership.lead(c, "housekeeping", holder="host:1", now=jobs.now))
    jobs.advance(seconds=16)
    restored(jobs, made)


def test_the_oldest_backups_go(jobs, folder):
    paths = []
    for _ in range(4):
        paths.append(back_up(jobs, folder, keep=2).path)
        jobs.advance(days=1)
    assert [made.path for made in backup.list_backups(folder)] == paths[:1:-1]
    assert sorted(folder.iterdir()) == paths[2:]


def test_a_backup_is_for_its_owner_s_eyes(jobs, folder):
    made = back_up(jobs, folder)
    assert made.path.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("harm", ["cut", "overwritten", "empty", "other"])
def test_a_broken_backup_is_seen_and_not_restored(jobs, folder, harm):
    for _ in range(50):
        jobs.succeed(jobs.running(), {"a": os.urandom(2_000).hex()})
    made = back_up(jobs, folder)
    content = made.path.read_bytes()
    half = len(content) // 2
    made.path.write_bytes(
        {
            "cut": content[:half],
            "overwritten": content[:half] + bytes(8192) + content[half + 8192 :],
            "empty": b"",
            "other": b"hello" * 1000,
        }[harm]
    )
    before = everything(jobs)
    with pytest.raises(BackupFailed):
        backup.check(made.path)
    with pytest.raises(BackupFailed):
        restored(jobs, made)
    assert everything(jobs) == before


def test_a_backup_that_does_not_exist_is_said(tmp_path):
    with pytest.raises(BackupFailed, match="cannot be read: No such file"):
        backup.check(tmp_path / "none")


def test_a_backup_of_the_other_kind_of_database_is_refused(jobs, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"SQLite format 3\0" if jobs.database.dialect == "postgresql" else b"PGDMP")
    with pytest.raises(BackupFailed, match=f"is no backup of {jobs.database.dialect}"):
        backup.load(jobs.database, other)


def test_a_backup_of_an_older_schema_is_restored_and_brought_up_to_date(jobs, folder):
    job = jobs.running()
    jobs.succeed(job, {"a": 1})
    older = revisions()[-2]
    downgrade(jobs.database, older)
    made = back_up(jobs, folder)
    assert backup.check(made.path) == older
    restored(jobs, made)
    check(jobs.database)
    assert jobs.result(job) == {"a": 1}
    jobs.submit()
    restored(jobs, made)  # also over a newer one
    check(jobs.database)
    assert len(jobs.listed()) == 1


def test_a_backup_of_a_newer_harken_is_refused(jobs, folder):
    with jobs.database.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    made = back_up(jobs, folder)
    with jobs.database.write() as connection:
        newest = {"newest": revisions()[-1]}
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :newest"), newest)
    with pytest.raises(BackupFailed, match="schema 9999, which this harken does not know"):
        restored(jobs, made)
    assert revision_of(jobs.database) == revisions()[-1]


def test_writers_go_on_while_a_backup_is_made(jobs, folder):
    for _ in range(20):
        jobs.submit()
    works = [lambda: back_up(jobs, folder), *[lambda: jobs.cancel(jobs.submit())] * 5]
    made, *_ = jobs.at_once(*works)
    assert backup.check(made.path)
    assert len(jobs.listed()) == 25


def test_a_folder_that_cannot_be_written_is_said(jobs, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BackupFailed, match="could not be written"):
        back_up(jobs, tmp_path / "file" / "backups")


def test_what_a_killed_process_left_is_no_backup_and_goes_after_a_day(jobs, folder):
    folder.mkdir()
    left = folder / ".partial-1-harken-20260101T000000Z.sqlite"
    left.touch()
    moment = (jobs.now - timedelta(hours=23)).timestamp()
    os.utime(left, (moment, moment))
    back_up(jobs, folder)
    assert left.exists()
    assert len(backup.list_backups(folder)) == 1
    jobs.advance(hours=2)
    back_up(jobs, folder)
    assert not left.exists()


@ON_POSTGRESQL  # a file of SQLite is harken's own
def test_other_tables_are_neither_saved_nor_touched(jobs, folder):
    made = back_up(jobs, folder)
    with jobs.database.write() as connection:
        connection.execute(text("CREATE TABLE theirs (a integer)"))
        connection.execute(text("INSERT INTO theirs VALUES (1)"))
    try:
        restored(jobs, made)
        count = text("SELECT count(*) FROM theirs")
        assert jobs.read(lambda c: c.execute(count).scalar_one()) == 1
    finally:
        with jobs.database.write() as connection:
            connection.execute(text("DROP TABLE theirs"))


@ON_POSTGRESQL  # SQLite brings its own
def test_without_pg_dump_it_is_said_what_to_install(jobs, folder, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BackupFailed, match="pg_dump is not installed"):
        back_up(jobs, folder)
    assert not list(Path(folder).iterdir())
