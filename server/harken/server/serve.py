"""A server process: its parts put together, run until it is told to stop, and taken apart in order."""

import asyncio
import gc
import logging
import resource
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import timedelta

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from harken.jobs.store.database import Database
from harken.jobs.store.migrate import check, migrate
from harken.jobs.store.system import system_id
from harken.media import MediaRoots
from harken.media.source_rules import SourceRules
from harken.media.storage import Storage
from harken.media.storage_errors import StorageUnavailable
from harken.server.access import exposure, rules
from harken.server.access.admission import Admission
from harken.server.access.certificates import Certificates
from harken.server.access.quotas import Quotas
from harken.server.collection_service import CollectionService
from harken.server.export_service import ExportService
from harken.server.file_checks import FileChecks
from harken.server.housekeeping.housekeeping import Housekeeping
from harken.server.housekeeping.publisher import Publisher
from harken.server.inspector import Inspector
from harken.server.interceptors import interceptors
from harken.server.job_service import JobService
from harken.server.media.source_listings import SourceListings
from harken.server.media.vault import Vault
from harken.server.media_service import MediaService
from harken.server.metrics.counts import Counts
from harken.server.metrics.server_metrics import ServerMetrics
from harken.server.owner_service import OwnerService
from harken.server.progress.hub import Hub
from harken.server.reflection import add_reflection
from harken.server.similarity_service import SimilarityService
from harken.server.store import Store
from harken.server.worker_service import WorkerService
from harken.settings import Settings
from harken.telemetry import tracing
from harken.telemetry.endpoint import MetricsEndpoint
from harken.v1 import (
    collection_service_pb2,
    export_service_pb2,
    job_service_pb2,
    media_service_pb2,
    owner_service_pb2,
    similarity_service_pb2,
    worker_service_pb2,
)
from harken.v1.collection_service_pb2_grpc import add_CollectionServiceServicer_to_server
from harken.v1.export_service_pb2_grpc import add_ExportServiceServicer_to_server
from harken.v1.job_service_pb2_grpc import add_JobServiceServicer_to_server
from harken.v1.media_service_pb2_grpc import add_MediaServiceServicer_to_server
from harken.v1.owner_service_pb2_grpc import add_OwnerServiceServicer_to_server
from harken.v1.similarity_service_pb2_grpc import add_SimilarityServiceServicer_to_server
from harken.v1.worker_service_pb2_grpc import add_WorkerServiceServicer_to_server

LOG = logging.getLogger(__name__)

LARGEST_MESSAGE = 32 * 1024 * 1024  # a batch of 10,000 items with 1 kB paths and labels fits

MOST_PENDING_CALLS = 20_000  # calls that have arrived and were not begun; each takes a few kB
LONGEST_PENDING_S = 600

SERVICES = (
    job_service_pb2.DESCRIPTOR.services_by_name["JobService"].full_name,
    worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"].full_name,
    collection_service_pb2.DESCRIPTOR.services_by_name["CollectionService"].full_name,
    export_service_pb2.DESCRIPTOR.services_by_name["ExportService"].full_name,
    media_service_pb2.DESCRIPTOR.services_by_name["MediaService"].full_name,
    owner_service_pb2.DESCRIPTOR.services_by_name["OwnerService"].full_name,
    similarity_service_pb2.DESCRIPTOR.services_by_name["SimilarityService"].full_name,
    health.SERVICE_NAME,
)

MOST_CONNECTIONS = 10_000  # each takes a file descriptor and some 50 kB
SPARE_FILES = 256  # descriptors for everything else: the database, Redis, logs, metrics
HANDSHAKE_WITHIN_MS = (
    10_000  # of TLS and of HTTP/2; gRPC's default of 120 s keeps half-open connections for long
)
SILENT_FOR_MS = (
    60_000  # a connection that says nothing for so long is asked whether it is still there
)
ANSWER_WITHIN_MS = 20_000
IDLE_FOR_MS = (
    30 * 60_000
)  # a connection without a call is closed after that, and made again with the next one
OLD_AFTER_MS = (
    60 * 60_000
)  # new calls go over a new connection: to another server, with the new certificate
LARGEST_METADATA = 8 * 1024  # bytes; a token of an identity provider has 1 to 4 KiB
REFUSED_METADATA = 16 * 1024  # beyond it always, before that gRPC refuses some
MOST_STREAMS = 20_000  # calls of a connection; further ones wait at the caller's

OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", LARGEST_METADATA),
    ("grpc.absolute_max_metadata_size", REFUSED_METADATA),
    ("grpc.max_concurrent_streams", MOST_STREAMS),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE_WITHIN_MS),
    ("grpc.keepalive_time_ms", SILENT_FOR_MS),
    ("grpc.keepalive_timeout_ms", ANSWER_WITHIN_MS),
    ("grpc.max_connection_idle_ms", IDLE_FOR_MS),
    (
        "grpc.max_connection_age_ms",
        OLD_AFTER_MS,
    ),  # open calls stay on the old one for as long as they like
    # Watchers may ping idle streams as often as every 10 s.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Watchers may all come at once, as after a restart. Beyond some 1,000, gRPC's default, it cancels some of them.
    ("grpc.server.max_pending_requests", MOST_PENDING_CALLS),
    ("grpc.server.max_pending_requests_hard_limit", 2 * MOST_PENDING_CALLS),
    # It cancels those too that were not begun within 30 s; how long to wait is for their callers' deadlines to say.
    ("grpc.server_max_unrequested_time_in_server", LONGEST_PENDING_S),
)


class CannotListen(Exception):
    """The address is taken or not to be had."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"Cannot listen on {address}: {why}. Choose another one with --listen.")
        self.address = address


@asynccontextmanager
async def running_server(
    settings: Settings, *, one_of_several: bool = False
) -> AsyncGenerator[str]:
    """A server that answers within, at the address given; stopped gracefully at the end.

    As `one_of_several` it shares its port with others like it.

    Raises CannotListen, TooOpen, CannotSecure, CannotExpose, SchemaMismatch, StorageOfAnother and SQLAlchemy's
    OperationalError.
    """
    exposure.check(settings)
    certificates = Certificates(settings) if settings.tls_cert else None
    database = Database(settings.database_url)
    check(database)
    storage = Storage(settings.storage_url, system=_system_of(database))
    with suppress(
        StorageUnavailable
    ):  # jobs go on without it, and it is asked again before anything is written
        await asyncio.to_thread(storage.check_system)
    store = Store(database)
    counts = Counts()
    metrics = ServerMetrics(settings, counts)
    hub = Hub(store, settings.result_backend, counts, signing_keys=settings.signing_keys)
    housekeeping = Housekeeping(store, hub, Publisher(settings), settings, counts)
    # A taken port is an error, not a port shared with whoever has it, unless that is wanted.
    options = (
        *OPTIONS,
        ("grpc.so_reuseport", int(one_of_several)),
        ("grpc.max_allowed_incoming_connections", room_for_connections()),
    )
    rules.check(SERVICES)
    access = Admission(settings, store)
    server = grpc.aio.server(
        interceptors=interceptors(
            metrics.observe, access.authentication, access.streams, access.connections
        ),
        options=options,
    )
    roots = MediaRoots(settings.media_roots)
    source_rules = SourceRules.of(
        settings.source_entries, settings.allow_private_sources, settings.storage_url
    )
    longest_run = timedelta(seconds=settings.task_time_limit_s)
    checks = FileChecks()
    quotas = Quotas(settings)
    jobs = JobService(
        store,
        hub,
        roots,
        checks,
        rules=source_rules,
        longest_run=longest_run,
        quotas=quotas,
        uploads_kept_for=timedelta(hours=settings.upload_hours),
    )
    add_JobServiceServicer_to_server(jobs, server)
    listings = SourceListings(roots, source_rules)
    vault = Vault(storage)
    media = MediaService(store, hub, vault, settings, quotas, listings)
    add_MediaServiceServicer_to_server(media, server)
    inspector = Inspector(settings)
    add_WorkerServiceServicer_to_server(WorkerService(store, inspector), server)
    add_ExportServiceServicer_to_server(ExportService(store, hub, quotas), server)
    add_CollectionServiceServicer_to_server(CollectionService(store, hub, quotas), server)
    add_OwnerServiceServicer_to_server(OwnerService(store, hub), server)
    similarity = SimilarityService(store, hub, jobs.accept)
    add_SimilarityServiceServicer_to_server(similarity, server)
    healthy = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    add_reflection(server, SERVICES)
    exposed = ExitStack()
    try:
        address = _listen(server, settings.listen, certificates)
        if settings.metrics_listen:
            await asyncio.to_thread(metrics.begin)
            endpoint = exposed.enter_context(
                MetricsEndpoint(settings.metrics_listen, metrics.registry)
            )
            LOG.info("metrics at http://%s/metrics", endpoint.address)
        hub.start()
        housekeeping.start()
        access.start()
        await server.start()
        for service in ("", *SERVICES):
            await healthy.set(service, health_pb2.HealthCheckResponse.SERVING)
        yield address
    finally:
        await healthy.enter_graceful_shutdown()
        hub.drain()
        await server.stop(settings.grace_period_s)
        await access.stop()
        await housekeeping.stop()
        await hub.stop()
        await asyncio.to_thread(exposed.close)
        metrics.close()
        inspector.close()
        checks.close()
        listings.close()
        await vault.close()
        store.close()


async def serve(settings: Settings, *, one_of_several: bool = False) -> None:
    """Serves until SIGTERM or SIGINT, as `one_of_several` also until the standard input is closed."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if one_of_several:
        loop.add_reader(sys.stdin.fileno(), stop.set)
    if tracing.wanted():
        tracing.start("harken-server")
    async with running_server(settings, one_of_several=one_of_several) as address:
        # What lives by now lives for ever: a collection that looks at it again halts all calls for a tenth of a second.
        gc.collect()
        gc.freeze()
        LOG.info("serving on %s", address)
        await stop.wait()
        LOG.info("stopping: open calls get %d s", settings.grace_period_s)
    await asyncio.to_thread(tracing.stop)


def room_for_connections() -> int:
    """How many connections there may be: as many as the process may have files open, but for the other ones."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_FILES
    if 0 <= soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(min(MOST_CONNECTIONS, soft - SPARE_FILES), 1)


def _system_of(database: Database) -> str:
    with database.read() as connection:
        return system_id(connection)


def prepare(settings: Settings) -> None:
    """Brings the database to this version's schema."""
    database = Database(settings.database_url, pooled=False)
    migrate(database)


def _listen(server: grpc.aio.Server, address: str, certificates: Certificates | None) -> str:
    """Binds the address; returns it with the port that was chosen for port 0."""
    try:
        if certificates is not None:
            port = server.add_secure_port(address, certificates.credentials())
        else:
            port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise CannotListen(address, "it is taken, or no address of this machine") from error
    if address.startswith("unix:"):
        return address
    return f"{address.rpartition(':')[0]}:{port}"
