"""Whether the system is ready: the server answers, and a worker that takes jobs has beaten."""

import socket
import ssl
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from sqlalchemy.exc import SQLAlchemyError

from harken.jobs import clock
from harken.jobs.queueing import workers
from harken.jobs.queueing.workers import WorkerStatus
from harken.jobs.store.database import Database

ASK_TIMEOUT_S = 1.0


def is_ready(address: str, database: Database, queue: str, *, tls: bool) -> bool:
    """Asks the server at `address` whether it serves, and the database for a worker of `queue`."""
    if not (shakes_hands(address) if tls else is_healthy(address)):
        return False
    try:
        with database.read() as connection:
            found = workers.list_workers(connection, clock.now(connection))
    except SQLAlchemyError:
        return False
    return any(
        worker.status is WorkerStatus.ONLINE and queue in worker.heartbeat.queues
        for worker in found
    )


def is_healthy(address: str) -> bool:
    """Whether the server says that it is SERVING."""
    with grpc.insecure_channel(address) as channel:
        try:
            check: Any = getattr(HealthStub(channel), "Check")  # noqa: B009 # its type stubs lack it
            health = check(HealthCheckRequest(), timeout=ASK_TIMEOUT_S)
        except grpc.RpcError:
            return False
    return health.status == HealthCheckResponse.SERVING


def shakes_hands(address: str) -> bool:
    """Whether something at the address speaks TLS, which the server does once it has started.

    Its name is not checked, as nothing is told to it: which names it has and who may call is for others to say.
    """
    host, _, port = address.rpartition(":")
    place = "localhost" if host in ("", "0.0.0.0", "[::]") else host.strip("[]")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((place, int(port)), timeout=ASK_TIMEOUT_S) as connection,
            context.wrap_socket(connection),
        ):
            return True
    except (OSError, ValueError):
        return False
