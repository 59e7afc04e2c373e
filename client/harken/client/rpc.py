"""The unary calls of the contract: method, request, meaning. Shared by both clients."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from harken.client import batch_request, requests
from harken.client.action import Action
from harken.client.batch import Batch, FailedItem
from harken.client.convert import decode
from harken.client.credentials import Metadata, WithMetadata
from harken.client.folder import MAX_ITEMS, ListedSource, SourcePage
from harken.client.job import Job
from harken.client.options import Options
from harken.client.requests import BatchRef, Features, JobRef, Length, PathOrSource
from harken.client.upload import Artifact, Upload
from harken.client.worker import Queue, Worker
from harken.v1 import job_service_pb2 as pb
from harken.v1 import media_service_pb2 as media_pb
from harken.v1 import worker_service_pb2 as worker_pb
from harken.v1.collection_service_pb2_grpc import CollectionServiceStub
from harken.v1.export_service_pb2_grpc import ExportServiceStub
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.media_service_pb2_grpc import MediaServiceStub
from harken.v1.owner_service_pb2_grpc import OwnerServiceStub
from harken.v1.similarity_service_pb2_grpc import SimilarityServiceStub
from harken.v1.worker_service_pb2_grpc import WorkerServiceStub

T = TypeVar("T")


class Stubs:
    """The services on one channel, gRPC's blocking or its asyncio one; `metadata` goes with each call."""

    def __init__(self, channel: Any, metadata: Metadata = ()) -> None:
        channel = WithMetadata(channel, metadata) if metadata else channel
        self.jobs: JobServiceStub = JobServiceStub(channel)
        self.media: MediaServiceStub = MediaServiceStub(channel)
        self.workers: WorkerServiceStub = WorkerServiceStub(channel)
        self.collections: CollectionServiceStub = CollectionServiceStub(channel)
        self.exports: ExportServiceStub = ExportServiceStub(channel)
        self.owners: OwnerServiceStub = OwnerServiceStub(channel)
        self.similarity: SimilarityServiceStub = SimilarityServiceStub(channel)


@dataclass(frozen=True)
class Rpc(Generic[T]):
    """One call: the method among the stubs, its request, and the value of its response."""

    method: Callable[[Stubs], Callable[..., Any]]
    request: Any
    value: Callable[[Any], T]


def submit(source: PathOrSource, **fields: Any) -> Rpc[Job]:
    """Submits one file; the fields are those of `requests.submit_analysis`."""
    request = requests.submit_analysis(source, **fields)
    return Rpc(lambda on: on.jobs.SubmitAnalysis, request, lambda got: decode(Job, got.job))


def submit_batch(
    items: Iterable[batch_request.Item],
    *,
    features: Features | None,
    priority: int | None,
    labels: Mapping[str, str] | None,
    schedule_timeout: Length | None,
    request_id: str | UUID | None,
    run_timeout: Length | None,
    skip_cache: bool,
    options: Options | None,
) -> Rpc[tuple[Batch, tuple[FailedItem, ...]]]:
    """Submits many files; gives the batch and the items that were not accepted."""
    request = batch_request.submit_batch(
        items,
        features=features,
        priority=priority,
        labels=labels,
        schedule_timeout=schedule_timeout,
        request_id=request_id,
        run_timeout=run_timeout,
        skip_cache=skip_cache,
        options=options,
    )
    return Rpc(lambda on: on.jobs.SubmitBatch, request.message, request.outcome)


def get_job(job: JobRef) -> Rpc[Job]:
    """A job with its result."""
    request = pb.GetJobRequest(job_id=requests.job_id_of(job))
    return Rpc(lambda on: on.jobs.GetJob, request, lambda got: decode(Job, got.job))


def get_batch(batch: BatchRef) -> Rpc[Batch]:
    """A batch with its counts."""
    request = pb.GetBatchRequest(batch_id=requests.batch_id_of(batch))
    return Rpc(lambda on: on.jobs.GetBatch, request, lambda got: decode(Batch, got.batch))


def list_jobs(page_token: str, **fields: Any) -> Rpc[tuple[tuple[Job, ...], str]]:
    """A page of jobs, and the token of the next one, empty on the last; fields as `requests.list_jobs`."""
    request = requests.list_jobs(page_token=page_token, **fields)

    def page(got: pb.ListJobsResponse) -> tuple[tuple[Job, ...], str]:
        return tuple(decode(Job, job) for job in got.jobs), got.next_page_token

    return Rpc(lambda on: on.jobs.ListJobs, request, page)


def cancel_job(job: JobRef) -> Rpc[Job]:
    """Asks for a job to be stopped."""
    request = pb.CancelJobRequest(job_id=requests.job_id_of(job))
    return Rpc(lambda on: on.jobs.CancelJob, request, lambda got: decode(Job, got.job))


def cancel_batch(batch: BatchRef) -> Rpc[Batch]:
    """Asks for all jobs of a batch to be stopped."""
    request = pb.CancelBatchRequest(batch_id=requests.batch_id_of(batch))
    return Rpc(lambda on: on.jobs.CancelBatch, request, lambda got: decode(Batch, got.batch))


def list_actions(page_token: str, *, page_size: int) -> Rpc[tuple[tuple[Action, ...], str]]:
    """A page of actions, and the token of the next one, empty on the last."""
    request = requests.valid(
        pb.ListActionsRequest,
        page_size=min(page_size, requests.MAX_PAGE_SIZE),
        page_token=page_token,
    )

    def page(got: pb.ListActionsResponse) -> tuple[tuple[Action, ...], str]:
        return tuple(decode(Action, action) for action in got.actions), got.next_page_token

    return Rpc(lambda on: on.jobs.ListActions, request, page)


def get_action(action_id: str) -> Rpc[Action]:
    """An action with what became of each job."""
    request = pb.GetActionRequest(action_id=action_id)
    return Rpc(lambda on: on.jobs.GetAction, request, lambda got: decode(Action, got.action))


def inspect_workers(*, deep: bool) -> Rpc[tuple[Worker, ...]]:
    """The workers."""

    def workers(got: worker_pb.InspectWorkersResponse) -> tuple[Worker, ...]:
        return tuple(decode(Worker, worker) for worker in got.workers)

    request = worker_pb.InspectWorkersRequest(deep=deep)
    return Rpc(lambda on: on.workers.InspectWorkers, request, workers)


def list_queues() -> Rpc[tuple[Queue, ...]]:
    """The queues."""

    def queues(got: worker_pb.ListQueuesResponse) -> tuple[Queue, ...]:
        return tuple(decode(Queue, queue) for queue in got.queues)

    return Rpc(lambda on: on.workers.ListQueues, worker_pb.ListQueuesRequest(), queues)


def get_upload(upload_id: str | UUID) -> Rpc[Upload]:
    """An upload."""
    request = media_pb.GetUploadRequest(upload_id=str(upload_id))
    return Rpc(lambda on: on.media.GetUpload, request, lambda got: decode(Upload, got.upload))


def delete_upload(upload_id: str | UUID) -> Rpc[None]:
    """Deletes an upload."""
    request = media_pb.DeleteUploadRequest(upload_id=str(upload_id))
    return Rpc(lambda on: on.media.DeleteUpload, request, lambda _: None)


def list_artifacts(job: JobRef, page_token: str) -> Rpc[tuple[tuple[Artifact, ...], str]]:
    """A page of a job's artifacts, and the token of the next one, empty on the last."""
    request = media_pb.ListArtifactsRequest(job_id=requests.job_id_of(job), page_token=page_token)

    def page(got: media_pb.ListArtifactsResponse) -> tuple[tuple[Artifact, ...], str]:
        return tuple(decode(Artifact, one) for one in got.artifacts), got.next_page_token

    return Rpc(lambda on: on.media.ListArtifacts, request, page)


def list_sources(place: str, page_token: str, *, every_name: bool) -> Rpc[SourcePage]:
    """A page of what can be submitted of a place."""
    request = requests.valid(
        media_pb.ListSourcesRequest,
        place=place,
        every_name=every_name,
        page_size=MAX_ITEMS,
        page_token=page_token,
    )

    def page(got: media_pb.ListSourcesResponse) -> SourcePage:
        return SourcePage(
            sources=tuple(decode(ListedSource, one) for one in got.sources),
            unreadable_folders=tuple(got.unreadable_folders),
            next_page_token=got.next_page_token,
        )

    return Rpc(lambda on: on.media.ListSources, request, page)


def artifact_id_of(artifact: str | UUID | Artifact) -> str:
    """The id of an artifact given by its id or as itself."""
    return artifact.artifact_id if isinstance(artifact, Artifact) else str(artifact)


def uploaded(got: media_pb.UploadMediaResponse) -> tuple[Upload, Job | None]:
    """The upload of an answer, and the job that was made of it."""
    job = decode(Job, got.job) if got.HasField("job") else None
    return decode(Upload, got.upload), job
