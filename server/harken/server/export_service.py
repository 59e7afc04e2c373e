"""ExportService: exports are checked, and accepted as jobs."""

from harken.jobs import clock, queries, submission
from harken.server import convert, exports
from harken.server.caller import current_caller
from harken.server.interceptors.around import Context
from harken.server.progress.hub import Hub
from harken.server.store import Store
from harken.telemetry import logs
from harken.v1 import export_service_pb2 as messages
from harken.v1.export_service_pb2_grpc import ExportServiceServicer


class ExportService(ExportServiceServicer):
    """The servicer of ExportService."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub

    async def ExportResults(
        self, request: messages.ExportResultsRequest, context: Context
    ) -> messages.ExportResultsResponse:
        """Accepts an export."""
        owner = current_caller().owner
        new = exports.new_export(request)
        if request.HasField("batch_id"):
            batch_id = request.batch_id.lower()
            await self._store.read(lambda c: queries.get_batch(c, batch_id, owner=owner))
        job = await self._store.write(
            lambda c: submission.submit_job(c, new, owner=owner, now=clock.now(c))
        )
        logs.note(job_id=job.job_id)
        self._hub.ring()
        return messages.ExportResultsResponse(job=convert.job_message(job))
