"""Many files at once, bad ones among them."""

import uuid
from pathlib import Path

import grpc
import pytest

from harken.v1 import job_pb2
from harken.v1.feature_pb2 import Feature
from harken.v1.job_service_pb2 import ListJobsRequest, SubmitBatchRequest
from harken.v1.source_pb2 import Source
from tests.conftest import new_postgresql_database
from tests.system.conftest import FAILED, SUCCEEDED, System, harken_up


def item(path: str, **fields: object) -> SubmitBatchRequest.Item:
    """An item of a batch."""
    return SubmitBatchRequest.Item(source=Source(path=path), **fields)


def test_bad_items_are_reported_and_stop_none_of_the_others(system: System) -> None:
    request = SubmitBatchRequest(
        items=[
            item("piece.mp3"),
            item("no-such-file.wav"),
            item("../../../etc/passwd"),
            item("broken.wav"),
            item(""),
            item("piece.flac", features=[77]),
            item("piece.flac", features=[Feature.FEATURE_LOUDNESS]),
        ],
        features=[Feature.FEATURE_MEDIA],
    )

    answer = system.jobs.SubmitBatch(request)
    messages = system.follow_batch(answer.batch.batch_id)

    assert [(failed.index, failed.reason) for failed in answer.failed_items] == [
        (1, "SOURCE_NOT_FOUND"),
        (2, "SOURCE_OUTSIDE_ROOTS"),
        (4, "NO_SOURCE"),
        (5, "UNKNOWN_FEATURE"),
    ]
    assert all(failed.message for failed in answer.failed_items)
    last = messages[-1].snapshot.batch
    assert (last.total, last.succeeded, last.failed, last.queued, last.running) == (3, 2, 1, 0, 0)
    assert last.HasField("end_time")
    jobs = system.jobs.ListJobs(ListJobsRequest(batch_id=answer.batch.batch_id)).jobs
    assert {(job.source.path, tuple(job.features)) for job in jobs} == {
        ("piece.mp3", (Feature.FEATURE_MEDIA,)),
        ("broken.wav", (Feature.FEATURE_MEDIA,)),
        ("piece.flac", (Feature.FEATURE_LOUDNESS,)),
    }


def test_counts_of_a_batch_grow_to_its_end(system: System) -> None:
    answer = system.jobs.SubmitBatch(SubmitBatchRequest(items=[item("piece.mp3")] * 12))

    messages = system.follow_batch(answer.batch.batch_id)

    counts = [message.snapshot.batch for message in messages if message.HasField("snapshot")]
    ended = [batch.succeeded + batch.failed for batch in counts]
    assert ended == sorted(ended)
    assert all(batch.total == 12 for batch in counts)
    assert counts[-1].succeeded == 12
    assert len(counts) > 2


def test_a_repeated_batch_is_the_same_batch(system: System) -> None:
    request = SubmitBatchRequest(
        request_id=str(uuid.uuid4()), items=[item("piece.mp3"), item("missing.wav")]
    )

    first, second = system.jobs.SubmitBatch(request), system.jobs.SubmitBatch(request)

    assert second.batch.batch_id == first.batch.batch_id
    assert list(second.failed_items) == list(first.failed_items)
    assert second.batch.total == 1
    system.follow_batch(first.batch.batch_id)


def test_ten_thousand_items_fit_into_one_request(system: System) -> None:
    """At a path of a kilobyte each; none of them is there, which each is told."""
    path = "/".join(["x" * 200] * 5)
    request = SubmitBatchRequest(items=[item(f"{path}/{index}.wav") for index in range(10_000)])
    assert request.ByteSize() > 10_000_000

    answer = system.jobs.SubmitBatch(request)

    assert answer.batch.total == 0
    assert answer.batch.HasField("end_time")
    assert len(answer.failed_items) == 10_000
    assert answer.failed_items[-1].index == 9_999


def test_however_much_is_wrong_with_ten_thousand_items_the_answer_is_a_message_of_default_size(
    system: System,
) -> None:
    labels = {f"{'ü' * 70}{number}": "v" * 256 for number in range(3)}
    items = [item("piece.mp3", labels=labels, features=[99] * 20, request_id="x" * 60)] * 10_000

    answer = system.jobs.SubmitBatch(SubmitBatchRequest(items=items))

    assert len(answer.failed_items) == 10_000
    assert answer.ByteSize() < 4 * 1024 * 1024


def test_more_than_ten_thousand_items_are_refused(system: System) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        system.jobs.SubmitBatch(SubmitBatchRequest(items=[item("piece.mp3")] * 10_001))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "10001 items" in refused.value.details()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.timeout(600)
def test_every_recording_goes_through_and_every_odd_file_ends_in_order(
    kind: str, samples: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """All of the recordings in one batch: the damaged ones fail as INPUT, nothing else is lost."""
    if kind == "postgresql":
        with (
            new_postgresql_database(request.getfixturevalue("postgresql")) as url,
            harken_up(tmp_path / "data", samples, HARKEN_DATABASE_URL=url) as system,
        ):
            check_all_recordings(system, samples)
    else:
        with harken_up(tmp_path / "data", samples) as system:
            check_all_recordings(system, samples)


def check_all_recordings(system: System, samples: Path) -> None:
    """Submits all recordings and looks at what became of each."""
    files = sorted(path for path in samples.glob("*/*") if path.is_file())
    assert len(files) == 144
    batch = system.jobs.SubmitBatch(
        SubmitBatchRequest(items=[item(str(path)) for path in files])
    ).batch
    assert batch.total == len(files)

    last = system.follow_batch(batch.batch_id)[-1].snapshot.batch

    assert last.succeeded + last.failed == len(files)
    failed = system.jobs.ListJobs(
        ListJobsRequest(batch_id=batch.batch_id, states=[FAILED], page_size=1000)
    ).jobs
    for job in failed:
        assert Path(job.source.path).parent.name in {"odd", "video"}, job
        assert job.error.kind == job_pb2.JobError.KIND_INPUT, job
        assert job.error.reason, job
        assert job.attempt == 1, job
    succeeded = system.jobs.ListJobs(
        ListJobsRequest(batch_id=batch.batch_id, states=[SUCCEEDED], page_size=1000)
    ).jobs
    for job in succeeded:
        result = system.get(job.job_id).result
        assert result.media.duration_s > 0, job
    workers = {worker.name: worker for worker in system.client.inspect_workers()}
    assert all(worker.status == "ONLINE" for worker in workers.values())
    assert "lost its process" not in system.log("worker")
