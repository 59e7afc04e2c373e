"""The commands of the workers: `harken worker`, `beat`, `flower`, and `analyze`, which needs no server."""

import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from harken.settings import SettingsError


@click.command()
@click.option("--name", help="Celery's name of the worker. [worker-PID@HOST]")
@click.option("--queues", help="The queues to take from, separated by commas. [all]")
@click.option("--concurrency", type=click.IntRange(min=1), help="Jobs to run at once.")
def worker(name: str | None, queues: str | None, concurrency: int | None) -> None:
    """Run a worker. Its database, broker and limits come from the environment."""
    app = _app()
    node = name or f"worker-{os.getpid()}"
    arguments = [
        *_quiet(),
        "worker",
        f"--hostname={node if '@' in node else f'{node}@{socket.gethostname()}'}",
        f"--loglevel={_log_level()}",
        # Workers learn of each other from the database; asking around costs a second at start.
        "--without-gossip",
        "--without-mingle",
    ]
    if queues:
        _check_queues(queues)
        arguments.append(f"--queues={queues}")
    if concurrency:
        arguments.append(f"--concurrency={concurrency}")
    sys.exit(_run_worker(app, arguments))


@click.command()
@click.option(
    "--schedule",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file in which beat notes what it sent. [celerybeat-schedule]",
)
def beat(schedule: Path | None) -> None:
    """Run beat, which sends the tasks that keep the house in order."""
    arguments = [*_quiet(), "beat", f"--loglevel={_log_level()}"]
    if schedule is not None:
        arguments.append(f"--schedule={schedule}")
    _app().start(arguments)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def flower(arguments: tuple[str, ...]) -> None:
    """Run Flower, a web page on workers and tasks; ARGUMENTS are its own, such as --port=5555."""
    if find_spec("flower") is None:
        raise click.UsageError("Flower is not installed. Run: pip install 'harken[all]'")
    _app().start(["flower", *arguments])


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option("--features", metavar="LIST", help="Such as rhythm,loudness; or default. [default]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def analyze(
    context: click.Context, files: tuple[str, ...], features: str | None, as_json: bool
) -> None:
    """Analyse files here and now, without a server. Exit code 1 when one could not be."""
    if find_spec("numpy") is None:
        raise click.UsageError("The engine is not installed. Run: pip install 'harken[audio]'")
    from harken.audio.__main__ import main

    options = ["--json"] if as_json else []
    options += [f"--features={features}"] if features else []
    context.exit(main([*options, "--", *files]))


def _run_worker(app: Any, arguments: list[str]) -> int:
    """Runs Celery's worker to its end; the exit code, which `worker_main` keeps to itself."""
    from celery.signals import celeryd_after_setup

    workers: list[Any] = []

    def remember(instance: Any, **_: Any) -> None:
        workers.append(instance)

    celeryd_after_setup.connect(remember, weak=False)
    app.worker_main(arguments)
    return workers[0].exitcode or 0 if workers else 1


def _app():  # Celery is slow to import, and only then known
    try:
        from harken.tasks.app import app
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    return app


def _quiet() -> list[str]:
    """Without Celery's picture at the start, where each line is to be JSON."""
    from harken.tasks.app import SETTINGS

    return ["--quiet"] if SETTINGS.log_format == "json" else []


def _log_level() -> str:
    from harken.tasks.app import SETTINGS

    return SETTINGS.log_level


def _check_queues(names: str) -> None:
    from harken.tasks.queues import QUEUES

    for name in names.split(","):
        if name not in QUEUES:
            raise click.UsageError(f"There is no queue {name!r}. There are {', '.join(QUEUES)}.")
