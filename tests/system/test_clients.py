"""The typed clients against the live system: what they promise, with real jobs."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from harken.client import (
    AlreadyExists,
    AsyncClient,
    BatchItem,
    Client,
    InvalidRequest,
    JobCancelled,
    JobFailed,
    JobHandle,
    JobSnapshot,
    JobState,
    LimitExceeded,
    NotFound,
    OutsideRoots,
    ProgressTick,
    ResumeTokenRejected,
    ServerUnavailable,
    Transition,
    Update,
)
from tests.conftest import eventually
from tests.system.conftest import System, harken_up

ONE = pytest.mark.parametrize(
    "system", ["sqlite"], indirect=True
)  # where the database makes no difference
NOBODY = "0197c0de-0000-7000-8000-000000000000"


@pytest.fixture
def client(system: System) -> Iterator[Client]:
    """A client of the system."""
    with Client(system.address) as connected:
        yield connected


@pytest.fixture
async def aclient(system: System) -> AsyncIterator[AsyncClient]:
    """An asyncio client of the system."""
    async with AsyncClient(system.address) as connected:
        yield connected


def changes(updates: list[Update]) -> list[JobState]:
    """The states that transitions led to."""
    return [update.to_state for update in updates if isinstance(update, Transition)]


def test_submit_wait_result(client: Client) -> None:
    job = client.submit("piece.flac", labels={"mood": "calm"})

    ended = job.wait(60)
    result = job.result()

    assert (ended.state, ended.attempt, dict(ended.labels)) == ("SUCCEEDED", 1, {"mood": "calm"})
    assert result.rhythm is not None
    assert result.rhythm.tempo_bpm == pytest.approx(112, rel=0.02)
    assert result.tonal is not None
    assert (result.tonal.key, result.tonal.mode) == ("A", "minor")


async def test_submit_wait_result_with_asyncio(aclient: AsyncClient) -> None:
    job = await aclient.submit("piece.flac", features=["tonal"])

    ended = await job.wait(60)
    result = await job.result()

    assert ended.state is JobState.SUCCEEDED
    assert result.tonal is not None
    assert result.tonal.key == "A"
    assert result.rhythm is None


@ONE
def test_a_watch_in_five_lines(
    system: System, media: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARKEN_SERVER", system.address)

    with Client() as client:
        job = client.submit(media / "piece.flac")
        for event in client.watch(job):
            print(event)

    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "SUCCEEDED"


def test_a_watch_before_during_and_after(client: Client) -> None:
    job = client.submit("3-hours.wav")
    before = client.watch(job)
    first = next(before)
    assert isinstance(first, JobSnapshot)
    next(update for update in before if isinstance(update, ProgressTick))

    during = client.watch(job)
    joined = next(during)
    assert isinstance(joined, JobSnapshot)
    assert joined.job.state is JobState.RUNNING
    tick = next(during)
    assert isinstance(tick, ProgressTick)
    assert 0 <= tick.progress.fraction <= 1

    assert job.cancel().state is JobState.CANCELLING
    assert changes(list(before)) == changes(list(during)) == ["CANCELLING", "CANCELLED"]
    (after,) = client.watch(job)
    assert isinstance(after, JobSnapshot)
    assert after.job.state is JobState.CANCELLED
    with pytest.raises(JobCancelled):
        job.result()


async def test_watches_with_asyncio_see_the_same(aclient: AsyncClient) -> None:
    job = await aclient.submit("piece.flac")

    async def watch() -> list[Update]:
        return [update async for update in aclient.watch(job)]

    many = await asyncio.gather(*(watch() for _ in range(5)))

    for updates in many:
        states = changes(updates)
        assert states == ["RUNNING", "SUCCEEDED"][2 - len(states) :]
        fractions = [u.progress.fraction for u in updates if isinstance(u, ProgressTick)]
        assert fractions == sorted(fractions)
    (after,) = await watch()
    assert isinstance(after, JobSnapshot)
    assert after.job.state is JobState.SUCCEEDED


def test_another_client_goes_on_where_the_first_one_was(system: System, client: Client) -> None:
    job = client.submit("piece.flac")
    seen = list(client.watch(job))

    with Client(system.address) as other:
        rest = list(other.watch(job.job_id, resume_token=seen[0].resume_token))

    revisions = [update.revision for update in rest if isinstance(update, Transition)]
    assert isinstance(seen[0], JobSnapshot)
    assert revisions == list(range(seen[0].job.revision + 1, 4))


@ONE
def test_a_token_of_another_job_is_refused(client: Client) -> None:
    first, second = client.submit("piece.mp3"), client.submit("piece.mp3")
    token = next(client.watch(first)).resume_token
    with pytest.raises((InvalidRequest, ResumeTokenRejected)):
        list(client.watch(second, resume_token=token))
    first.wait(60)
    second.wait(60)


def test_a_repeated_request_id_makes_one_job(client: Client) -> None:
    request_id = uuid.uuid4()
    first = client.submit("piece.mp3", features=["media"], request_id=request_id)

    again = client.submit("piece.mp3", features=["media"], request_id=request_id)

    assert again.job_id == first.job_id
    with pytest.raises(AlreadyExists) as refused:
        client.submit("piece.flac", features=["media"], request_id=request_id)
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert first.job_id in refused.value.metadata["made"]
    first.wait(60)


def test_errors_say_what_is_wrong(client: Client) -> None:
    with pytest.raises(OutsideRoots) as outside:
        client.submit("/etc/passwd")
    assert outside.value.metadata["path"] == "/etc/passwd"
    with pytest.raises(NotFound) as no_file:
        client.submit("not-there.flac")
    assert no_file.value.reason == "SOURCE_NOT_FOUND"
    with pytest.raises(NotFound) as no_job:
        client.get_job(NOBODY)
    assert no_job.value.reason == "JOB_NOT_FOUND"
    with pytest.raises(NotFound):
        list(client.watch(NOBODY))
    with pytest.raises(InvalidRequest) as invalid:
        client.submit("piece.flac", priority=10, labels={"": "x"})
    assert {violation.field for violation in invalid.value.field_violations} == {
        "priority",
        "labels['']",
    }


async def test_errors_are_the_same_with_asyncio(aclient: AsyncClient) -> None:
    with pytest.raises(OutsideRoots):
        await aclient.submit("/etc/passwd")
    with pytest.raises(NotFound):
        await aclient.get_job(NOBODY)
    with pytest.raises(InvalidRequest):
        await aclient.submit("piece.flac", priority=10)


@ONE
def test_a_request_over_32_mib_is_refused(client: Client) -> None:
    paths = ["x" * 4_000 + str(index) for index in range(9_000)]
    with pytest.raises(LimitExceeded):
        client.submit_batch(paths)


def test_a_file_that_cannot_be_analysed_fails_with_a_reason(client: Client) -> None:
    job = client.submit("broken.wav")
    with pytest.raises(JobFailed) as failed:
        job.result(60)
    assert failed.value.job.error is not None
    assert failed.value.job.error.kind == "INPUT"
    assert failed.value.reason


def test_a_batch_counts_its_jobs_and_names_what_was_not_accepted(client: Client) -> None:
    batch = client.submit_batch(
        [
            "piece.mp3",
            "not-there.wav",
            BatchItem(source="broken.wav", labels={"side": "b"}),
            BatchItem(source="piece.flac", features=["loudness"]),
        ],
        features=["media"],
        labels={"album": "x"},
    )
    counts = [update.batch for update in batch.watch(timeout=60)]

    assert [(item.index, item.reason) for item in batch.failed_items] == [(1, "SOURCE_NOT_FOUND")]
    last = counts[-1]
    assert (last.total, last.succeeded, last.failed) == (3, 2, 1)
    assert batch.wait().is_terminal
    jobs = {job.path: job for job in client.list_jobs(batch=batch)}
    assert dict(jobs["broken.wav"].labels) == {"album": "x", "side": "b"}
    assert jobs["piece.flac"].features == ("loudness",)


async def test_a_batch_is_cancelled_with_asyncio(aclient: AsyncClient) -> None:
    batch = await aclient.submit_batch(["3-hours.wav"] * 6)

    await batch.cancel()
    ended = await batch.wait(60)

    assert (ended.total, ended.succeeded + ended.cancelled) == (6, 6)
    assert ended.cancelled >= 4


def test_a_list_goes_over_its_pages(client: Client) -> None:
    batch = client.submit_batch(["piece.mp3"] * 25, features=["media"])
    batch.wait(60)

    pages = list(client.list_jobs(batch=batch, page_size=10))

    ids = [job.job_id for job in pages]
    assert len(set(ids)) == 25
    assert ids == sorted(ids, reverse=True)
    assert all(job.result is None for job in pages)
    assert list(client.list_jobs(batch=batch, states=["failed"])) == []


def test_workers_and_queues_are_there(client: Client) -> None:
    workers = client.inspect_workers()
    assert [worker.name.partition("@")[0] for worker in workers] == ["maintenance", "worker"]
    assert {queue.name for queue in client.list_queues()} >= {"audio_processing", "maintenance"}


@pytest.fixture(scope="module")
def fragile(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose server is killed."""
    with harken_up(tmp_path_factory.mktemp("fragile") / "data", media) as running:
        yield running


def kill_server(system: System) -> None:
    """Kills the server, which `harken up` starts again."""
    parts = psutil.Process(system.process.pid).children(recursive=True)
    (server,) = [part for part in parts if "harken.server" in part.cmdline()]
    server.kill()


async def test_watches_of_both_clients_go_on_over_a_server_that_is_killed(fragile: System) -> None:
    async with AsyncClient(fragile.address) as aclient:
        job = await aclient.submit("1-hour.wav")
        updates = aclient.watch(job)
        seen = [update async for update in first_tick(updates)]
        sync_watch = asyncio.create_task(
            asyncio.to_thread(lambda: list(fragile.client.watch(job.job_id)))
        )

        kill_server(fragile)
        seen += [update async for update in updates]

        for states in (changes(seen), changes(await sync_watch)):
            assert states[-1:] in (["SUCCEEDED"], [])
            assert len(states) == len(set(states)), "a change of state came twice"
        assert changes(seen)[-1] is JobState.SUCCEEDED
        assert (await job.result()).rhythm is not None


async def first_tick(updates: AsyncIterator[Update]) -> AsyncIterator[Update]:
    """The updates up to the first tick."""
    async for update in updates:
        yield update
        if isinstance(update, ProgressTick):
            return


def test_a_submit_is_repeated_until_the_server_is_back_and_makes_one_job(fragile: System) -> None:
    request_id = uuid.uuid4()
    kill_server(fragile)

    def submitted() -> JobHandle | None:
        try:
            return fragile.client.submit("piece.mp3", labels={"once": "1"}, request_id=request_id)
        except ServerUnavailable:
            return None

    first, second = eventually(submitted), eventually(submitted)

    assert isinstance(first, JobHandle)
    assert first.wait(60).state is JobState.SUCCEEDED
    (only,) = fragile.client.list_jobs(labels={"once": "1"})
    assert isinstance(second, JobHandle)
    assert only.job_id == first.job_id == second.job_id
