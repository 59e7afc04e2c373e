"""One run: a system, traffic and faults for a while, then calm until all has ended; and its history."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

from harken.client import AsyncClient
from tests.chaos.cluster import WORKERS, Cluster, running_cluster
from tests.chaos.faults import FAULTS, kinds
from tests.chaos.history import Fault, History, Notes, Operation, Setup, unresolved
from tests.chaos.parts import now
from tests.chaos.plan import EVERY_S, Planned, plan
from tests.chaos.poison import kill_whoever_works_on_poison
from tests.chaos.reading import executions, final_jobs, unfinished
from tests.chaos.recorder import Recorder
from tests.chaos.traffic import Traffic
from tests.chaos.watches import PATIENCE, Watches

# Without a job that ends: a lease, its bound, and the longest job on a busy machine.
QUIET_S = 60.0
WATCHES_END_WITHIN_S = 10.0
LOOK_EVERY_S = 0.2
POISONS = 1  # jobs that kill whoever works on them
RESOLVED_WITHIN = 10  # rounds of repetitions


async def run(
    seed: int,
    database_url: str,
    media: Path,
    logs: Path,
    *,
    duration_s: float,
    every_s: float = EVERY_S,
) -> History:
    """The history of a run on an empty database; the parts' logs are left in `logs`."""
    notes = Notes()
    database = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    with tempfile.TemporaryDirectory(prefix="harken-chaos-") as folder:
        setup = Setup(
            seed=seed, database=database, slots=sum(slots for _, slots in WORKERS), begun=now()
        )
        async with running_cluster(
            database_url, media, folder=Path(folder), logs=logs, notes=notes
        ) as cluster:
            setup = replace(setup, begun=now())
            async with _clients(cluster) as clients:
                recorder = Recorder(clients, notes, Random(f"servers {seed}"))
                watches = Watches(clients, notes)
                traffic = Traffic(seed, recorder, watches, poisons=POISONS)
                planned = plan(seed, duration_s, kinds(database), every_s=every_s)
                lags: list[float] = []
                background = (
                    asyncio.create_task(kill_whoever_works_on_poison(cluster, notes)),
                    asyncio.create_task(_measure_lag(lags)),
                )
                await _storm(cluster, notes, traffic, planned)
                setup = replace(setup, calm=now())
                await _settle(cluster, notes, traffic)
                await watches.close(WATCHES_END_WITHIN_S)
                setup = replace(setup, ended=now(), lag_s=max(lags))
                for task in background:
                    task.cancel()
            logs = [worker.log for worker in cluster.workers]
        for log in logs:
            for execution in executions(log):
                notes.add(execution)
        for job in final_jobs(database_url):
            notes.add(job)
    notes.add(setup)
    return History(**notes.fields())


async def _storm(
    cluster: Cluster, notes: Notes, traffic: Traffic, planned: Sequence[Planned]
) -> None:
    """Traffic while the faults last; returns when all of them are over and everything is up."""
    busy = asyncio.create_task(traffic.run())
    try:
        async with asyncio.TaskGroup() as group:
            for each in planned:
                group.create_task(_strike(cluster, notes, each))
    finally:
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)
    await cluster.until_ready()


async def _strike(cluster: Cluster, notes: Notes, planned: Planned) -> None:
    await asyncio.sleep(planned.at_s)
    kind = FAULTS[planned.kind]
    begun = now()
    victims = await kind.act(cluster, Random(planned.seed))
    if victims is None:
        return
    notes.add(Fault(kind=planned.kind, part=kind.part, begun=begun, ended=now(), victims=victims))


async def _settle(cluster: Cluster, notes: Notes, traffic: Traffic) -> None:
    """Returns when no outcome is unknown and all jobs have ended, or when no more of them end."""
    for _ in range(RESOLVED_WITHIN):
        unknown = unresolved(notes.of(Operation))
        if not unknown:
            break
        await traffic.repeat_all(unknown)

    left, since = -1, now()
    while now() < since + QUIET_S:
        count = await asyncio.to_thread(unfinished, cluster.database_url)
        if count == 0:
            return
        if count != left:
            left, since = count, now()
        await asyncio.sleep(LOOK_EVERY_S)


async def _measure_lag(lags: list[float]) -> None:
    """Notes for ever how much later than asked for the harness is woken."""
    while True:
        asked = now() + LOOK_EVERY_S
        await asyncio.sleep(LOOK_EVERY_S)
        lags.append(now() - asked)


@asynccontextmanager
async def _clients(cluster: Cluster) -> AsyncGenerator[list[AsyncClient]]:
    clients = [
        AsyncClient(f"127.0.0.1:{proxy.port}", reconnect=PATIENCE) for proxy in cluster.to_servers
    ]
    try:
        yield clients
    finally:
        for client in clients:
            await client.close()
