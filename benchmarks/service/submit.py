"""SubmitAnalysis at 64 callers, accepted and durable, against FastAPI with sync and with async handlers."""

import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.engine.report import Section, at_least, at_most
from benchmarks.service import harken_server, parts
from benchmarks.service.load import Load

CALLERS: Final = 64
HARKEN: Final = "harken"
PEERS: Final = ("FastAPI, sync", "FastAPI, async")
PEERS_NEED: Final = ("fastapi", "uvicorn", "aiosqlite", "greenlet")
AT_LEAST: Final = 3.0  # × requests/s of the better peer
AT_MOST: Final = 0.25  # × its p99


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server under load, and whose processor time belongs to it."""

    name: str
    protocol: str
    address: str
    cpu_s: Callable[[], float]
    loads: list[Load] = field(default_factory=list[Load])
    cpu: list[float] = field(default_factory=list[float])


def measure(*, rounds: int, seconds: float) -> Iterator[Section]:
    """Both databases, one after the other."""
    for kind in ("SQLite", "PostgreSQL"):
        yield _on(kind, rounds=rounds, seconds=seconds)


def _on(kind: str, *, rounds: int, seconds: float) -> Section:
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "media").mkdir()
        (folder / "media" / "a.wav").write_bytes(b"RIFF")
        servers = stack.enter_context(_servers(kind, folder))
        for _ in range(rounds):
            for server in servers:
                before = server.cpu_s()
                server.loads.append(_load(server, seconds))
                server.cpu.append(server.cpu_s() - before)
        return _section(kind, servers)


def missing() -> list[str]:
    """The packages that keep the peers from running."""
    return [name for name in PEERS_NEED if find_spec(name) is None]


def _load(server: Server, seconds: float) -> Load:
    command = parts.python("benchmarks.service.load", server.protocol, server.address)
    run = subprocess.run(
        [*command, str(CALLERS), str(seconds), "a.wav"],
        cwd=parts.REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise parts.PartError(f"the load on {server.name} failed: {run.stderr[-2000:]}")
    return Load(**json.loads(run.stdout))


@contextmanager
def _servers(kind: str, folder: Path) -> Generator[list[Server]]:
    """All of them at once; who is not under load has nothing to do."""
    with ExitStack() as stack:
        redis, broker = stack.enter_context(parts.redis(folder))
        postgresql_pid = 0
        postgresql_url = ""
        if kind == "PostgreSQL":
            postgresql_pid, postgresql_url = stack.enter_context(parts.postgresql(folder))

        def database(name: str) -> str:
            if postgresql_url:
                return parts.new_database(postgresql_url)
            return f"sqlite:///{folder / name}.db"

        def server(
            name: str,
            protocol: str,
            command: list[str],
            environment: Mapping[str, str],
            ready: str,
        ) -> Server:
            part = stack.enter_context(
                parts.running(name.replace(", ", "-"), command, folder, environment)
            )

            def cpu_s() -> float:
                database_s = parts.cpu_s(postgresql_pid) if postgresql_pid else 0.0
                return part.cpu_s() + redis.cpu_s() + database_s

            return Server(name=name, protocol=protocol, address=part.said(ready), cpu_s=cpu_s)

        yield [
            _harken(server, database("harken"), broker, folder / "media"),
            *(
                _peer(server, name, database(name.replace(", ", "-")), broker, folder / "media")
                for name in (() if missing() else PEERS)
            ),
        ]


def _harken(server: Callable[..., Server], url: str, broker: str, media: Path) -> Server:
    environment = harken_server.environment(url, broker, media)
    return server(HARKEN, "grpc", harken_server.COMMAND, environment, harken_server.READY)


def _peer(server: Callable[..., Server], name: str, url: str, broker: str, media: Path) -> Server:
    from benchmarks.service.peer_table import make_tables

    make_tables(url)
    environment = {
        "PEER_DATABASE_URL": url,
        "PEER_BROKER_URL": broker,
        "PEER_MEDIA_ROOT": str(media),
    }
    module = f"benchmarks.service.peer_{name.rpartition(' ')[2]}:app"
    command = parts.python("uvicorn", module, "--host", "127.0.0.1", "--port", "0")
    return server(name, "http", command, environment, r"running on http://(\S+)")


def _section(kind: str, servers: list[Server]) -> Section:
    rows = tuple(_row(server) for server in servers)
    notes = [
        "µs of processor time a request; the server's with its database and Redis.",
        "Better by rate and by p99 each, whichever peer that is. The peer has given its jobs to Redis when it answers;",
        "harken's relay does that as workers need them.",
    ]
    if absent := missing():
        notes.append(f"FastAPI: {', '.join(absent)} not installed: make bench-service brings it")
    return Section(
        part="submit",
        title=f"{CALLERS} callers, accepted and durable, {kind}",
        columns=("", "requests/s", "p50 ms", "p99 ms", "server µs", "sender µs", "sender's share"),
        rows=rows,
        targets=(
            at_least(f"requests/s ÷ the better peer's, {kind}", _rate_ratio(servers), AT_LEAST),
            at_most(f"p99 ÷ the better peer's, {kind}", _p99_ratio(servers), AT_MOST),
        ),
        notes=tuple(notes),
    )


def _rate_ratio(servers: list[Server]) -> float | None:
    harken, *peers = (_median(server, lambda load: load.per_s) for server in servers)
    return harken / max(peers) if peers else None


def _p99_ratio(servers: list[Server]) -> float | None:
    harken, *peers = (_median(server, lambda load: load.p99_ms) for server in servers)
    return harken / min(peers) if peers else None


def _row(server: Server) -> tuple[str, ...]:
    sender = _median(server, lambda load: load.cpu_s / load.requests * 1e6)
    # The server also did the requests of the warm-up, at the same pace.
    spent = statistics.median(
        cpu / (load.requests * (1 + 1.0 / (load.requests / load.per_s))) * 1e6
        for cpu, load in zip(server.cpu, server.loads, strict=True)
    )
    return (
        server.name,
        f"{_median(server, lambda load: load.per_s):,.0f}",
        f"{_median(server, lambda load: load.p50_ms):.1f}",
        f"{_median(server, lambda load: load.p99_ms):.1f}",
        f"{spent:.0f}",
        f"{sender:.0f}",
        f"{sender / (sender + spent):.0%}",
    )


def _median(server: Server, figure: Callable[[Load], float]) -> float:
    return statistics.median(figure(load) for load in server.loads)
