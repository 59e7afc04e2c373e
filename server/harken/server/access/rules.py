"""Which scope each RPC asks for: the one place. A server does not start while one of its RPCs has no rule."""

from collections.abc import Iterable, Mapping
from enum import Enum

from google.protobuf import descriptor_pool

from harken.jobs.owners.scope import Scope


class Open(Enum):
    """A rule without a scope."""

    TO_ALL = "to all"  # also to who shows nothing
    TO_CALLERS = "to callers"  # to whoever is known, with any scope


Rule = Scope | Open


class MissingRule(Exception):
    """RPCs that nobody has said who may call."""

    def __init__(self, methods: Iterable[str]) -> None:
        super().__init__(f"These RPCs have no rule in harken.server.access.rules: {list(methods)}")


def _of(service: str, **rules: Rule) -> dict[str, Rule]:
    return {f"/{service}/{method}": rule for method, rule in rules.items()}


REFLECTION = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")

RULES: Mapping[str, Rule] = {
    **_of(
        "harken.v1.JobService",
        SubmitAnalysis=Scope.SUBMIT,
        SubmitBatch=Scope.SUBMIT,
        RetryJobs=Scope.SUBMIT,
        GetJob=Scope.READ,
        GetBatch=Scope.READ,
        ListJobs=Scope.READ,
        StreamProgress=Scope.READ,
        ListActions=Scope.READ,
        GetAction=Scope.READ,
        CancelJob=Scope.CANCEL,
        CancelBatch=Scope.CANCEL,
        DismissJobs=Scope.CANCEL,
    ),
    **_of("harken.v1.WorkerService", InspectWorkers=Scope.READ, ListQueues=Scope.READ),
    **_of(
        "harken.v1.MediaService",
        UploadMedia=Scope.SUBMIT,
        ListSources=Scope.SUBMIT,  # what is listed is everybody's who may submit it
        DeleteUpload=Scope.SUBMIT,
        GetUpload=Scope.READ,
        ListArtifacts=Scope.READ,
        DownloadArtifact=Scope.READ,
    ),
    **_of("harken.v1.ExportService", ExportResults=Scope.SUBMIT),
    # Statistics read; a report is a job.
    **_of("harken.v1.CollectionService", GetStatistics=Scope.READ, CreateReport=Scope.SUBMIT),
    # With a source it asks for SUBMIT too: that makes a job.
    **_of("harken.v1.SimilarityService", FindSimilar=Scope.READ, FindDuplicates=Scope.READ),
    **_of("harken.v1.OwnerService", ExportOwner=Scope.ADMIN, EraseOwner=Scope.ADMIN),
    # A load balancer has no key, and learns nothing but whether to send calls here.
    **_of("grpc.health.v1.Health", Check=Open.TO_ALL, List=Open.TO_ALL, Watch=Open.TO_ALL),
    # The contract is no secret; but who is not known has no use for it, and answering costs work.
    **{f"/{service}/ServerReflectionInfo": Open.TO_CALLERS for service in REFLECTION},
}


def check(services: Iterable[str]) -> None:
    """Raises MissingRule unless each RPC of the services has a rule."""
    pool = descriptor_pool.Default()
    methods = [
        f"/{service}/{method.name}"
        for service in services
        for method in pool.FindServiceByName(service).methods
    ]
    missing = [method for method in methods if method not in RULES]
    if missing:
        raise MissingRule(missing)
