"""The tables. Each name starts with `harken_`, so that a shared database is not disturbed."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    REAL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    false,
    text,
)

METADATA = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """A time-zone-aware UTC time; SQLite keeps it as text without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: always UTC."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 # SQLAlchemy hands it in
        """From the database: always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_text(value: datetime, dialect: str) -> str:
    """A time as the text by which the database knows it."""
    moment = value.astimezone(UTC).isoformat(sep=" ", timespec="microseconds")
    return moment.removesuffix("+00:00") if dialect == "sqlite" else moment


class Float32s(TypeDecorator[Sequence[float]]):
    """Numbers of single precision: bytes, little-endian, in SQLite; an array in PostgreSQL, which pgvector can read."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """What the database keeps them as."""
        kept: Any = LargeBinary() if dialect.name == "sqlite" else ARRAY(REAL)
        return dialect.type_descriptor(kept)

    def process_bind_param(self, value: Sequence[float] | None, dialect: Dialect) -> Any:
        """To the database."""
        if value is None:
            return None
        return float32_bytes(value) if dialect.name == "sqlite" else list(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Sequence[float] | None:
        """From the database."""
        if value is None or dialect.name != "sqlite":
            return value
        return struct.unpack(f"<{len(value) // 4}f", value)


def float32_bytes(values: Sequence[float]) -> bytes:
    """Numbers in single precision, little-endian."""
    return struct.pack(f"<{len(values)}f", *values)


# SQLite numbers rows by itself only in a column of type INTEGER.
LogPosition = BigInteger().with_variant(Integer(), "sqlite")


def _id(name: str, *arguments: Any, **options: Any) -> Column[str]:
    return Column(name, Uuid(as_uuid=False), *arguments, **options)


BATCHES = Table(
    "harken_batches",
    METADATA,
    _id("batch_id", primary_key=True),
    Column("owner", String(200), nullable=False),
    _id("request_id"),
    Column("request_hash", String(64), nullable=False, server_default=""),
    Column("refused", JSON, nullable=False),
    Column("create_time", UtcDateTime, nullable=False),
    UniqueConstraint("owner", "request_id", name="harken_batches_request"),
)

JOBS = Table(
    "harken_jobs",
    METADATA,
    _id("job_id", primary_key=True),
    Column("owner", String(200), nullable=False),
    _id("batch_id", ForeignKey("harken_batches.batch_id")),
    _id("request_id"),
    Column("request_hash", String(64), nullable=False, server_default=""),
    _id("retry_of"),
    Column("state", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    # Raised by each claim; every later write of the worker has to name it.
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("retries", Integer, nullable=False, server_default="0"),
    Column("priority", SmallInteger, nullable=False),
    Column("queue", String(100), nullable=False),
    Column("source_kind", String(20), nullable=False),
    Column("source", Text, nullable=False),
    # What the file that was sent was called.
    Column("filename", String(255)),
    Column("features", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("error_kind", String(10)),
    Column("error_reason", String(100)),
    Column("error_message", Text),
    Column("worker", String(255)),
    Column("lease_expires_at", UtcDateTime),
    Column("not_before", UtcDateTime),
    # A queued row without it is the outbox: the broker does not have it yet.
    Column("published_at", UtcDateTime),
    Column("create_time", UtcDateTime, nullable=False),
    Column("start_time", UtcDateTime),
    Column("end_time", UtcDateTime),
    Column("stopped_time", UtcDateTime),
    # A job that no worker has taken by then fails.
    Column("schedule_deadline", UtcDateTime),
    # The process at `worker` that claimed it.
    Column("pid", Integer),
    Column("cancel_time", UtcDateTime),
    Column("run_timeout_s", Double),
    # The trace it was submitted in, as W3C's header has it: Celery's context ends at the outbox.
    Column("trace_parent", String(55)),
    Column("kind", String(20), nullable=False, server_default="analysis"),
    # What is to be done, of a kind that is no analysis; of an analysis the options of its features.
    Column("spec", JSON(none_as_null=True)),
    # What its result depends on, digested; set with the result.
    Column("content_key", String(64)),
    Column("skip_cache", Boolean, nullable=False, server_default=false()),
    # The job that found what this one has as its result.
    _id("cached_from"),
    UniqueConstraint("owner", "request_id", name="harken_jobs_request"),
)

# Spelled out, not as parameters: only so do both databases see that a partial index fits.
OUTBOX = text("state = 'QUEUED' AND published_at IS NULL AND not_before IS NULL")
PUBLISHED = text("state = 'QUEUED' AND published_at IS NOT NULL")
DELAYED = text("state = 'QUEUED' AND not_before IS NOT NULL")
UNSTARTED = text("state = 'QUEUED' AND attempt = 0 AND schedule_deadline IS NOT NULL")
HELD_BY_WORKERS = text("state IN ('RUNNING', 'CANCELLING')")
WAITING = text("state = 'QUEUED'")
HOLDING_UPLOADS = text("source_kind = 'upload_id' AND end_time IS NULL")


def _partial(where: Any) -> dict[str, Any]:
    return {"sqlite_where": where, "postgresql_where": where}


# Read backwards it goes from level to level and from owner to owner; forwards it has each owner's jobs by age.
Index(
    "harken_jobs_outbox",
    JOBS.c.queue,
    JOBS.c.priority,
    JOBS.c.owner,
    JOBS.c.job_id,
    **_partial(OUTBOX),
)
Index(
    "harken_jobs_published",
    JOBS.c.queue,
    JOBS.c.priority,
    JOBS.c.owner,
    **_partial(PUBLISHED),
)
Index("harken_jobs_delayed", JOBS.c.not_before, **_partial(DELAYED))
Index("harken_jobs_unstarted", JOBS.c.schedule_deadline, **_partial(UNSTARTED))
Index("harken_jobs_waiting", JOBS.c.queue, JOBS.c.create_time, **_partial(WAITING))
Index("harken_jobs_held", JOBS.c.queue, JOBS.c.lease_expires_at, **_partial(HELD_BY_WORKERS))
Index("harken_jobs_owner", JOBS.c.owner, JOBS.c.job_id)
Index("harken_jobs_batch", JOBS.c.batch_id, JOBS.c.state)
Index("harken_jobs_ended", JOBS.c.end_time, **_partial(text("end_time IS NOT NULL")))
Index("harken_jobs_failed", JOBS.c.owner, JOBS.c.job_id, **_partial(text("state = 'FAILED'")))
Index("harken_jobs_retry_of", JOBS.c.retry_of, **_partial(text("retry_of IS NOT NULL")))
Index(
    "harken_jobs_content",
    JOBS.c.owner,
    JOBS.c.content_key,
    **_partial(text("content_key IS NOT NULL")),
)
Index("harken_jobs_upload", JOBS.c.owner, JOBS.c.source, **_partial(HOLDING_UPLOADS))

RESULTS = Table(
    "harken_results",
    METADATA,
    _id("job_id", ForeignKey("harken_jobs.job_id", ondelete="CASCADE"), primary_key=True),
    # An object with the names of the contract's AnalysisResult.
    Column("result", JSON, nullable=False),
)

TRANSITIONS = Table(
    "harken_transitions",
    METADATA,
    Column("position", LogPosition, primary_key=True, autoincrement=True),
    _id("job_id", ForeignKey("harken_jobs.job_id", ondelete="CASCADE"), nullable=False),
    _id("batch_id"),
    Column("revision", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("before", String(10)),
    Column("after", String(10), nullable=False),
    Column("error_kind", String(10)),
    Column("error_reason", String(100)),
    Column("error_message", Text),
    Column("worker", String(255)),
    Column("time", UtcDateTime, nullable=False),
    UniqueConstraint("job_id", "revision", name="harken_transitions_revision"),
    # A position is never given twice, not even after the newest row was deleted.
    sqlite_autoincrement=True,
)
Index("harken_transitions_batch", TRANSITIONS.c.batch_id, TRANSITIONS.c.position)

WORKERS = Table(
    "harken_workers",
    METADATA,
    Column("name", String(255), primary_key=True),
    Column("hostname", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(50), nullable=False),
    Column("queues", JSON, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("jobs_done", Integer, nullable=False),
    Column("stopping", Boolean, nullable=False),
    Column("start_time", UtcDateTime, nullable=False),
    Column("heartbeat_time", UtcDateTime, nullable=False),
)

# Who may do what only one process may do at a time, such as the relay.
LEADERS = Table(
    "harken_leaders",
    METADATA,
    Column("role", String(50), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

# Failed jobs about which nothing is to be done. A table of its own: a terminal job's row never changes.
DISMISSALS = Table(
    "harken_dismissals",
    METADATA,
    _id("job_id", ForeignKey("harken_jobs.job_id", ondelete="CASCADE"), primary_key=True),
    Column("time", UtcDateTime, nullable=False),
)

# What was done to jobs, and by whom. Rows are written once and never changed.
ACTIONS = Table(
    "harken_actions",
    METADATA,
    _id("action_id", primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("peer", String(255), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("time", UtcDateTime, nullable=False),
    _id("request_id"),
    Column("request_hash", String(64), nullable=False, server_default=""),
    Column("request", JSON, nullable=False),
    Column("done", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    # For each job its id, the id of the job in its place, and why nothing was done.
    Column("outcomes", JSON, nullable=False),
    # The last job of a page that others followed.
    _id("page_end"),
    UniqueConstraint("owner", "request_id", name="harken_actions_request"),
)
Index("harken_actions_owner", ACTIONS.c.owner, ACTIONS.c.action_id)

# Who may call. The text of a key is not here: only its holder has it.
KEYS = Table(
    "harken_keys",
    METADATA,
    Column("key_id", String(20), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("name", String(100), nullable=False, server_default=""),
    # SHA-256 of the secret part, in hexadecimal digits.
    Column("hash", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("create_time", UtcDateTime, nullable=False),
    Column("expire_time", UtcDateTime),
    Column("revoke_time", UtcDateTime),
    Column("last_used_time", UtcDateTime),
)
Index("harken_keys_owner", KEYS.c.owner)
# Bytes that are kept in the storage, the same ones once for each owner.
BLOBS = Table(
    "harken_blobs",
    METADATA,
    Column("owner", String(200), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    # Where the storage has them. Never given twice: what is about to be deleted is not what was just kept.
    Column("key", String(200), nullable=False, unique=True),
    # When somebody last began to refer to them; what was used of late is not deleted.
    Column("used_time", UtcDateTime, nullable=False),
)

UPLOADS = Table(
    "harken_uploads",
    METADATA,
    Column("owner", String(200), primary_key=True),
    # Of the caller's making, so one owner's tells nothing of another's; spelled as the jobs spell it that refer to it.
    Column("upload_id", String(36), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("filename", String(255), nullable=False),
    # Bytes that are durable: where it can be gone on with.
    Column("received", BigInteger, nullable=False),
    # As announced until it is complete.
    Column("size", BigInteger),
    Column("sha256", String(64)),
    # Whether it is kept when it breaks off.
    Column("resumable", Boolean, nullable=False),
    # The call that receives it, and until when it has to be heard of.
    _id("writer"),
    Column("writer_expires_at", UtcDateTime),
    Column("create_time", UtcDateTime, nullable=False),
    Column("expire_time", UtcDateTime, nullable=False),
)
Index("harken_uploads_expire", UPLOADS.c.expire_time)
Index("harken_uploads_content", UPLOADS.c.owner, UPLOADS.c.sha256)

# What has arrived of uploads that are not complete: the pieces, in order, each written by one call.
UPLOAD_PARTS = Table(
    "harken_upload_parts",
    METADATA,
    Column("owner", String(200), primary_key=True),
    Column("upload_id", String(36), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("key", String(200), nullable=False, unique=True),
    # Bytes of it that are durable.
    Column("size", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["owner", "upload_id"],
        ["harken_uploads.owner", "harken_uploads.upload_id"],
        ondelete="CASCADE",
    ),
)

# What jobs made besides their results; the bytes are a blob.
ARTIFACTS = Table(
    "harken_artifacts",
    METADATA,
    _id("artifact_id", primary_key=True),
    Column("owner", String(200), nullable=False),
    _id("job_id", ForeignKey("harken_jobs.job_id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("create_time", UtcDateTime, nullable=False),
    UniqueConstraint("job_id", "name", name="harken_artifacts_name"),
)
Index("harken_artifacts_content", ARTIFACTS.c.owner, ARTIFACTS.c.sha256)

# Which harken this is: one row, made with the table.
SYSTEM = Table("harken_system", METADATA, _id("system_id", primary_key=True))

# What jobs' sounds are like, for those that have a vector: what is searched, and what searches filter by.
EMBEDDINGS = Table(
    "harken_embeddings",
    METADATA,
    # In the order of writing, and never given twice: whoever keeps the vectors in memory reads on from it.
    Column("position", LogPosition, primary_key=True, autoincrement=True),
    _id(
        "job_id", ForeignKey("harken_jobs.job_id", ondelete="CASCADE"), nullable=False, unique=True
    ),
    Column("owner", String(200), nullable=False),
    Column("model", String(100), nullable=False),
    # Of unit length. Its index in PostgreSQL is there with pgvector alone: `harken.jobs.similarity.vector_index`.
    Column("vector", Float32s, nullable=False),
    # The first bytes of its SHA-256: jobs about the same samples have the same.
    Column("digest", BigInteger, nullable=False),
    # The course of its spectrum, by which the same recording is known in other formats.
    Column("fingerprint", LargeBinary),
    Column("tempo_bpm", Double),
    Column("tonic", String(2)),
    Column("mode", String(5)),
    Column("duration_s", Double),
    Column("sound_class", String(10)),
    Column("create_time", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)
Index("harken_embeddings_owner", EMBEDDINGS.c.owner, EMBEDDINGS.c.model, EMBEDDINGS.c.position)
Index("harken_embeddings_digest", EMBEDDINGS.c.owner, EMBEDDINGS.c.digest)
