"""`python -m benchmarks.engine`: all parts, one after the other; the package says what they are."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from benchmarks.engine import formats, fresh, memory, one_shots, progress
from benchmarks.engine.machine import described, keep_to_one_core
from benchmarks.engine.material import FORMATS, Music, music
from benchmarks.engine.material import one_shots as write_one_shots
from benchmarks.engine.report import Section, plain, text


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    music_s: float
    long_s: float  # a file whose gaps between reports are looked at
    rounds: int
    one_shots: int
    sampled: int  # of the one-shots: those librosa gets as well
    fresh: int  # processes
    pairs: int | None = None  # with and without a callback; None: as many as it takes


FULL: Final = Size(music_s=180, long_s=600, rounds=5, one_shots=1000, sampled=50, fresh=7)
QUICK: Final = Size(music_s=30, long_s=40, rounds=1, one_shots=20, sampled=2, fresh=1, pairs=2)
FRESH_S: Final = 3.0  # of music


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one call of this program measures."""

    music: Music
    size: Size
    alone: bool
    hours: bool

    def formats(self) -> Section:
        """Three formats, all contenders."""
        return formats.measure(self.music, rounds=self.size.rounds, alone=self.alone)

    def one_shots(self) -> Section:
        """Half-second files."""
        paths = write_one_shots(self.music.folder / "one-shots", self.size.one_shots)
        return one_shots.measure(paths, sampled=self.size.sampled, alone=self.alone)

    def fresh(self) -> Section:
        """A new process."""
        return fresh.measure(self.music.repeated("wav", FRESH_S), rounds=self.size.fresh)

    def progress(self) -> Section:
        """Reports."""
        files = {
            f"{self.music.duration_s:.0f} s of {extension}": self.music.file(extension)
            for extension in FORMATS
        }
        long = self.music.repeated("wav", self.size.long_s)
        files[f"{self.size.long_s:.0f} s of wav"] = long
        return progress.measure(
            self.music.file("wav"), files, rounds=self.size.rounds, pairs=self.size.pairs
        )

    def memory(self) -> Section:
        """A child's, and with --memory that of hours."""
        files = [self.music.file(extension) for extension in FORMATS]
        return memory.measure(self.music, files, hours=self.hours)


PARTS: Final[Mapping[str, Callable[[Run], Section]]] = {
    "formats": Run.formats,
    "one-shots": Run.one_shots,
    "fresh": Run.fresh,
    "progress": Run.progress,
    "memory": Run.memory,
}


@click.command()
@click.option(
    "--only", type=click.Choice([*PARTS]), multiple=True, help="This part; may be given again."
)
@click.option(
    "--rounds", type=click.IntRange(min=1), help="Rounds of formats and gaps, instead of 5."
)
@click.option("--alone", is_flag=True, help="Leave out the peers: harken and the limit only.")
@click.option("--memory", "hours", is_flag=True, help="The peak over ten hours of music as well.")
@click.option("--quick", is_flag=True, help="Once and on little: whether it runs, not how fast.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here too."
)
def main(
    only: tuple[str, ...],
    rounds: int | None,
    alone: bool,
    hours: bool,
    quick: bool,
    json_file: Path | None,
) -> None:
    """Measure the engine beside its peers; every target is printed as ok, MISSED or not measured."""
    keep_to_one_core()
    size = QUICK if quick else FULL
    if rounds is not None:
        size = replace(size, rounds=rounds)
    click.echo(described())
    if quick:
        click.echo("--quick: once, on 30 s; the targets are meant for the whole run")
    sections: list[Section] = []
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as folder:
        run = Run(music=music(Path(folder), size.music_s), size=size, alone=alone, hours=hours)
        for name, part in PARTS.items():
            if not only or name in only:
                sections.append(part(run))
                click.echo(text(sections[-1]))
    if json_file is not None:
        figures = {"machine": described(), "quick": quick, "sections": plain(sections)}
        json_file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
