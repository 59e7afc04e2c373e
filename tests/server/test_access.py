"""Who is let in, and to what: every RPC that reflection names is called by those who may not call it."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc import error_details_pb2, status_pb2

from harken.client import AsyncClient, Client, NotFound
from harken.jobs import audit, queries
from harken.jobs.owners.scope import ALL_SCOPES, Scope
from harken.jobs.store.database import Database
from harken.jobs.store.schema import ARTIFACTS, BLOBS
from harken.server.access import rules
from harken.server.access.keyring import HOLDS_FOR_S
from harken.server.access.rules import RULES, MissingRule, Open
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1.job_service_pb2 import (
    CancelJobRequest,
    GetJobRequest,
    JobIds,
    ListJobsRequest,
    RetryJobsRequest,
    StreamProgressRequest,
    SubmitAnalysisRequest,
    SubmitBatchRequest,
)
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.media_service_pb2 import (
    DownloadArtifactRequest,
    UploadHeader,
    UploadMediaRequest,
    UploadMediaResponse,
)
from harken.v1.owner_service_pb2 import EraseOwnerRequest, ExportOwnerRequest
from harken.v1.owner_service_pb2_grpc import OwnerServiceStub
from harken.v1.source_pb2 import Source
from harken.v1.worker_service_pb2 import InspectWorkersRequest
from harken.v1.worker_service_pb2_grpc import WorkerServiceStub
from tests.server.conftest import WorkerHands, until
from tests.server.foreign_requests import REQUESTS, Theirs
from tests.server.guarded import Answer, Method, bearer, call, make_key, methods_of, revoke

DENIED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
NOBODYS = Theirs(
    job_id=str(uuid.uuid4()),
    batch_id=str(uuid.uuid4()),
    action_id=str(uuid.uuid4()),
    request_id=str(uuid.uuid4()),
    upload_id=str(uuid.uuid4()),
    artifact_id=str(uuid.uuid4()),
)


@dataclass
class Guarded:
    """A server that asks for keys, and two who have all scopes there."""

    settings: Settings
    channel: grpc.aio.Channel
    ann: str
    bob: str

    @property
    def jobs(self) -> JobServiceStub:
        """The stub of the jobs."""
        return JobServiceStub(self.channel)

    async def methods(self) -> dict[str, Method]:
        """All methods there are."""
        return await methods_of(self.channel, self.ann)


@pytest.fixture
async def guarded(settings: Settings) -> AsyncIterator[Guarded]:
    """A server that asks for keys."""
    settings = replace(settings, authentication="keys")
    ann, bob = make_key(settings, "ann"), make_key(settings, "bob")
    async with (
        running_server(settings) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        yield Guarded(settings, channel, ann, bob)


def reason(answer: Answer) -> str:
    """The reason in an answer's ErrorInfo."""
    status = status_pb2.Status.FromString(answer.content)
    return _unpacked(status.details[0]).reason


def _unpacked(detail: AnyMessage) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    assert detail.Unpack(info)
    return info


async def test_every_method_has_a_rule_and_a_request_about_somebody_else_s_things(
    guarded: Guarded,
) -> None:
    methods = await guarded.methods()

    assert len(methods) > 15
    assert set(methods) == set(RULES) == set(REQUESTS)


async def test_who_shows_nothing_may_call_what_is_open_and_nothing_else(guarded: Guarded) -> None:
    for name, method in (await guarded.methods()).items():
        answer = await call(guarded.channel, method, REQUESTS[name](NOBODYS))
        if RULES[name] is Open.TO_ALL:
            assert answer.code in (grpc.StatusCode.OK, grpc.StatusCode.UNIMPLEMENTED), name
        else:
            assert answer.code is grpc.StatusCode.UNAUTHENTICATED, name
            assert reason(answer) == "NO_CREDENTIALS", name


async def test_who_is_refused_is_refused_before_anything_is_read(guarded: Guarded) -> None:
    """Neither the size nor the fields of a request count before who sends it."""
    for name, method in (await guarded.methods()).items():
        if RULES[name] is not Open.TO_ALL:
            answer = await call(guarded.channel, method, b"\xff" * 100_000)
            assert answer.code is grpc.StatusCode.UNAUTHENTICATED, name


@pytest.mark.parametrize("missing", Scope)
async def test_without_its_scope_a_method_is_denied_whether_or_not_the_thing_exists(
    guarded: Guarded, missing: Scope
) -> None:
    key = make_key(guarded.settings, "ann", ALL_SCOPES - {missing})
    hers = await _things_of(guarded)
    for name, method in (await guarded.methods()).items():
        for about in (hers, NOBODYS):
            answer = await call(guarded.channel, method, REQUESTS[name](about), bearer(key))
            if RULES[name] is missing:
                assert answer.code is grpc.StatusCode.PERMISSION_DENIED, name
                assert reason(answer) == "SCOPE_MISSING", name
            else:
                assert answer.code not in DENIED, name


async def test_to_a_stranger_what_is_another_s_is_as_if_it_were_not(guarded: Guarded) -> None:
    hers = await _things_of(guarded)
    before = _state(guarded.settings, hers)
    ids = [text.encode() for text in astuple(hers) if text]
    for name, method in (await guarded.methods()).items():
        request = REQUESTS[name](hers)
        answer = await call(guarded.channel, method, request, bearer(guarded.bob))
        nothing = REQUESTS[name](NOBODYS)
        of_nothing = await call(guarded.channel, method, nothing, bearer(guarded.bob))

        sent = request.SerializeToString()
        leaked = [one for one in ids if one in answer.content and one not in sent]
        assert leaked == [], name
        if hers.page_token.encode() in sent and hers.page_token:
            assert answer.code is grpc.StatusCode.INVALID_ARGUMENT, name
        else:
            assert answer.code is of_nothing.code, name
            told = answer.text
            for one, other in zip(astuple(hers), astuple(NOBODYS), strict=True):
                told = told.replace(one, other) if one else told
            assert told == of_nothing.text, name
    assert _state(guarded.settings, hers) == before


async def test_a_stranger_with_a_stolen_resume_token_is_told_that_there_is_no_such_thing(
    guarded: Guarded,
) -> None:
    hers = await _things_of(guarded)
    for about in (
        {"job_id": hers.job_id},
        {"batch_id": hers.batch_id},
        {"batch_id": hers.batch_id, "include_items": True},
    ):
        stream = guarded.jobs.StreamProgress(
            StreamProgressRequest(**about), metadata=bearer(guarded.ann)
        )
        token = (await stream.read()).resume_token
        stream.cancel()
        stolen = StreamProgressRequest(**about, resume_token=token)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await guarded.jobs.StreamProgress(stolen, metadata=bearer(guarded.bob)).read()
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_owners_list_their_own_jobs_and_see_only_those_at_the_workers(
    guarded: Guarded,
) -> None:
    jobs, workers = guarded.jobs, WorkerServiceStub(guarded.channel)
    hands = WorkerHands(guarded.settings)
    ids = {}
    for key in (guarded.ann, guarded.bob):
        submitted = await jobs.SubmitAnalysis(
            SubmitAnalysisRequest(source=Source(path="one.wav")), metadata=bearer(key)
        )
        ids[key] = submitted.job.job_id
        hands.claim(ids[key])
    with hands.database.write() as connection:
        from harken.jobs.queueing import workers as heartbeats

        beat = heartbeats.Heartbeat(
            name="one@test", hostname="h", pid=1, version="1", queues=("audio_processing",),
            concurrency=2, jobs_done=0, stopping=False, start_time=datetime.now(UTC),
        )  # fmt: skip
        heartbeats.beat(connection, beat, datetime.now(UTC))
    hands.close()
    for key in ids:
        listed = await jobs.ListJobs(ListJobsRequest(), metadata=bearer(key))
        assert [job.job_id for job in listed.jobs] == [ids[key]]
        reader = make_key(
            guarded.settings, "ann" if key == guarded.ann else "bob", frozenset({Scope.READ})
        )
        seen = await workers.InspectWorkers(InspectWorkersRequest(), metadata=bearer(reader))
        assert [job.job_id for job in seen.workers[0].running_jobs] == [ids[key]]
    everything = await workers.InspectWorkers(InspectWorkersRequest(), metadata=bearer(guarded.ann))
    assert {job.job_id for job in everything.workers[0].running_jobs} == set(ids.values())


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ((("authorization", "hk_nonsense"),), "CREDENTIALS_MALFORMED"),
        ((("authorization", "Basic abc"),), "CREDENTIALS_MALFORMED"),
        ((("authorization", "Bearer"),), "CREDENTIALS_MALFORMED"),
        (bearer("x") * 2, "CREDENTIALS_MALFORMED"),
        (bearer("nonsense"), "KEY_MALFORMED"),
        (bearer("hk_0123456789_" + "0" * 43), "KEY_UNKNOWN"),
    ],
)
async def test_what_is_no_key_is_refused_with_the_reason(
    guarded: Guarded, metadata: tuple[tuple[str, str], ...], why: str
) -> None:
    answer = await call(guarded.channel, GET_JOB, GetJobRequest(), metadata)
    assert (answer.code, reason(answer)) == (grpc.StatusCode.UNAUTHENTICATED, why)


async def test_a_key_with_another_secret_is_no_key(guarded: Guarded) -> None:
    wrong = guarded.ann[:-1] + ("0" if guarded.ann[-1] != "0" else "1")
    answer = await call(guarded.channel, GET_JOB, GetJobRequest(), bearer(wrong))
    assert reason(answer) == "KEY_UNKNOWN"


async def test_a_key_that_has_expired_is_refused(guarded: Guarded) -> None:
    made = datetime.now(UTC) - timedelta(hours=2)
    old = make_key(guarded.settings, "ann", lifetime=timedelta(hours=1), now=made)
    answer = await call(guarded.channel, GET_JOB, GetJobRequest(), bearer(old))
    assert reason(answer) == "KEY_EXPIRED"


async def test_a_new_key_is_taken_at_once_and_a_revoked_one_for_five_seconds_at_most(
    guarded: Guarded,
) -> None:
    key = make_key(guarded.settings, "eve")
    request = ListJobsRequest()
    await guarded.jobs.ListJobs(request, metadata=bearer(key))
    submitted = await guarded.jobs.SubmitAnalysis(
        SubmitAnalysisRequest(source=Source(path="one.wav")), metadata=bearer(key)
    )
    stream = guarded.jobs.StreamProgress(
        StreamProgressRequest(job_id=submitted.job.job_id), metadata=bearer(key)
    )
    await stream.read()

    revoke(guarded.settings, key)
    revoked_at = datetime.now(UTC)

    # The stream ends with it, though its job goes on.
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await _to_its_end(stream)
    took = datetime.now(UTC) - revoked_at
    assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await guarded.jobs.ListJobs(request, metadata=bearer(key))
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert took < timedelta(seconds=HOLDS_FOR_S)
    await guarded.jobs.ListJobs(request, metadata=bearer(guarded.ann))


async def test_that_a_key_is_used_is_noted(guarded: Guarded) -> None:
    from harken.jobs.owners import keys

    await guarded.jobs.ListJobs(ListJobsRequest(), metadata=bearer(guarded.ann))
    database = Database(guarded.settings.database_url)

    def used() -> dict[str, bool]:
        with database.read() as connection:
            return {key.owner: key.last_used_time is not None for key in keys.list_keys(connection)}

    await until(lambda: used() == {"ann": True, "bob": False})
    database.close()


async def test_an_action_names_the_owner_and_the_key(guarded: Guarded) -> None:
    hers = await _things_of(guarded)
    database = Database(guarded.settings.database_url)
    with database.read() as connection:
        (action,) = audit.list_actions(connection, owner="ann", limit=9)
    database.close()
    assert action.action_id == hers.action_id
    assert action.peer.endswith(f" key {guarded.ann.split('_')[1]}")


async def test_to_retry_an_administrator_s_job_is_to_ask_for_it(guarded: Guarded) -> None:
    """Or a key with `submit` alone would do what takes `admin`."""
    made = await OwnerServiceStub(guarded.channel).EraseOwner(
        EraseOwnerRequest(owner="nobody"), metadata=bearer(guarded.ann)
    )
    job_id = made.job.job_id
    await guarded.jobs.CancelJob(CancelJobRequest(job_id=job_id), metadata=bearer(guarded.ann))
    request = RetryJobsRequest(jobs=JobIds(job_ids=[job_id]), force=True)
    key = make_key(guarded.settings, "ann", frozenset({Scope.SUBMIT}))

    refused = await guarded.jobs.RetryJobs(request, metadata=bearer(key))
    retried = await guarded.jobs.RetryJobs(request, metadata=bearer(guarded.ann))

    assert [outcome.reason for outcome in refused.outcomes] == ["SCOPE_MISSING"]
    assert (refused.retried_count, retried.retried_count) == (0, 1)


async def test_both_clients_send_and_fetch_files_with_their_key(
    guarded: Guarded, tmp_path: Path
) -> None:
    file = tmp_path / "sent.wav"
    file.write_bytes(b"bytes")
    address = guarded.settings.listen
    async with AsyncClient(address, key=guarded.ann) as client:
        sent = await client.media.upload(file)
        assert (await client.media.get_upload(sent.upload_id)).size == 5
    async with AsyncClient(address, key=guarded.bob) as client:
        with pytest.raises(NotFound):
            await client.media.get_upload(sent.upload_id)

    def blocking() -> None:
        with Client(address, key=guarded.bob) as client:
            assert client.media.upload(file).size == 5

    await asyncio.to_thread(blocking)


def test_a_server_does_not_start_with_a_method_that_has_no_rule() -> None:
    from google.protobuf import descriptor_pool

    file = FileDescriptorProto(name="new.proto", package="new", syntax="proto3")
    file.message_type.add(name="Nothing")
    service = file.service.add(name="NewService")
    service.method.add(name="Do", input_type=".new.Nothing", output_type=".new.Nothing")
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())

    with pytest.raises(MissingRule, match=r"/new\.NewService/Do"):
        rules.check(["harken.v1.JobService", "new.NewService"])


GET_JOB = Method("/harken.v1.JobService/GetJob", False, False)


async def _to_its_end(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass


async def test_what_is_held_of_an_owner_is_for_administrators_alone(guarded: Guarded) -> None:
    """Another key of the administrator's own owner neither fetches the archive nor has it made again."""
    metadata = bearer(guarded.ann)
    made = await OwnerServiceStub(guarded.channel).ExportOwner(
        ExportOwnerRequest(owner="bob"), metadata=metadata
    )
    job_id = made.job.job_id
    await guarded.jobs.CancelJob(CancelJobRequest(job_id=job_id), metadata=metadata)
    artifact = DownloadArtifactRequest(artifact_id=_artifact_of(guarded.settings, job_id))
    download = Method("/harken.v1.MediaService/DownloadArtifact", False, True)
    retry = RetryJobsRequest(jobs=JobIds(job_ids=[job_id]))

    lesser = bearer(make_key(guarded.settings, "ann", ALL_SCOPES - {Scope.ADMIN}))
    answer = await call(guarded.channel, download, artifact, lesser)
    assert answer.code is grpc.StatusCode.PERMISSION_DENIED
    assert reason(answer) == "SCOPE_MISSING"
    [outcome] = (await guarded.jobs.RetryJobs(retry, metadata=lesser)).outcomes
    assert (outcome.reason, outcome.new_job_id) == ("SCOPE_MISSING", "")
    stranger = await call(guarded.channel, download, artifact, bearer(guarded.bob))
    assert stranger.code is grpc.StatusCode.NOT_FOUND

    allowed = await call(guarded.channel, download, artifact, metadata)
    assert allowed.code not in DENIED
    [outcome] = (await guarded.jobs.RetryJobs(retry, metadata=metadata)).outcomes
    assert outcome.new_job_id


async def _things_of(guarded: Guarded) -> Theirs:
    """What ann has: a batch with a job that runs to nowhere, one that was cancelled, and tokens of them."""
    jobs, metadata = guarded.jobs, bearer(guarded.ann)
    request_id = str(uuid.uuid4())
    item = SubmitBatchRequest.Item(source=Source(path="one.wav"))
    batch = await jobs.SubmitBatch(
        SubmitBatchRequest(items=[item, item], request_id=request_id), metadata=metadata
    )
    batch_id = batch.batch.batch_id
    listed = await jobs.ListJobs(ListJobsRequest(batch_id=batch_id, page_size=1), metadata=metadata)
    cancelled = await jobs.SubmitAnalysis(
        SubmitAnalysisRequest(source=Source(path="one.wav")), metadata=metadata
    )
    await jobs.CancelJob(CancelJobRequest(job_id=cancelled.job.job_id), metadata=metadata)
    database = Database(guarded.settings.database_url)
    with database.read() as connection:
        action = audit.list_actions(connection, owner="ann", limit=1)[0]
    database.close()
    upload = await call(
        guarded.channel,
        Method("/harken.v1.MediaService/UploadMedia", True, False),
        UploadMediaRequest(header=UploadHeader(filename="a", upload_id=str(uuid.uuid4()))),
        bearer(guarded.ann),
    )
    upload_id = UploadMediaResponse.FromString(upload.content).upload.upload_id
    return Theirs(
        upload_id=upload_id,
        artifact_id=_artifact_of(guarded.settings, listed.jobs[0].job_id),
        job_id=listed.jobs[0].job_id,
        batch_id=batch_id,
        action_id=action.action_id,
        request_id=request_id,
        page_token=listed.next_page_token,
    )


def _artifact_of(settings: Settings, job_id: str) -> str:
    """An artifact of ann's job, and its bytes."""
    artifact_id, digest = str(uuid.uuid4()), "0" * 64
    now = datetime.now(UTC)
    blob = {"owner": "ann", "sha256": digest, "size": 1, "key": f"blobs/{artifact_id}"}
    artifact = {
        "artifact_id": artifact_id,
        "owner": "ann",
        "job_id": job_id,
        "name": "a",
        "media_type": "text/plain",
        "sha256": digest,
        "size": 1,
        "create_time": now,
    }
    database = Database(settings.database_url)
    with database.write() as connection:
        connection.execute(BLOBS.insert().values({**blob, "used_time": now}))
        connection.execute(ARTIFACTS.insert().values(artifact))
    database.close()
    return artifact_id


def _state(settings: Settings, theirs: Theirs) -> object:
    """All that the database has of ann's jobs and of what was done to them."""
    database = Database(settings.database_url)
    with database.read() as connection:
        found = (
            queries.list_jobs(connection, queries.JobFilter(), owner="ann", limit=100),
            audit.list_actions(connection, owner="ann", limit=100),
            queries.get_batch(connection, theirs.batch_id, owner="ann"),
        )
    database.close()
    return found
