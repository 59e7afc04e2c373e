"""The environment variables, each with the setting it fills: adding one is a line here and a field in `Settings`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harken.redis.address import parse_broker_url, parse_redis_url
from harken.settings.parsing import (
    checked_quota,
    parse_authentication,
    parse_endpoint_url,
    parse_flag,
    parse_integer,
    parse_level,
    parse_log_format,
    parse_metrics_listen,
    parse_networks,
    parse_positive,
    parse_roots,
    parse_signing_keys,
    parse_sources,
    parse_storage_url,
    parse_url,
    parse_weights,
)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One setting's way in.

    `fallbacks` are the names people already have; `harken up` ignores them, so that a stray `DATABASE_URL` is never
    migrated.
    """

    field: str
    name: str
    meaning: str
    parse: Callable[[str], Any] = str
    fallbacks: tuple[str, ...] = ()
    secret: bool = False  # whether it can hold one: then NAME_FILE may name a file that does


VARIABLES: tuple[Variable, ...] = (
    Variable(
        field="database_url",
        name="HARKEN_DATABASE_URL",
        meaning="Where jobs are kept: a SQLAlchemy URL of SQLite or PostgreSQL.",
        fallbacks=("DATABASE_URL",),
        secret=True,
    ),
    Variable(
        field="broker_url",
        name="HARKEN_BROKER_URL",
        meaning="The [Redis](#redis) that carries the tasks.",
        parse=parse_broker_url,
        fallbacks=("CELERY_BROKER_URL", "REDIS_URL"),
        secret=True,
    ),
    Variable(
        field="result_backend",
        name="HARKEN_RESULT_BACKEND",
        meaning="The Redis that carries progress; the broker's when unset.",
        parse=parse_redis_url,
        fallbacks=("CELERY_RESULT_BACKEND", "REDIS_URL"),
        secret=True,
    ),
    Variable(
        field="listen",
        name="HARKEN_LISTEN",
        meaning="HOST:PORT, or unix:PATH, that the server listens on.",
    ),
    Variable(
        field="media_roots",
        name="HARKEN_MEDIA_ROOTS",
        meaning="Folders below which files may be submitted, separated by colons.",
        parse=parse_roots,
    ),
    Variable(
        field="concurrency",
        name="HARKEN_CONCURRENCY",
        meaning="Jobs that a worker runs at once; the number of processors when unset.",
        parse=parse_positive,
    ),
    Variable(
        field="task_time_limit_s",
        name="HARKEN_TASK_TIME_LIMIT",
        meaning="Seconds after which a job's process is killed.",
        parse=parse_positive,
        fallbacks=("CELERY_TASK_TIME_LIMIT",),
    ),
    Variable(
        field="task_soft_time_limit_s",
        name="HARKEN_TASK_SOFT_TIME_LIMIT",
        meaning="Seconds after which a job is asked to stop and fails as TIMEOUT; 11/12 of the hard limit when unset.",
        parse=parse_positive,
        fallbacks=("CELERY_TASK_SOFT_TIME_LIMIT",),
    ),
    Variable(
        field="max_tasks_per_child",
        name="HARKEN_MAX_TASKS_PER_CHILD",
        meaning="Jobs after which a worker's child process is replaced.",
        parse=parse_positive,
    ),
    Variable(
        field="max_retries",
        name="HARKEN_MAX_RETRIES",
        meaning="How often a job is tried again after a transient error.",
        parse=parse_integer,
    ),
    Variable(
        field="max_crashes",
        name="HARKEN_MAX_CRASHES",
        meaning="How many worker deaths a job survives before it fails as CRASHED.",
        parse=parse_positive,
    ),
    Variable(
        field="retention_days",
        name="HARKEN_RETENTION_DAYS",
        meaning="Days after its end at which a job and its result are deleted.",
        parse=parse_positive,
    ),
    Variable(
        field="backup_dir",
        name="HARKEN_BACKUP_DIR",
        meaning="The folder to which the maintenance worker backs the database up once a day; none when unset.",
    ),
    Variable(
        field="backups_kept",
        name="HARKEN_BACKUPS_KEPT",
        meaning="How many backups are kept in that folder.",
        parse=parse_positive,
    ),
    Variable(
        field="grace_period_s",
        name="HARKEN_GRACE_PERIOD",
        meaning="Seconds that open calls and running jobs get when the server or a worker stops.",
        parse=parse_integer,
    ),
    Variable(
        field="owner_weights",
        name="HARKEN_OWNER_WEIGHTS",
        meaning="Shares of owners whose jobs wait together, such as ann=2,bob=0.5; 1 for who is not named.",
        parse=parse_weights,
    ),
    Variable(
        field="kill_after_s",
        name="HARKEN_KILL_AFTER",
        meaning="Seconds that a job gets to stop, after a cancel or its `run_timeout`, before its process is killed.",
        parse=parse_integer,
    ),
    Variable(
        field="max_memory_per_child_mb",
        name="HARKEN_MAX_MEMORY_PER_CHILD",
        meaning="MB of memory (millions of bytes) over which a job's process is killed; 0 for no limit.",
        parse=parse_integer,
    ),
    Variable(
        field="log_level",
        name="HARKEN_LOG_LEVEL",
        meaning="DEBUG, INFO, WARNING or ERROR.",
        parse=parse_level,
    ),
    Variable(
        field="log_format",
        name="HARKEN_LOG_FORMAT",
        meaning="`text` for people, `json` for programs: an object a line.",
        parse=parse_log_format,
    ),
    Variable(
        field="metrics_listen",
        name="HARKEN_METRICS_LISTEN",
        meaning="HOST:PORT, or a port of this machine alone, at which Prometheus finds metrics; none when unset.",
        parse=parse_metrics_listen,
    ),
    Variable(
        field="lease_s",
        name="HARKEN_LEASE",
        meaning="Seconds after which the jobs of a worker that is not heard of go to others; at least 3.",
        parse=parse_positive,
    ),
    Variable(
        field="tls_cert",
        name="HARKEN_TLS_CERT",
        meaning="The server's certificate with its chain, a PEM file; read anew when it changes.",
    ),
    Variable(
        field="tls_key",
        name="HARKEN_TLS_KEY",
        meaning="The key of the certificate, a PEM file.",
    ),
    Variable(
        field="tls_client_ca",
        name="HARKEN_TLS_CLIENT_CA",
        meaning="The authority that callers need a certificate of, a PEM file; none is needed when unset.",
    ),
    Variable(
        field="insecure",
        name="HARKEN_INSECURE",
        meaning="1 to listen beyond this machine without TLS or authentication.",
        parse=parse_flag,
    ),
    Variable(
        field="authentication",
        name="HARKEN_AUTHENTICATION",
        meaning="How callers show who they are: `none`, `keys`, `jwt` or `keys,jwt`.",
        parse=parse_authentication,
    ),
    Variable(
        field="jwt_issuer",
        name="HARKEN_JWT_ISSUER",
        meaning="The issuer (`iss`) whose tokens are taken, a URL.",
        parse=parse_url,
    ),
    Variable(
        field="jwt_audience",
        name="HARKEN_JWT_AUDIENCE",
        meaning="The audience (`aud`) that a token has to be for.",
    ),
    Variable(
        field="jwt_keys_url",
        name="HARKEN_JWT_KEYS_URL",
        meaning="Where the issuer publishes its keys (JWKS); found through its OpenID configuration when unset.",
        parse=parse_url,
    ),
    Variable(
        field="jwt_owner_claim",
        name="HARKEN_JWT_OWNER_CLAIM",
        meaning="The claim of a token that names the owner.",
    ),
    Variable(
        field="jwt_scope_claim",
        name="HARKEN_JWT_SCOPE_CLAIM",
        meaning="The claim of a token that lists scopes, as words or as a list.",
    ),
    Variable(
        field="quota_queued_jobs",
        name="HARKEN_QUOTA_QUEUED_JOBS",
        meaning="Jobs that an owner may have waiting, such as 10k,ann=50k,bob=none; any number when unset.",
        parse=checked_quota,
    ),
    Variable(
        field="quota_running_jobs",
        name="HARKEN_QUOTA_RUNNING_JOBS",
        meaning="Jobs of an owner that may run at once, with those on their way to a worker; any number when unset.",
        parse=checked_quota,
    ),
    Variable(
        field="quota_stored_bytes",
        name="HARKEN_QUOTA_STORED_BYTES",
        meaning="Bytes that an owner may keep, such as 10G,ann=1T; any number when unset.",
        parse=checked_quota,
    ),
    Variable(
        field="quota_submits_per_second",
        name="HARKEN_QUOTA_SUBMITS_PER_SECOND",
        meaning="Calls that make jobs, of an owner at one server process, a second; any number when unset.",
        parse=checked_quota,
    ),
    Variable(
        field="quota_streams",
        name="HARKEN_QUOTA_STREAMS",
        meaning="Streams that an owner may have open at one server process; any number when unset.",
        parse=checked_quota,
    ),
    Variable(
        field="quota_connections",
        name="HARKEN_QUOTA_CONNECTIONS",
        meaning="Connections over which an owner may have calls open at one server process; any number when unset.",
        parse=checked_quota,
    ),
    Variable(
        field="max_audio_hours",
        name="HARKEN_MAX_AUDIO_HOURS",
        meaning="Hours of sound over which a recording is refused, however small its file.",
        parse=parse_positive,
    ),
    Variable(
        field="storage_url",
        name="HARKEN_STORAGE_URL",
        meaning="Where uploads and artifacts are kept: a folder, or s3://, gs:// or az:// with bucket and prefix;"
        " `harken-storage` in the current folder when unset, with `harken up` `storage` in the data folder.",
        parse=parse_storage_url,
    ),
    Variable(
        field="max_upload_mb",
        name="HARKEN_MAX_UPLOAD",
        meaning="MB (millions of bytes) that an uploaded file may have.",
        parse=parse_positive,
    ),
    Variable(
        field="upload_hours",
        name="HARKEN_UPLOAD_HOURS",
        meaning="Hours for which an upload is kept: one that is not complete since it was begun,"
        " one that is since it was last submitted, and as long as a job waits for it or reads it.",
        parse=parse_positive,
    ),
    Variable(
        field="sources",
        name="HARKEN_SOURCES",
        meaning="What may be fetched besides files below media roots, separated by commas: `https` for any public host,"
        " https://HOST:PORT, s3://BUCKET/PREFIX, gs://…, az://…; or `none`.",
        parse=parse_sources,
    ),
    Variable(
        field="allow_private_sources",
        name="HARKEN_ALLOW_PRIVATE_SOURCES",
        meaning="Networks that are not public and yet may be fetched from, such as 10.1.0.0/16,fd00::/8.",
        parse=parse_networks,
    ),
    Variable(
        field="max_fetch_mb",
        name="HARKEN_MAX_FETCH",
        meaning="MB (millions of bytes) that a fetched file may have.",
        parse=parse_positive,
    ),
    Variable(
        field="fetch_timeout_s",
        name="HARKEN_FETCH_TIMEOUT",
        meaning="Seconds within which a file has to be fetched.",
        parse=parse_positive,
    ),
    Variable(
        field="signing_keys",
        name="HARKEN_SIGNING_KEYS",
        meaning="Keys that sign tasks and progress in Redis, separated by commas: the first one signs, all are"
        " accepted, and what bears no such signature is refused; nothing is signed when unset.",
        parse=parse_signing_keys,
        secret=True,
    ),
    Variable(
        field="stems_model",
        name="HARKEN_STEMS_MODEL",
        meaning="The ONNX file of the model that separates stems of the kind model; that kind fails when unset.",
    ),
    Variable(
        field="transcription_model",
        name="HARKEN_TRANSCRIPTION_MODEL",
        meaning="The folder of the Whisper model (CTranslate2) that writes speech down; transcripts fail when unset.",
    ),
    Variable(
        field="language_model_url",
        name="HARKEN_LANGUAGE_MODEL_URL",
        meaning="The base URL of an OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1;"
        " insights that ask for a language model fail when unset.",
        parse=parse_endpoint_url,
    ),
    Variable(
        field="language_model",
        name="HARKEN_LANGUAGE_MODEL",
        meaning="The name of the language model at that endpoint.",
    ),
    Variable(
        field="language_model_key",
        name="HARKEN_LANGUAGE_MODEL_KEY",
        meaning="The key that the endpoint wants; none when unset.",
        secret=True,
    ),
    Variable(
        field="language_model_timeout_s",
        name="HARKEN_LANGUAGE_MODEL_TIMEOUT",
        meaning="Seconds within which the language model has to answer, all attempts together.",
        parse=parse_positive,
    ),
    Variable(
        field="language_model_sees_names",
        name="HARKEN_LANGUAGE_MODEL_SEES_NAMES",
        meaning="1 to tell the language model the file's name, title, artist, album and genre.",
        parse=parse_flag,
    ),
)


def secret_names(*, fallbacks: bool = True) -> tuple[str, ...]:
    """The names of the variables that can hold a secret, each once."""
    names: dict[str, None] = {}
    for variable in VARIABLES:
        if variable.secret:
            names[variable.name] = None
            names.update(dict.fromkeys(variable.fallbacks if fallbacks else ()))
    if fallbacks:
        names["REDIS_PASSWORD"] = None
    return tuple(names)
