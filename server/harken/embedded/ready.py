"""Whether the system is ready: the server is SERVING, and a worker that takes jobs has beaten."""

from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from harken.v1.worker_pb2 import Worker
from harken.v1.worker_service_pb2 import InspectWorkersRequest
from harken.v1.worker_service_pb2_grpc import WorkerServiceStub

ASK_TIMEOUT_S = 1.0


def is_ready(address: str, queue: str) -> bool:
    """Asks the server at `address` for its health and for a worker of `queue`."""
    with grpc.insecure_channel(address) as channel:
        try:
            check: Any = getattr(HealthStub(channel), "Check")  # noqa: B009 # its type stubs lack it
            health = check(HealthCheckRequest(), timeout=ASK_TIMEOUT_S)
            if health.status != HealthCheckResponse.SERVING:
                return False
            workers = WorkerServiceStub(channel).InspectWorkers(
                InspectWorkersRequest(), timeout=ASK_TIMEOUT_S
            )
        except grpc.RpcError:
            return False
    return any(
        worker.status == Worker.STATUS_ONLINE and queue in worker.queues
        for worker in workers.workers
    )
