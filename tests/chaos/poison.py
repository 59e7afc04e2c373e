"""A job that kills whoever works on it: the process that has its file open is killed."""

import asyncio
from contextlib import suppress

import psutil

from tests.chaos.cluster import Cluster
from tests.chaos.history import Fault, Notes
from tests.chaos.parts import now
from tests.chaos.work import POISON

LOOK_EVERY_S = 0.1


async def kill_whoever_works_on_poison(cluster: Cluster, notes: Notes) -> None:
    """For ever."""
    while True:
        for child in await asyncio.to_thread(_who, cluster):
            with suppress(psutil.NoSuchProcess):
                child.kill()
                at = now()
                notes.add(Fault(kind="poison", part="child", begun=at, ended=at))
        await asyncio.sleep(LOOK_EVERY_S)


def _who(cluster: Cluster) -> list[psutil.Process]:
    return [
        child for worker in cluster.workers for child in worker.slots() if _has_poison_open(child)
    ]


def _has_poison_open(process: psutil.Process) -> bool:
    try:
        return any(file.path.endswith(POISON) for file in process.open_files())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
