"""Maintenance with real processes: what beat sends twice, backup and restore by the command line, and old schemas."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harken.client import JobState
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import downgrade, migrate, revisions
from tests.conftest import eventually, new_postgresql_database, running_redis
from tests.system.conftest import clean_environment, harken_up
from tests.system.test_two_servers import Process, free_port

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MAINTENANCE = [sys.executable, "-m", "harken.tasks", "maintenance"]

pytestmark = pytest.mark.usefixtures("postgresql_programs")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'harken.db'}"
        return
    with new_postgresql_database(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture
def maintenance(url: str, tmp_path: Path) -> Run:
    """Runs `harken maintenance` on the database, with a folder for backups."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        given = {"HARKEN_DATABASE_URL": url, "HARKEN_BACKUP_DIR": str(tmp_path / "backups")}
        ended = subprocess.run(
            [*MAINTENANCE, *arguments],
            env=clean_environment(**{**given, **variables}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        return ended

    return run


@pytest.mark.timeout(400)
def test_a_system_that_is_restored_has_its_jobs_and_goes_on(
    url: str, maintenance: Run, media: Path, tmp_path: Path
) -> None:
    """Backed up while it runs, by beat's task and by the command; everything deleted; restored; started again."""
    variables = {"HARKEN_DATABASE_URL": url, "HARKEN_CONCURRENCY": "1"}
    with harken_up(tmp_path / "data", media, **variables) as system:
        done = system.client.submit("piece.mp3", features=["media"])
        result = done.result(60)
        running = system.client.submit("3-hours.wav")
        waiting = system.client.submit("piece.flac", features=["media"], priority=0)
        system.until_running(running.job_id)
        made = maintenance("backup")
        assert (made.returncode, made.stderr) == (0, "")
        assert "checked" in made.stdout
        refused = maintenance("restore", "newest")
        assert refused.returncode == 1
        assert "At work on this database" in refused.stderr
        assert "--force" in refused.stderr
        waiting.cancel()
        running.cancel()
        running.wait(60)

    empty(url)
    restored = maintenance("restore", "newest")
    assert (restored.returncode, restored.stderr) == (0, "")

    with harken_up(tmp_path / "data", media, **variables) as system:
        assert system.client.get_job(done.job_id).result == result
        eventually(lambda: system.client.get_job(running.job_id).attempt == 2, 90)
        system.client.cancel_job(running.job_id)
        assert system.client.wait(waiting.job_id, timeout=90).state is JobState.SUCCEEDED


def empty(url: str) -> None:
    """Takes everything out of the database."""
    database = Database(url, pooled=False)
    downgrade(database, "base")
    migrate(database)
    database.close()


def test_every_command_says_what_it_did(url: str, maintenance: Run) -> None:
    migrate(Database(url, pooled=False))
    assert maintenance("backups").stderr == "No backups.\n"
    made = maintenance("backup", "--keep", "3").stdout.split()[0]
    for arguments, words in (
        (["clean-up"], "0 jobs and 0 batches were deleted."),
        (["optimize"], "MiB were given back."),
        (["optimize", "--vacuum"], "MiB were given back."),
        (["backups"], made),
        (["check-backup", made], f"{made} is whole; its schema is {revisions()[-1]}."),
        (["restore", made], f"{made} was restored."),
    ):
        run = maintenance(*arguments)
        assert (run.returncode, run.stderr) == (0, "")
        assert words in run.stdout


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_cannot_be_done_is_said_with_what_to_do(
    url: str, maintenance: Run, tmp_path: Path
) -> None:
    for arguments, code, words in (
        (["backup"], 1, "Run `harken migrate`"),
        (["restore", "newest"], 1, "There are no backups in"),
        (["check-backup", "/nowhere"], 1, "/nowhere cannot be read"),
        (["restore", sys.executable], 1, "is no backup of sqlite"),
    ):
        run = maintenance(*arguments)
        assert (run.returncode, words in run.stderr) == (code, True), run.stderr
    run = maintenance("backups", HARKEN_BACKUP_DIR="")
    assert run.returncode == 2
    assert "HARKEN_BACKUP_DIR" in run.stderr


def test_two_beats_and_two_workers_make_one_backup(url: str, tmp_path: Path) -> None:
    """Each task is sent twice at once; the second one is told that it is not due."""
    database = Database(url, pooled=False)
    migrate(database)
    backups = tmp_path / "backups"
    with running_redis() as redis:
        environment = {
            "HARKEN_DATABASE_URL": url,
            "HARKEN_BROKER_URL": redis,
            "HARKEN_BACKUP_DIR": str(backups),
            "PATH": os.environ["PATH"],
        }
        command = ["harken.tasks", "worker", "--queues=maintenance", "--concurrency=1"]
        workers = [
            Process([*command, f"--name={name}"], tmp_path / name, environment)
            for name in ("one", "two")
        ]
        try:
            program = (
                "from harken.tasks import names; from harken.tasks.app import app\n"
                "sent = [app.send_task(name) for name in names.MAINTENANCE_TASKS * 2]\n"
                "print([one.get(timeout=60) for one in sent])"
            )
            told = subprocess.run(
                [sys.executable, "-c", program],
                env=clean_environment(**environment),
                capture_output=True,
                text=True,
                timeout=90,
                check=True,
            ).stdout
        finally:
            for worker in workers:
                worker.stop()
    assert told.count("'done': True") == 2
    assert told.count("{'done': False}") == 2
    assert len(list(backups.iterdir())) == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the check itself is tested on both
@pytest.mark.parametrize(
    "part",
    [
        ["harken.server", "--listen", "127.0.0.1:0"],
        ["harken.tasks", "worker"],
        ["harken.tasks", "beat"],
        ["celery", "-A", "harken.tasks.app", "worker"],
        ["celery", "-A", "harken.tasks.app", "beat"],
    ],
    ids=" ".join,
)
def test_a_part_refuses_an_older_schema_with_the_command_that_mends_it(
    part: list[str], url: str, tmp_path: Path
) -> None:
    database = Database(url, pooled=False)
    migrate(database, revisions()[-2])
    environment = {
        "HARKEN_DATABASE_URL": url,
        "HARKEN_BROKER_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    run = subprocess.run(
        [sys.executable, "-m", *part],
        env=clean_environment(**environment),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    last = run.stderr.strip().splitlines()[-1]
    # Beat's own log takes what is written there, and puts the time before it.
    assert last.endswith(
        f"Error: The database has schema {revisions()[-2]}, this harken needs {revisions()[-1]}."
        " Run `harken migrate` with a harken of the right version."
    )


def test_beat_sends_what_keeps_the_house_in_order(url: str, tmp_path: Path) -> None:
    """A real beat whose note says that it sent nothing for a day, and a real worker."""
    if shutil.which("pg_dump") is None:
        pytest.fail("the fixture puts it on the path")
    migrate(Database(url, pooled=False))
    with running_redis() as redis:
        environment = {
            "HARKEN_DATABASE_URL": url,
            "HARKEN_BROKER_URL": redis,
            "HARKEN_BACKUP_DIR": str(tmp_path / "backups"),
            "PATH": os.environ["PATH"],
        }
        schedule = tmp_path / "schedule"
        program = (
            "import sys; from datetime import timedelta; from celery.beat import PersistentScheduler\n"
            "from harken.tasks.app import app\n"
            "beat = PersistentScheduler(app=app, schedule_filename=sys.argv[1])\n"
            "for entry in beat.schedule.values(): entry.last_run_at -= timedelta(days=1)\n"
            "beat.close()"
        )
        subprocess.run(
            [sys.executable, "-c", program, str(schedule)],
            env=clean_environment(**environment),
            check=True,
            timeout=60,
        )
        command = ["harken.tasks", "worker", "--queues=maintenance", "--concurrency=1"]
        parts = [
            Process([*command, "--name=one"], tmp_path / "one", environment),
            Process(
                ["harken.tasks", "beat", f"--schedule={schedule}"], tmp_path / "b", environment
            ),
        ]
        try:
            made = eventually(lambda: list((tmp_path / "backups").glob("harken-*")), within_s=60)
            assert made
            eventually(lambda: "clean-up:" in (tmp_path / "one").read_text(), within_s=60)
        finally:
            for part in parts:
                part.stop()
