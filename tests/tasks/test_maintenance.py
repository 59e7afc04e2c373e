"""The tasks that beat sends: each does its work when it is due, and nothing when it was done lately."""

from datetime import UTC, datetime, timedelta

import pytest

from harken.jobs.errors import BackupFailed
from harken.jobs.upkeep import backup
from harken.settings import Settings
from harken.tasks import maintenance, names
from harken.tasks.app import make_app
from harken.tasks.maintenance import back_up, clean_up, optimize

TASKS = (clean_up, optimize, back_up)

pytestmark = pytest.mark.usefixtures("postgresql_programs")


@pytest.fixture
def folder(database_url, redis, monkeypatch, tmp_path):
    """The folder of the backups; the tasks run as a worker's child would run them."""
    folder = tmp_path / "backups"
    settings = Settings(
        database_url=database_url,
        result_backend=redis,
        backup_dir=str(folder),
        backups_kept=2,
    )
    for task in TASKS:
        monkeypatch.setattr(task, "settings", settings)
        for opened in ("database", "bell"):
            task.__dict__.pop(opened, None)
    yield folder
    for task in TASKS:
        task.database.close()
        task.bell.close()
        del task.database, task.bell


@pytest.fixture
def at(monkeypatch):
    """Sets the tasks' clock so many hours ahead."""
    began = datetime.now(UTC)

    def set_clock(hours):
        monkeypatch.setattr(maintenance, "utc_now", lambda: began + timedelta(hours=hours))

    return set_clock


def test_beat_twice_by_mistake_does_no_harm(folder):
    first = [task.run() for task in TASKS]
    second = [task.run() for task in TASKS]
    assert [done.get("done") for done in first] == [None, True, True]
    assert second == [{"jobs": 0, "batches": 0}, {"done": False}, {"done": False}]
    (made,) = backup.list_backups(folder)
    assert first[2]["path"] == str(made.path)


def test_what_is_sent_each_hour_is_done_once_a_day(folder, at):
    done = []
    for hour in range(50):
        at(hour)
        done.append(back_up.run()["done"])
    assert [hour for hour, was in enumerate(done) if was] == [0, 24, 48]
    assert len(backup.list_backups(folder)) == 2  # as many as are kept


def test_a_day_that_was_missed_is_made_up_for_by_the_next_message(folder, at):
    at(0)
    back_up.run()
    at(31)
    assert back_up.run()["done"]


def test_what_fails_is_tried_again_by_the_next_message(folder, at, monkeypatch, caplog):
    def fail(*_, **__):
        raise BackupFailed("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(backup, "back_up", fail)
        assert back_up.run() == {"done": False, "error": "the disk is full"}
    assert "back-up failed, and is tried again within the hour" in caplog.text
    at(1)
    assert back_up.run()["done"]


def test_a_worker_without_a_folder_says_that_it_writes_no_backup(folder, monkeypatch, caplog):
    settings = Settings(database_url=back_up.settings.database_url)
    with monkeypatch.context() as without:
        without.setattr(back_up, "settings", settings)
        assert back_up.run() == {"done": False}
    assert "HARKEN_BACKUP_DIR" in caplog.text


def test_beat_sends_backups_where_there_is_a_folder_for_them():
    without, given = make_app(Settings()), make_app(Settings(backup_dir="/backups"))
    sent = {entry["task"] for entry in without.conf.beat_schedule.values()}
    assert sent == {names.CLEAN_UP, names.OPTIMIZE, names.CLEAN_STORAGE}
    sent = {entry["task"] for entry in given.conf.beat_schedule.values()}
    assert sent == set(names.MAINTENANCE_TASKS)
    for app in (without, given):
        for name in names.MAINTENANCE_TASKS:
            assert app.amqp.router.route({}, name)["queue"].name == "maintenance"
        app.close()
