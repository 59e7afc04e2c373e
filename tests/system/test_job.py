"""One file, from submit to result, through the real server, broker, worker and database."""

from itertools import pairwise

import grpc
import pytest

from harken.v1 import job_pb2
from harken.v1.feature_pb2 import Feature
from harken.v1.job_service_pb2 import ListJobsRequest
from tests.system.conftest import FAILED, QUEUED, SUCCEEDED, System


def test_a_submitted_file_is_analysed_and_its_result_is_there(system: System) -> None:
    job = system.submit("piece.flac", labels={"shelf": "a"}, priority=7)
    assert (job.state, job.revision, job.attempt, job.priority) == (QUEUED, 1, 0, 7)

    system.follow(job.job_id)

    done = system.get(job.job_id)
    assert done.state == SUCCEEDED
    assert (done.revision, done.attempt, dict(done.labels)) == (3, 1, {"shelf": "a"})
    assert done.create_time.ToDatetime() <= done.start_time.ToDatetime()
    assert done.start_time.ToDatetime() <= done.end_time.ToDatetime()
    assert done.worker.startswith("worker@")
    assert not done.HasField("error")
    assert done.result.rhythm.tempo_bpm == pytest.approx(112, rel=0.02)
    assert done.result.loudness.integrated_lufs == pytest.approx(-16, abs=1)
    assert done.result.media.duration_s == pytest.approx(12, abs=0.01)
    assert len(done.result.embedding.vector) == 128
    groups = {field.name for field, _ in done.result.ListFields()}
    assert groups == {
        "media", "rhythm", "tonal", "spectral", "timbre", "loudness", "onsets", "embedding",
    }  # fmt: skip


def test_progress_is_live_and_moves_with_the_sound(system: System) -> None:
    job = system.submit("20-minutes.wav")

    seen = system.follow(job.job_id)

    first = seen[0]
    assert first.WhichOneof("message") == "snapshot"
    assert first.snapshot.job.job_id == job.job_id
    events = [event for message in seen for event in message.events.events]
    ticks = [event for event in events if event.HasField("progress")]
    fractions = [event.progress.fraction for event in ticks]
    assert fractions == sorted(fractions)
    assert len({event.progress.stage for event in ticks}) >= 2
    # Twenty steps and more of 20 minutes, none of them a leap from start to end.
    assert len(fractions) > 20
    assert max(b - a for a, b in pairwise(fractions)) < 0.5
    assert "of 1200 s" in ticks[len(ticks) // 2].progress.message
    assert all(event.attempt == 1 for event in ticks)


def test_transitions_come_once_each_and_in_order(system: System) -> None:
    job = system.submit("piece.mp3")

    seen = system.follow(job.job_id)

    known = seen[0].snapshot.job.revision
    changes = [
        event for message in seen for event in message.events.events if event.HasField("transition")
    ]
    assert [event.revision for event in changes] == list(range(known + 1, 4))
    assert changes[-1].transition.to == SUCCEEDED
    assert all(
        getattr(after.transition, "from") == before.transition.to
        for before, after in pairwise(changes)
    )


def test_only_the_features_asked_for_are_computed(system: System) -> None:
    job = system.submit("piece.flac", features=[Feature.FEATURE_LOUDNESS, Feature.FEATURE_MEDIA])
    assert list(job.features) == [Feature.FEATURE_MEDIA, Feature.FEATURE_LOUDNESS]

    system.follow(job.job_id)

    result = system.get(job.job_id).result
    assert {field.name for field, _ in result.ListFields()} == {"media", "loudness"}


def test_a_damaged_file_fails_its_job_as_input_and_says_why(system: System) -> None:
    job = system.submit("broken.wav")

    seen = system.follow(job.job_id)

    failed = system.get(job.job_id)
    assert failed.state == FAILED
    assert failed.error.kind == job_pb2.JobError.KIND_INPUT
    assert failed.error.reason
    assert "Errno" not in failed.error.message
    assert failed.attempt == 1
    assert not failed.HasField("result")
    last = seen[-1].events.events[-1]
    assert last.transition.to == FAILED
    assert last.transition.error.reason == failed.error.reason


def test_results_are_with_get_only(system: System) -> None:
    job = system.submit("piece.mp3")

    seen = system.follow(job.job_id)

    listed = system.jobs.ListJobs(ListJobsRequest(page_size=1)).jobs[0]
    assert listed.job_id == job.job_id
    assert not listed.HasField("result")
    after_the_end = system.follow(job.job_id)
    assert not after_the_end[0].snapshot.job.HasField("result")
    assert not seen[0].snapshot.job.HasField("result")


def test_pages_of_jobs_follow_each_other_without_gap_or_repeat(system: System) -> None:
    made = [system.submit("piece.mp3", labels={"page": "yes"}).job_id for _ in range(5)]
    for job_id in made:
        system.follow(job_id)

    found: list[str] = []
    token = ""
    while True:
        page = system.jobs.ListJobs(
            ListJobsRequest(page_size=2, page_token=token, labels={"page": "yes"})
        )
        found += [job.job_id for job in page.jobs]
        token = page.next_page_token
        if not token:
            break

    assert found == made[::-1]


def test_a_page_token_is_good_for_its_own_filter_only(system: System) -> None:
    for _ in range(2):
        system.follow(system.submit("piece.mp3").job_id)
    token = system.jobs.ListJobs(ListJobsRequest(page_size=1)).next_page_token

    with pytest.raises(grpc.RpcError) as refused:
        system.jobs.ListJobs(ListJobsRequest(page_size=1, page_token=token, labels={"a": "b"}))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
