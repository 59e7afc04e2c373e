"""The metrics of a server, read over HTTP as Prometheus reads them."""

import asyncio
import urllib.request
from dataclasses import replace

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from harken.jobs import execution
from harken.jobs.job import ErrorKind, JobError
from harken.server.metrics import database_metrics
from harken.server.metrics.counts import Counts
from harken.server.metrics.database_metrics import DatabaseMetrics
from harken.server.metrics.server_metrics import is_stream
from harken.server.progress.ticks import Tick
from harken.server.progress.watcher import Watcher
from harken.server.serve import running_server
from harken.settings import Settings
from harken.telemetry.endpoint import CannotExpose, MetricsEndpoint, new_registry
from harken.v1.job_service_pb2 import GetJobRequest, SubmitAnalysisRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.source_pb2 import Source
from tests.server.conftest import Served, now
from tests.system.test_two_servers import free_port

JOBS = "/harken.v1.JobService/"
QUEUE = "audio_processing"


class Page:
    """What an endpoint says now."""

    def __init__(self, address: str) -> None:
        self.address = address

    def _samples(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    async def value(self, name: str, **labels: str) -> float | None:
        """The value of a series."""
        samples = await asyncio.to_thread(self._samples)
        return samples.get((name, frozenset(labels.items())))

    async def reaches(self, wanted: float, name: str, **labels: str) -> None:
        """Returns once a series has a value."""
        async with asyncio.timeout(20):
            while await self.value(name, **labels) != wanted:  # noqa: ASYNC110 # it is another thread's
                await asyncio.sleep(0.02)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of a server with metrics."""
    return replace(settings, metrics_listen=f"127.0.0.1:{free_port()}")


@pytest.fixture
def page(served: Served, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The endpoint of the server, which looks at the database each time it is asked."""
    monkeypatch.setattr(database_metrics, "READ_AGAIN_AFTER_S", 0.0)
    return Page(served.settings.metrics_listen)


async def test_calls_are_timed_by_method_and_code(served: Served, page: Page) -> None:
    job_id = await served.submit()
    await served.jobs.GetJob(GetJobRequest(job_id=job_id))
    with pytest.raises(grpc.aio.AioRpcError):
        await served.jobs.GetJob(GetJobRequest(job_id="nonsense"))

    count = "harken_rpc_seconds_count"
    await page.reaches(1.0, count, method=f"{JOBS}GetJob", code="OK")
    await page.reaches(1.0, count, method=f"{JOBS}GetJob", code="INVALID_ARGUMENT")
    await page.reaches(1.0, count, method=f"{JOBS}SubmitAnalysis", code="OK")


@pytest.mark.parametrize(
    ("method", "streams"),
    [
        (f"{JOBS}StreamProgress", True),
        (f"{JOBS}GetJob", False),
        ("/grpc.health.v1.Health/Watch", True),
        ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", True),
    ],
)
def test_streams_are_not_timed_as_calls(method: str, streams: bool) -> None:
    assert is_stream(method) is streams


async def test_a_stream_is_open_until_it_ends_and_what_it_sent_is_counted(
    served: Served, page: Page
) -> None:
    job_id = await served.submit()
    stream = served.watch(job_id=job_id)
    messages = aiter(stream)
    await anext(messages)
    assert await page.value("harken_streams_open", target="job") == 1.0
    job = served.hands.claim(job_id)
    served.hands.tick(job, 1, 0.5)
    served.hands.succeed(job)
    async for _ in messages:
        pass

    await page.reaches(0.0, "harken_streams_open", target="job")
    sent = "harken_stream_events_sent_total"
    assert await page.value(sent, kind="snapshot") == 1.0
    assert await page.value(sent, kind="transition") == 2.0
    ended = {"method": f"{JOBS}StreamProgress", "code": "OK"}
    await page.reaches(1.0, "harken_rpc_streams_total", **ended)


async def test_a_caller_that_goes_away_leaves_no_stream_open(served: Served, page: Page) -> None:
    stream = served.watch(job_id=await served.submit())
    await stream.read()
    stream.cancel()
    await page.reaches(0.0, "harken_streams_open", target="job")


def test_a_tick_that_gives_way_to_a_newer_one_is_conflated() -> None:
    counts = Counts()
    watcher = Watcher(counts)
    for seq in (1, 2, 3):
        watcher.take_tick("a job", Tick(1, seq, "decode", 0.1, "", now()))
    assert counts.ticks_conflated == 2


async def test_jobs_are_counted_by_where_they_stand_and_how_they_ended(
    served: Served, page: Page
) -> None:
    waiting, running, failed = [await served.submit() for _ in range(3)]
    assert waiting
    served.hands.claim(running)
    job = served.hands.claim(failed)
    error = JobError(kind=ErrorKind.TIMEOUT, reason="TIME_LIMIT", message="test")
    with served.hands.database.write() as connection:
        execution.fail(connection, failed, job.attempt, error, now())

    assert await page.value("harken_queue_waiting_jobs", queue=QUEUE) == 1.0
    assert await page.value("harken_queue_running_jobs", queue=QUEUE) == 1.0
    age_s = await page.value("harken_queue_oldest_job_age_seconds", queue=QUEUE)
    assert age_s is not None
    assert 0.0 < age_s < 60.0
    assert await page.value("harken_queue_workers", queue=QUEUE) == 0.0
    assert await page.value("harken_jobs_submitted_total", queue=QUEUE) == 3.0
    assert await page.value("harken_jobs_started_total", queue=QUEUE) == 2.0
    ended = "harken_jobs_ended_total"
    assert await page.value(ended, queue=QUEUE, state="FAILED", kind="TIMEOUT") == 1.0
    # A kind that was never met is there already: only so is its first a rise.
    assert await page.value(ended, queue=QUEUE, state="FAILED", kind="CRASHED") == 0.0


async def test_a_job_that_waits_again_is_counted_with_the_reason(
    served: Served, page: Page
) -> None:
    served.hands.lose(served.hands.claim(await served.submit()))
    crashed = {"queue": QUEUE, "reason": "crash"}
    assert await page.value("harken_jobs_requeued_total", **crashed) == 1.0


async def test_the_leading_server_says_so_and_that_its_relay_keeps_up(
    served: Served, page: Page
) -> None:
    await page.reaches(1.0, "harken_leading")
    await served.submit()
    await page.reaches(1.0, "harken_relay_published_total", queue=QUEUE)
    lag_s = await page.value("harken_relay_lag_seconds")
    assert lag_s is not None
    assert lag_s < 10.0


async def test_with_the_broker_away_the_relay_lags(settings: Settings) -> None:
    settings = replace(settings, broker_url=f"redis://127.0.0.1:{free_port()}/0")
    async with (
        running_server(settings) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        await JobServiceStub(channel).SubmitAnalysis(
            SubmitAnalysisRequest(source=Source(path="one.wav"))
        )
        page = Page(settings.metrics_listen)
        async with asyncio.timeout(30):
            while (await page.value("harken_relay_lag_seconds") or 0.0) < 3.0:  # noqa: ASYNC110 # time has to pass
                await asyncio.sleep(0.1)


def test_a_relay_is_behind_only_while_it_leads() -> None:
    counts = Counts()
    counts.lead(True)
    counts.relay_done_at -= 60.0
    assert counts.relay_lag_s() >= 60.0
    counts.lead(False)
    assert counts.relay_lag_s() == 0.0


async def test_an_expired_lease_is_counted(served: Served, page: Page) -> None:
    job_id = await served.submit()
    with served.hands.database.write() as connection:
        long_ago = now().replace(year=2020)
        execution.claim(connection, job_id, worker="one@test", now=long_ago, pid=1)
    await page.reaches(1.0, "harken_lease_expiries_total")


def test_with_the_database_away_the_rest_is_still_told(tmp_path) -> None:
    metrics = DatabaseMetrics(f"sqlite:///{tmp_path / 'none' / 'harken.db'}")
    metrics.begin()
    values = {family.name: family.samples for family in metrics.collect()}
    assert values["harken_database_up"][0].value == 0.0
    assert "harken_queue_waiting_jobs" not in values


def test_a_taken_port_is_a_clear_error() -> None:
    with (
        MetricsEndpoint("127.0.0.1:0", new_registry()) as first,
        pytest.raises(CannotExpose, match="HARKEN_METRICS_LISTEN"),
    ):
        MetricsEndpoint(first.address, new_registry())
