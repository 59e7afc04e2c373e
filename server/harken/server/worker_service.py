"""WorkerService: workers and queues, read from the database, so that the broker may be gone.

Only where it is asked to look deep, the workers are asked through the broker. Whose scopes have no admin is shown no
jobs but their own; how many there are is shown to all.
"""

from harken.jobs import clock
from harken.jobs.owners.scope import Scope
from harken.jobs.queueing import workers
from harken.server import convert
from harken.server.caller import current_caller
from harken.server.inspector import BrokerAway, Inspector
from harken.server.interceptors.around import Context
from harken.server.store import Store
from harken.tasks.queues import QUEUES
from harken.v1 import worker_service_pb2 as messages
from harken.v1.worker_service_pb2_grpc import WorkerServiceServicer


class WorkerService(WorkerServiceServicer):
    """The servicer of WorkerService."""

    def __init__(self, store: Store, inspector: Inspector) -> None:
        self._store = store
        self._inspector = inspector

    async def InspectWorkers(
        self, request: messages.InspectWorkersRequest, context: Context
    ) -> messages.InspectWorkersResponse:
        """The workers by their last heartbeats, and by what they answer now."""
        caller = current_caller()
        owner = None if Scope.ADMIN in caller.scopes else caller.owner
        found = await self._store.read(lambda c: workers.list_workers(c, clock.now(c), owner=owner))
        response = messages.InspectWorkersResponse(
            workers=[convert.worker_message(worker) for worker in found]
        )
        if request.deep:
            try:
                probes = await self._inspector.probe([worker.name for worker in response.workers])
            except BrokerAway as error:
                response.broker_error = str(error)
            else:
                for worker in response.workers:
                    probe = probes.get(worker.name)
                    if probe is not None and owner is not None:
                        probe = probe.only({job.job_id for job in worker.running_jobs})
                    worker.probe.CopyFrom(convert.probe_message(probe))
        return response

    async def ListQueues(
        self, request: messages.ListQueuesRequest, context: Context
    ) -> messages.ListQueuesResponse:
        """The queues by the jobs in them."""
        found = await self._store.read(lambda c: workers.list_queues(c, QUEUES, clock.now(c)))
        return messages.ListQueuesResponse(queues=[convert.queue_message(queue) for queue in found])
