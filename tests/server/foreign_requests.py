"""For each RPC a request about what is somebody else's. An RPC that is not here fails the test of strangers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthListRequest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from harken.v1 import collection_service_pb2 as collections
from harken.v1 import export_service_pb2 as exports
from harken.v1 import job_service_pb2 as jobs
from harken.v1 import media_service_pb2 as media
from harken.v1 import owner_service_pb2 as owners
from harken.v1 import similarity_service_pb2 as similarity
from harken.v1 import worker_service_pb2 as workers
from harken.v1.source_pb2 import Source


@dataclass(frozen=True)
class Theirs:
    """Ids and tokens of one owner, or such as were never given to anybody."""

    job_id: str
    batch_id: str
    action_id: str
    request_id: str
    upload_id: str
    artifact_id: str
    resume_token: str = ""
    page_token: str = ""


Request = Callable[[Theirs], Message]


def _of(service: str, **requests: Request) -> dict[str, Request]:
    return {f"/{service}/{method}": request for method, request in requests.items()}


SOURCE = Source(path="one.wav")

REQUESTS: Mapping[str, Request] = {
    **_of(
        "harken.v1.JobService",
        SubmitAnalysis=lambda their: jobs.SubmitAnalysisRequest(
            source=SOURCE, request_id=their.request_id
        ),
        SubmitBatch=lambda their: jobs.SubmitBatchRequest(
            items=[jobs.SubmitBatchRequest.Item(source=SOURCE, request_id=their.request_id)]
        ),
        GetJob=lambda their: jobs.GetJobRequest(job_id=their.job_id),
        GetBatch=lambda their: jobs.GetBatchRequest(batch_id=their.batch_id),
        ListJobs=lambda their: jobs.ListJobsRequest(
            batch_id=their.batch_id, page_token=their.page_token
        ),
        CancelJob=lambda their: jobs.CancelJobRequest(job_id=their.job_id),
        CancelBatch=lambda their: jobs.CancelBatchRequest(batch_id=their.batch_id),
        RetryJobs=lambda their: jobs.RetryJobsRequest(
            jobs=jobs.JobIds(job_ids=[their.job_id]), force=True
        ),
        DismissJobs=lambda their: jobs.DismissJobsRequest(job_ids=[their.job_id]),
        ListActions=lambda _: jobs.ListActionsRequest(),
        GetAction=lambda their: jobs.GetActionRequest(action_id=their.action_id),
        StreamProgress=lambda their: jobs.StreamProgressRequest(
            job_id=their.job_id, resume_token=their.resume_token
        ),
    ),
    **_of(
        "harken.v1.WorkerService",
        InspectWorkers=lambda _: workers.InspectWorkersRequest(),
        ListQueues=lambda _: workers.ListQueuesRequest(),
    ),
    **_of(
        "harken.v1.MediaService",
        UploadMedia=lambda their: media.UploadMediaRequest(
            header=media.UploadHeader(upload_id=their.upload_id, filename="a")
        ),
        GetUpload=lambda their: media.GetUploadRequest(upload_id=their.upload_id),
        DeleteUpload=lambda their: media.DeleteUploadRequest(upload_id=their.upload_id),
        ListSources=lambda their: media.ListSourcesRequest(place=".", page_token=their.page_token),
        ListArtifacts=lambda their: media.ListArtifactsRequest(job_id=their.job_id),
        DownloadArtifact=lambda their: media.DownloadArtifactRequest(artifact_id=their.artifact_id),
    ),
    **_of(
        "harken.v1.ExportService",
        ExportResults=lambda their: exports.ExportResultsRequest(
            format=exports.ExportResultsRequest.FORMAT_CSV, batch_id=their.batch_id
        ),
    ),
    **_of(
        "harken.v1.CollectionService",
        GetStatistics=lambda their: collections.GetStatisticsRequest(
            filter=collections.CollectionFilter(batch_id=their.batch_id)
        ),
        CreateReport=lambda their: collections.CreateReportRequest(
            filter=collections.CollectionFilter(batch_id=their.batch_id)
        ),
    ),
    **_of(
        "harken.v1.SimilarityService",
        FindSimilar=lambda their: similarity.FindSimilarRequest(job_id=their.job_id),
        FindDuplicates=lambda their: similarity.FindDuplicatesRequest(job_id=their.job_id),
    ),
    **_of(
        "harken.v1.OwnerService",
        ExportOwner=lambda _: owners.ExportOwnerRequest(owner="ann"),
        EraseOwner=lambda _: owners.EraseOwnerRequest(owner="nobody"),
    ),
    **_of(
        "grpc.health.v1.Health",
        Check=lambda _: HealthCheckRequest(),
        List=lambda _: HealthListRequest(),
        Watch=lambda _: HealthCheckRequest(),
    ),
    **{
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo": (
            lambda _: ServerReflectionRequest(list_services="")
        )
        for version in ("v1", "v1alpha")
    },
}
