"""WorkerService: workers and queues, read from the database, so that the broker may be gone."""

from harken.jobs import clock, workers
from harken.server import convert
from harken.server.interceptors.around import Context
from harken.server.store import Store
from harken.tasks.queues import QUEUES
from harken.v1 import worker_service_pb2 as messages
from harken.v1.worker_service_pb2_grpc import WorkerServiceServicer


class WorkerService(WorkerServiceServicer):
    """The servicer of WorkerService."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def InspectWorkers(
        self, request: messages.InspectWorkersRequest, context: Context
    ) -> messages.InspectWorkersResponse:
        """The workers by their last heartbeats."""
        found = await self._store.read(lambda c: workers.list_workers(c, clock.now(c)))
        return messages.InspectWorkersResponse(
            workers=[convert.worker_message(worker) for worker in found]
        )

    async def ListQueues(
        self, request: messages.ListQueuesRequest, context: Context
    ) -> messages.ListQueuesResponse:
        """The queues by the jobs in them."""
        found = await self._store.read(lambda c: workers.list_queues(c, QUEUES, clock.now(c)))
        return messages.ListQueuesResponse(queues=[convert.queue_message(queue) for queue in found])
