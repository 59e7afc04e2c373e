"""`make chaos`: runs of a minute, one seed after the other, until the time is over; exit code 1 for violations."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos import report
from tests.chaos.checks import judge
from tests.chaos.history import History
from tests.chaos.plan import EVERY_S
from tests.chaos.run import run
from tests.chaos.work import fill
from tests.conftest import make_media, new_postgresql_database, running_postgresql

LONGEST_RUN_S = 60.0  # a violation in a short run is easier to understand


@contextmanager
def new_database(kind: str, server: str | None, folder: Path) -> Generator[str]:
    """An empty database for one run."""
    if server is None:
        yield f"sqlite:///{folder / f'{kind}.db'}"
        return
    with new_postgresql_database(server) as url:
        yield url


@contextmanager
def postgresql_for(databases: list[str]) -> Generator[str | None]:
    """A PostgreSQL, where one is needed."""
    if "postgresql" not in databases:
        yield None
        return
    with running_postgresql() as server:
        yield server


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument(
        "--duration", type=float, default=600.0, help="seconds of traffic and faults"
    )
    parser.add_argument("--every", type=float, default=EVERY_S, help="seconds from fault to fault")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--histories", type=Path, default=Path("build/chaos"))
    given = parser.parse_args()
    databases = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    broken = 0
    with tempfile.TemporaryDirectory(prefix="harken-chaos-media-") as media:
        made, folder = Path(media, "made"), Path(media, "root")
        made.mkdir()
        folder.mkdir()
        make_media(made)
        fill(folder, made)
        with postgresql_for(databases) as server:
            seed, left_s = given.seed, given.duration
            while left_s > 0:
                for database in databases:
                    broken += _one(
                        seed, database, min(left_s, LONGEST_RUN_S), server, folder, given
                    )
                seed, left_s = seed + 1, left_s - LONGEST_RUN_S
    print(f"{broken} runs with violations" if broken else "no violations")
    return 1 if broken else 0


def _one(
    seed: int,
    database: str,
    duration_s: float,
    server: str | None,
    media: Path,
    given: argparse.Namespace,
) -> bool:
    kept = given.histories / f"{database}-{seed}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    with (
        tempfile.TemporaryDirectory(prefix="harken-chaos-db-") as folder,
        new_database(database, server if database == "postgresql" else None, Path(folder)) as url,
    ):
        history: History = asyncio.run(
            run(seed, url, media, kept, duration_s=duration_s, every_s=given.every)
        )
    violations = judge(history)
    print(*report.lines(history, violations), sep="\n", flush=True)
    if violations:
        print(f"  history and logs: {report.kept(history, kept)}")
        print(f"  again: {report.command(seed, database, duration_s, given.every)}", flush=True)
    else:
        shutil.rmtree(kept)
    return bool(violations)


if __name__ == "__main__":
    sys.exit(main())
