"""How fast one upload and one download go, and what they cost the server's processor, by the size of a chunk.

    python benchmarks/transfer.py [--mb 400] [--rounds 3]

A server of its own on SQLite and a folder, on this machine; sizes take turns, and the median of each counts. The
client hashes the file beforehand, which is not counted; the server hashes, writes and waits for the disk.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc

from harken.client import sending
from harken.embedded.redis_server import find_redis, redis_command, redis_socket_url
from harken.jobs import execution, submission
from harken.jobs.files import artifacts
from harken.jobs.job import NewJob, Source
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.media.storage import Storage
from harken.server import media_service
from harken.server.event_loop import new_event_loop
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1.media_service_pb2 import (
    DownloadArtifactRequest,
    UploadHeader,
    UploadMediaRequest,
)
from harken.v1.media_service_pb2_grpc import MediaServiceStub

KIB = 1024
SIZES = (64 * KIB, 256 * KIB, 512 * KIB, 1024 * KIB, 2048 * KIB, 4096 * KIB)
MB = 1_000_000


def blocks(total_mb: int, seed: int) -> bytes:
    """Bytes that nobody has seen before."""
    return random.Random(seed).randbytes(MB) * total_mb


async def upload(stub: MediaServiceStub, data: bytes, chunk: int) -> tuple[float, float]:
    """Seconds of the clock and of this process's processor, which is the server's and a sender's."""
    begun, cpu = time.perf_counter(), time.process_time()
    call = stub.UploadMedia()  # pyright: ignore[reportCallIssue] # the stubs want an iterator
    await call.write(UploadMediaRequest(header=UploadHeader(size=len(data))))
    for place in range(0, len(data), chunk):
        await call.write(UploadMediaRequest(chunk=data[place : place + chunk]))
    await call.done_writing()
    await call
    return time.perf_counter() - begun, time.process_time() - cpu


async def download(stub: MediaServiceStub, artifact_id: str) -> tuple[float, float]:
    """As `upload`."""
    begun, cpu = time.perf_counter(), time.process_time()
    stream: Any = stub.DownloadArtifact(DownloadArtifactRequest(artifact_id=artifact_id))
    async for _ in stream:
        pass
    return time.perf_counter() - begun, time.process_time() - cpu


def make_artifact(settings: Settings, data: bytes) -> str:
    """The id of an artifact of these bytes."""
    with Storage(settings.storage_url).new("local") as writer:
        writer.write(data)
        blob = writer.finish()
    with Database(settings.database_url).write() as connection:
        now = datetime.now(UTC)
        new = NewJob(source=Source(kind="path", value="x"), features=(), queue="default")
        job_id = submission.submit_job(connection, new, owner="local", now=now).job_id
        execution.claim(connection, job_id, worker="bench", pid=1, now=now)
        kept = artifacts.keep(
            connection, job_id, 1, blob, name="x", media_type="application/octet-stream", now=now
        )
    assert kept is not None
    return kept.artifact_id


async def measure(settings: Settings, total_mb: int, rounds: int) -> None:
    """Prints a table."""
    up: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
    down: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
    artifact_id = make_artifact(settings, blocks(total_mb, 0))
    async with (
        running_server(settings) as address,
        grpc.aio.insecure_channel(
            address, options=[("grpc.max_receive_message_length", -1)]
        ) as channel,
    ):
        stub = MediaServiceStub(channel)
        for round_ in range(rounds):
            for size in SIZES:
                data = blocks(total_mb, round_ * len(SIZES) + SIZES.index(size) + 1)
                up[size].append(await upload(stub, data, size))
                media_service.CHUNK_BYTES = size  # pyright: ignore[reportPrivateUsage, reportConstantRedefinition]
                down[size].append(await download(stub, artifact_id))
    print(f"{total_mb} MB, {rounds} rounds; this client sends {sending.CHUNK_BYTES // KIB} KiB")
    print("    chunk   upload MB/s  CPU s/GB   download MB/s  CPU s/GB")
    for size in SIZES:
        figures: list[float] = []
        for took in (up[size], down[size]):
            clock_s = statistics.median(one[0] for one in took)
            cpu_s = statistics.median(one[1] for one in took)
            figures += [total_mb / clock_s, cpu_s / total_mb * 1000]
        print("{:5} KiB  {:12.0f} {:9.2f} {:15.0f} {:9.2f}".format(size // KIB, *figures))


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mb", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="harken-transfer-"))
    redis = subprocess.Popen(
        redis_command(find_redis(), folder / "redis.sock"), stdout=subprocess.DEVNULL
    )
    try:
        settings = Settings(
            database_url=f"sqlite:///{folder / 'harken.db'}",
            broker_url=redis_socket_url(folder / "redis.sock"),
            listen=f"unix:{folder / 'harken.sock'}",
            media_roots=(str(folder),),
            storage_url=(folder / "storage").as_uri(),
        )
        migrate(Database(settings.database_url, pooled=False))
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(measure(settings, options.mb, options.rounds))
    finally:
        redis.terminate()
        redis.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
