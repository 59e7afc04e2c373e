"""`python -m benchmarks.service`: all parts, one after the other; the package says what they are."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import click

from benchmarks.engine.machine import processor
from benchmarks.engine.report import Section, plain, text
from benchmarks.service import batch, ghz, growth, path, progress, publish, submit

PACKAGES: Final = (
    *("grpcio", "uvloop", "sqlalchemy", "psycopg", "celery", "kombu", "redis"),
    *("fastapi", "uvicorn"),
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int
    seconds: float  # of load, each time
    submits: int  # of a batch, and of a loop beside it
    messages: int
    jobs: int  # that do nothing
    reports: int
    looks: int
    few: int  # finished jobs
    many: int


FULL: Final = Size(
    rounds=5,
    seconds=5.0,
    submits=10_000,
    messages=5_000,
    jobs=2_000,
    reports=100_000,
    looks=100,
    few=1_000,
    many=1_000_000,
)
QUICK: Final = Size(
    rounds=1,
    seconds=0.5,
    submits=200,
    messages=200,
    jobs=20,
    reports=2_000,
    looks=3,
    few=10,
    many=100,
)


def _submit(size: Size) -> Iterable[Section]:
    return submit.measure(rounds=size.rounds, seconds=size.seconds)


def _batch(size: Size) -> Iterable[Section]:
    return [batch.measure(rounds=size.rounds, jobs=size.submits)]


def _publish(size: Size) -> Iterable[Section]:
    return [publish.measure(rounds=size.rounds, jobs=size.messages)]


def _path(size: Size) -> Iterable[Section]:
    return [path.measure(rounds=size.rounds, jobs=size.jobs)]


def _progress(size: Size) -> Iterable[Section]:
    return [progress.measure(rounds=size.rounds, calls=size.reports)]


def _growth(size: Size) -> Iterable[Section]:
    return growth.measure(looks=size.looks, few=size.few, many=size.many)


def _ghz(size: Size) -> Iterable[Section]:
    return [ghz.measure(seconds=size.seconds)]


PARTS: Final[Mapping[str, Callable[[Size], Iterable[Section]]]] = {
    "submit": _submit,
    "batch": _batch,
    "publish": _publish,
    "path": _path,
    "progress": _progress,
    "growth": _growth,
    "ghz": _ghz,
}


def described() -> str:
    """Processor, its number of cores, and the versions of what is compared."""
    parts = [f"{processor()}, {os.cpu_count()} cores"]
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            parts.append(f"{name} {version(name)}")
    return "; ".join(parts)


@click.command()
@click.option(
    "--only", type=click.Choice([*PARTS]), multiple=True, help="This part; may be given again."
)
@click.option("--rounds", type=click.IntRange(min=1), help="Rounds, instead of 5.")
@click.option("--quick", is_flag=True, help="Once and on little: whether it runs, not how fast.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here too."
)
def main(only: tuple[str, ...], rounds: int | None, quick: bool, json_file: Path | None) -> None:
    """Measure the service beside its peer; every target is printed as ok, MISSED or not measured."""
    size = QUICK if quick else FULL
    if rounds is not None:
        size = replace(size, rounds=rounds)
    click.echo(described())
    if quick:
        click.echo("--quick: once, on little; the targets are meant for the whole run")
    sections: list[Section] = []
    for name, part in PARTS.items():
        if not only or name in only:
            for section in part(size):
                sections.append(section)
                click.echo(text(section))
    if json_file is not None:
        figures = {"machine": described(), "quick": quick, "sections": plain(sections)}
        json_file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
