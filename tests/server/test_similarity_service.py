"""FindSimilar and FindDuplicates over gRPC: what is asked, what is refused, and a file that is analysed first."""

import asyncio
import math
from collections.abc import AsyncIterator

import grpc
import pytest

from harken.jobs import execution
from harken.jobs.job import ErrorKind, JobError
from harken.v1 import similarity_service_pb2 as pb
from harken.v1.job_service_pb2 import GetJobRequest, ListJobsRequest
from harken.v1.similarity_service_pb2_grpc import SimilarityServiceStub
from harken.v1.source_pb2 import Source
from tests.jobs.sounds import MODEL, result, towards
from tests.server.conftest import Served, now
from tests.server.test_redrive import refusal

NOBODY = "0197c0de-0000-7000-8000-000000000000"


@pytest.fixture
async def sounds(served: Served) -> AsyncIterator[SimilarityServiceStub]:
    """The stub of SimilarityService."""
    async with grpc.aio.insecure_channel(served.settings.listen) as channel:
        yield SimilarityServiceStub(channel)


def end(served: Served, job_id: str, found: dict[str, object]) -> None:
    """A worker ends a job with a result."""
    job = served.hands.claim(job_id)
    with served.hands.database.write() as connection:
        execution.succeed(connection, job.job_id, job.attempt, found, now())
    served.hands.bell.ring()


async def made(served: Served, degrees: float, **facts: object) -> str:
    """A job with a sound."""
    job_id = await served.submit()
    end(served, job_id, result(towards(degrees), **facts))
    return job_id


async def first_waiting(served: Served) -> str:
    """The job that waits, once there is one."""
    async with asyncio.timeout(20):
        while True:
            if jobs := (await served.jobs.ListJobs(ListJobsRequest(states=[1]))).jobs:
                return jobs[0].job_id
            await asyncio.sleep(0.01)


def by_vector(degrees: float = 0.0, **fields: object) -> pb.FindSimilarRequest:
    """A search by a vector."""
    vector = pb.QueryVector(values=towards(degrees), model=MODEL)
    return pb.FindSimilarRequest(vector=vector, **fields)


async def test_a_sound_is_found_with_what_is_known_of_it(served: Served, sounds) -> None:
    job_id = await made(served, 60, tempo_bpm=120, key="A", mode="minor", duration_s=4)
    (found,) = (await sounds.FindSimilar(by_vector())).sounds
    assert found.job_id == job_id
    assert found.similarity == pytest.approx(0.5, abs=1e-6)
    assert found.source.path == "one.wav"
    assert (found.tempo_bpm, found.key, found.mode, found.duration_s) == (120, "A", "minor", 4)
    assert found.sound_class == pb.SOUND_CLASS_LOOP
    assert found.HasField("create_time")


async def test_a_vector_of_any_length_is_as_good(served: Served, sounds) -> None:
    await made(served, 0)
    long = pb.QueryVector(values=[1000 * value for value in towards(0)], model=MODEL)
    (found,) = (await sounds.FindSimilar(pb.FindSimilarRequest(vector=long))).sounds
    assert found.similarity == pytest.approx(1, abs=1e-6)


async def test_by_a_job_its_own_sound_is_left_out(served: Served, sounds) -> None:
    mine, twin, other = await made(served, 0), await made(served, 0), await made(served, 20)
    assert twin != mine
    answer = await sounds.FindSimilar(pb.FindSimilarRequest(job_id=mine.upper()))
    assert [sound.job_id for sound in answer.sounds] == [other]
    assert (answer.job_id, answer.model) == (mine, MODEL)


async def test_pages_go_on_with_their_token_alone(served: Served, sounds) -> None:
    jobs = [await made(served, degrees) for degrees in range(1, 6)]
    request = by_vector(page_size=2)
    found: list[str] = []
    while True:
        page = await sounds.FindSimilar(request)
        found += [sound.job_id for sound in page.sounds]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == jobs
    other = by_vector(1, page_size=2, page_token=request.page_token)
    code, reason, fields = await refusal(sounds.FindSimilar(other))
    assert (code, reason, fields) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_TOKEN",
        ["page_token"],
    )


async def test_related_keys_are_neighbours_on_the_circle_of_fifths(served: Served, sounds) -> None:
    keys = ("A minor", "C major", "E minor", "G major", "D minor", "F major", "A major", "B minor")
    for place, key in enumerate(keys):
        tonic, mode = key.split()
        await made(served, place + 1, key=tonic, mode=mode)
    exact = pb.SoundFilter(key="A", mode="minor")
    related = pb.SoundFilter(key="A", mode="minor", related_keys=True)
    either = pb.SoundFilter(key="A")

    async def found(where: pb.SoundFilter) -> list[str]:
        answer = await sounds.FindSimilar(by_vector(filter=where, page_size=20))
        return [f"{sound.key} {sound.mode}" for sound in answer.sounds]

    assert await found(exact) == ["A minor"]
    assert await found(related) == list(keys[:6])
    assert await found(either) == ["A minor", "A major"]


async def test_a_file_is_analysed_first_and_is_no_part_of_what_is_searched(
    served: Served, sounds
) -> None:
    known = await made(served, 10)
    request = pb.FindSimilarRequest(source=Source(path="one.wav"), page_size=1)

    async def work() -> None:
        waiting = await first_waiting(served)
        job = (await served.jobs.GetJob(GetJobRequest(job_id=waiting))).job
        assert (job.priority, len(job.features)) == (9, 1)
        end(served, waiting, result(towards(0)))

    answer, _ = await asyncio.gather(sounds.FindSimilar(request, timeout=30), work())
    assert [sound.job_id for sound in answer.sounds] == [known]
    assert (await served.jobs.GetJob(GetJobRequest(job_id=answer.job_id))).job.features
    second = await made(served, 20)
    again = await sounds.FindSimilar(pb.FindSimilarRequest(job_id=answer.job_id))
    assert [sound.job_id for sound in again.sounds] == [known, second]


async def test_further_pages_of_a_file_are_had_by_its_job(served: Served, sounds) -> None:
    jobs = [await made(served, 10), await made(served, 20)]
    request = pb.FindSimilarRequest(source=Source(path="one.wav"), page_size=1)

    async def work() -> None:
        waiting = await first_waiting(served)
        end(served, waiting, result(towards(0)))

    first, _ = await asyncio.gather(sounds.FindSimilar(request, timeout=30), work())
    request.job_id = first.job_id
    request.page_token = first.next_page_token
    second = await sounds.FindSimilar(request)
    assert [sound.job_id for sound in (*first.sounds, *second.sounds)] == jobs
    request.source.path = "one.wav"
    _, reason, fields = await refusal(sounds.FindSimilar(request))
    assert (reason, fields) == ("PAGE_OF_SOURCE", ["source"])


async def test_a_file_that_is_not_analysed_in_time_has_a_job_to_search_by_later(
    served: Served, sounds
) -> None:
    request = pb.FindSimilarRequest(source=Source(path="one.wav"))
    call = sounds.FindSimilar(request, timeout=0.5)
    code, reason, _ = await refusal(call)
    assert (code, reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "QUERY_NOT_READY")
    (job,) = (await served.jobs.ListJobs(ListJobsRequest())).jobs
    assert job.job_id in await call.details()


async def test_a_file_that_cannot_be_analysed_is_told_with_its_jobs_error(
    served: Served, sounds
) -> None:
    async def work() -> None:
        waiting = await first_waiting(served)
        job = served.hands.claim(waiting)
        error = JobError(kind=ErrorKind.INPUT, reason="NO_AUDIO_STREAM", message="It is a picture.")
        with served.hands.database.write() as connection:
            execution.fail(connection, job.job_id, job.attempt, error, now())
        served.hands.bell.ring()

    call = sounds.FindSimilar(pb.FindSimilarRequest(source=Source(path="one.wav")), timeout=30)
    (code, reason, _), _ = await asyncio.gather(refusal(call), work())
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "QUERY_FAILED")
    assert "It is a picture." in await call.details()


@pytest.mark.parametrize(
    ("source", "code", "reason"),
    [
        ({"path": "nothing.wav"}, grpc.StatusCode.NOT_FOUND, "SOURCE_NOT_FOUND"),
        ({"path": "/etc/passwd"}, grpc.StatusCode.PERMISSION_DENIED, "SOURCE_OUTSIDE_ROOTS"),
        ({"upload_id": NOBODY}, grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"),
        ({"uri": "s3://other/a.wav"}, grpc.StatusCode.PERMISSION_DENIED, "SOURCE_NOT_ALLOWED"),
        ({}, grpc.StatusCode.INVALID_ARGUMENT, "NO_SOURCE"),
    ],
)
async def test_a_file_is_checked_as_a_submit_is(sounds, source, code, reason) -> None:
    request = pb.FindSimilarRequest(source=Source(**source))
    assert (await refusal(sounds.FindSimilar(request)))[:2] == (code, reason)


@pytest.mark.parametrize(
    ("request_", "reason", "field"),
    [
        (pb.FindSimilarRequest(), "NO_QUERY", "query"),
        (pb.FindSimilarRequest(job_id="x"), "MALFORMED_ID", "job_id"),
        (
            pb.FindSimilarRequest(vector=pb.QueryVector(values=[1.0], model="m")),
            "WRONG_DIMENSIONS",
            "vector.values",
        ),
        (
            pb.FindSimilarRequest(vector=pb.QueryVector(values=[math.nan] * 128, model="m")),
            "NOT_FINITE",
            "vector.values",
        ),
        (
            pb.FindSimilarRequest(vector=pb.QueryVector(values=[0.0] * 128, model="m")),
            "NO_DIRECTION",
            "vector.values",
        ),
        (
            pb.FindSimilarRequest(vector=pb.QueryVector(values=[1.0] * 128)),
            "NO_MODEL",
            "vector.model",
        ),
        (by_vector(page_size=-1), "NEGATIVE_PAGE_SIZE", "page_size"),
        (by_vector(page_token="x"), "INVALID_TOKEN", "page_token"),
        (by_vector(filter=pb.SoundFilter(key="H")), "UNKNOWN_KEY", "filter.key"),
        (by_vector(filter=pb.SoundFilter(key="A", mode="dur")), "UNKNOWN_MODE", "filter.mode"),
        (by_vector(filter=pb.SoundFilter(mode="major")), "NO_KEY", "filter.key"),
        (by_vector(filter=pb.SoundFilter(related_keys=True)), "NO_KEY", "filter.key"),
        (by_vector(filter=pb.SoundFilter(classes=[77])), "UNKNOWN_CLASS", "filter.classes[0]"),
        (
            by_vector(filter=pb.SoundFilter(tempo_bpm_min=9, tempo_bpm_max=8)),
            "EMPTY_RANGE",
            "filter.tempo_bpm_max",
        ),
        (
            by_vector(filter=pb.SoundFilter(duration_s_min=math.nan)),
            "OUT_OF_RANGE",
            "filter.duration_s_min",
        ),
        (by_vector(filter=pb.SoundFilter(labels={"": "b"})), "LABEL_KEY_LENGTH", None),
        (by_vector(filter=pb.SoundFilter(batch_id="x")), "MALFORMED_ID", "filter.batch_id"),
    ],
)
async def test_what_is_wrong_with_a_search_is_named(sounds, request_, reason, field) -> None:
    code, found, fields = await refusal(sounds.FindSimilar(request_))
    assert (code, found) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert field is None or field in fields


async def test_a_job_without_an_embedding_says_why(served: Served, sounds) -> None:
    job_id = await served.submit()
    for call in (
        sounds.FindSimilar(pb.FindSimilarRequest(job_id=job_id)),
        sounds.FindDuplicates(pb.FindDuplicatesRequest(job_id=job_id)),
    ):
        code, reason, _ = await refusal(call)
        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_EMBEDDING")


async def test_what_duplicates_are_looked_for_among_has_to_be_there(sounds) -> None:
    for request, reason in (
        (pb.FindDuplicatesRequest(job_id=NOBODY), "JOB_NOT_FOUND"),
        (pb.FindDuplicatesRequest(batch_id=NOBODY), "BATCH_NOT_FOUND"),
    ):
        code, found, _ = await refusal(sounds.FindDuplicates(request))
        assert (code, found) == (grpc.StatusCode.NOT_FOUND, reason)
    for request, field in (
        (pb.FindDuplicatesRequest(job_id="x"), "job_id"),
        (pb.FindDuplicatesRequest(labels={"": "x"}), "labels['']"),
        (pb.FindDuplicatesRequest(page_token="x"), "page_token"),
    ):
        code, _, fields = await refusal(sounds.FindDuplicates(request))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


async def test_sounds_without_a_fingerprint_are_counted(served: Served, sounds) -> None:
    await made(served, 0)
    await made(served, 30)
    answer = await sounds.FindDuplicates(pb.FindDuplicatesRequest())
    assert (list(answer.groups), answer.looked_at, answer.without_fingerprint) == ([], 2, 2)
    assert not answer.next_page_token
