"""OwnerService: what is held of an owner, handed out or deleted by jobs of the administrator who asks."""

from collections.abc import Iterable

from harken.jobs import clock, submission
from harken.jobs.job import NO_SOURCE, Job, JobKind, NewJob
from harken.server import convert, validate
from harken.server.caller import current_caller
from harken.server.errors import InvalidRequest, Violation
from harken.server.interceptors.around import Context
from harken.server.progress.hub import Hub
from harken.server.store import Store
from harken.tasks.queues import MAINTENANCE
from harken.telemetry import logs
from harken.v1 import owner_service_pb2 as messages
from harken.v1.owner_service_pb2_grpc import OwnerServiceServicer

LONGEST_OWNER = 200  # characters, as the tables hold them


class OwnerService(OwnerServiceServicer):
    """The servicer of OwnerService."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub

    async def ExportOwner(
        self, request: messages.ExportOwnerRequest, context: Context
    ) -> messages.ExportOwnerResponse:
        """Accepts the export of an owner."""
        job = await self._submit(new_job(JobKind.OWNER_EXPORT, request))
        return messages.ExportOwnerResponse(job=convert.job_message(job))

    async def EraseOwner(
        self, request: messages.EraseOwnerRequest, context: Context
    ) -> messages.EraseOwnerResponse:
        """Accepts the erasure of an owner."""
        job = await self._submit(new_job(JobKind.OWNER_ERASE, request))
        return messages.EraseOwnerResponse(job=convert.job_message(job))

    async def _submit(self, new: NewJob) -> Job:
        owner = current_caller().owner
        job = await self._store.write(
            lambda c: submission.submit_job(c, new, owner=owner, now=clock.now(c))
        )
        logs.note(job_id=job.job_id)
        self._hub.ring()
        return job


def new_job(
    kind: JobKind, request: messages.ExportOwnerRequest | messages.EraseOwnerRequest
) -> NewJob:
    """The job of a request. Raises InvalidRequest."""
    violations = [
        *validate.request_id_violations("request_id", request),
        *_owner_violations(request.owner),
    ]
    if violations:
        raise InvalidRequest(violations)
    return NewJob(
        source=NO_SOURCE,
        features=(),
        queue=MAINTENANCE,
        request_id=request.request_id.lower() if request.HasField("request_id") else None,
        kind=kind,
        spec={"owner": request.owner},
    )


def _owner_violations(owner: str) -> Iterable[Violation]:
    if not 1 <= len(owner) <= LONGEST_OWNER:
        description = f"An owner has 1 to {LONGEST_OWNER} characters."
        yield Violation("owner", "OWNER_LENGTH", description)
    if "\0" in owner:
        yield Violation("owner", "OWNER_NUL", "An owner holds no NUL character.")
