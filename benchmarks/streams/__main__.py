"""`python -m benchmarks.streams`: all parts, one after the other; the package says what they are."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from benchmarks.engine.machine import processor
from benchmarks.engine.report import Section, plain, text
from benchmarks.streams import burst, dropped, fan_out, latency
from benchmarks.streams.served import Served, served


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    ticks: int
    streams: int
    watchers: int
    seconds: float
    items: int
    batch_watchers: int
    rounds: int
    dropped: int


FULL: Final = Size(
    ticks=3_000,
    streams=10_000,
    watchers=1_000,
    seconds=5,
    items=10_000,
    batch_watchers=10,
    rounds=3,
    dropped=100_000,
)
QUICK: Final = Size(
    ticks=100,
    streams=200,
    watchers=50,
    seconds=0.5,
    items=300,
    batch_watchers=3,
    rounds=1,
    dropped=200,
)

PARTS: Final[Mapping[str, Callable[[Served, Size], Section]]] = {
    "latency": lambda server, size: latency.measure(server, ticks=size.ticks),
    "burst": lambda server, size: burst.measure(server, streams=size.streams),
    "fan-out": lambda server, size: fan_out.measure(
        server,
        watchers=size.watchers,
        seconds=size.seconds,
        items=size.items,
        batch_watchers=size.batch_watchers,
        rounds=size.rounds,
    ),
    "dropped": lambda server, size: dropped.measure(server, streams=size.dropped),
}


@click.command()
@click.option(
    "--only", type=click.Choice([*PARTS]), multiple=True, help="This part; may be given again."
)
@click.option("--quick", is_flag=True, help="Once and on little: whether it runs, not how fast.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here too."
)
def main(only: tuple[str, ...], quick: bool, json_file: Path | None) -> None:
    """Measure live progress; every target is printed as ok, MISSED or not measured."""
    size = QUICK if quick else FULL
    click.echo(processor())
    if quick:
        click.echo("--quick: once, on little; the targets are meant for the whole run")
    names = [name for name in PARTS if not only or name in only]
    # A server of its own for each part: what one leaves behind does not count in the next.
    groups = [names] if quick else [[name] for name in names]
    sections: list[Section] = []
    for group in groups:
        with (
            tempfile.TemporaryDirectory(prefix="harken-bench-") as folder,
            served(Path(folder)) as server,
        ):
            for name in group:
                sections.append(PARTS[name](server, size))
                click.echo(text(sections[-1]))
    if json_file is not None:
        figures = {"machine": processor(), "quick": quick, "sections": plain(sections)}
        json_file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
