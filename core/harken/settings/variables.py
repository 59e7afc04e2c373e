"""The environment variables, each with the setting it fills: adding one is a line here and a field in `Settings`."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from math import inf
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from harken.redis.address import parse_broker_url, parse_redis_url

LOG_FORMATS: Final = ("text", "json")
FETCHED: Final = ("https", "s3", "gs", "az")
NOTHING: Final = "none"
STORAGES: Final = ("file:///", "s3://", "gs://", "az://")
LOOPBACK: Final = "127.0.0.1"
HIGHEST_PORT: Final = 65_535
SHORTEST_KEY: Final = 32  # characters, of which a hexadecimal one has 4 bits
UNLIMITED: Final = "none"
UNITS: Final = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
NOBODY_IS_ASKED: Final = "none"
WAYS_IN: Final = ("keys", "jwt")


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


def parse_integer(text: str) -> int:
    """A whole number of at least 0; raises ValueError."""
    number = _whole_number(text)
    if number < 0:
        raise ValueError("it has to be at least 0")
    return number


def parse_positive(text: str) -> int:
    """A whole number of at least 1; raises ValueError."""
    number = _whole_number(text)
    if number < 1:
        raise ValueError("it has to be at least 1")
    return number


def parse_roots(text: str) -> tuple[str, ...]:
    """Folders, separated by colons as in PATH."""
    return tuple(part for part in text.split(":") if part)


def parse_weights(text: str) -> str:
    """Weights of owners, "ann=2,bob=0.5", as they came; raises ValueError."""
    weights_of(text)
    return text


def weights_of(text: str) -> dict[str, float]:
    """The weight of each owner that has one; raises ValueError."""
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        owner, equals, number = part.rpartition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if not owner or not equals or not 0 < weight < inf:
            raise ValueError(
                f"{part!r} is not OWNER=WEIGHT with a weight over 0, as in ann=2,bob=0.5"
            )
        weights[owner] = weight
    return weights


def parse_quota(text: str) -> tuple[float | None, dict[str, float | None]]:
    """What every owner may have, and what some may, of a text such as "100,ann=500,bob=none"; raises ValueError."""
    everyone: float | None = None
    owners: dict[str, float | None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        owner, _, amount = part.rpartition("=")
        if owner:
            owners[owner] = _amount(part, amount)
        else:
            everyone = _amount(part, part)
    return everyone, owners


def checked_quota(text: str) -> str:
    """A quota as it came; raises ValueError."""
    parse_quota(text)
    return text


def _amount(part: str, text: str) -> float | None:
    if text == UNLIMITED:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "")
    try:
        amount = float(number) * UNITS.get(unit, 1)
    except ValueError:
        amount = -1.0
    if not 0 <= amount < inf:
        raise ValueError(
            f"{part!r} is neither a number nor OWNER=NUMBER, as in 100,ann=5k,bob=none"
        )
    return amount


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("it has to be a whole number") from None


def parse_level(text: str) -> str:
    """A level of Python's logging; raises ValueError."""
    level = text.upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("it has to be one of DEBUG, INFO, WARNING, ERROR")
    return level


def parse_metrics_listen(text: str) -> str:
    """HOST:PORT of an endpoint for metrics, of this machine alone where no host is named; raises ValueError."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > HIGHEST_PORT:
        raise ValueError("it has to be HOST:PORT, or a port of this machine alone, as in 9464")
    return f"{host or LOOPBACK}:{int(port)}"


def parse_storage_url(text: str) -> str:
    """The URL of a storage, or a folder's absolute path; raises ValueError."""
    if text.startswith("/"):
        return Path(text).as_uri()
    if not text.startswith(STORAGES):
        raise ValueError(f"it has to be a folder, or begin with one of {', '.join(STORAGES)}")
    return text


def parse_sources(text: str) -> str:
    """What may be fetched, "https,s3://bucket/prefix", as it came; raises ValueError."""
    for entry in entries_of(text):
        scheme, separator, rest = entry.partition("://")
        host, slash, _ = rest.partition("/")
        whole = scheme == "https" and not (separator and not host) and not slash
        if not (whole or (scheme in FETCHED[1:] and host)):
            raise ValueError(
                f"{entry!r} is none of https, https://HOST:PORT, s3://BUCKET, gs://…, az://…"
            )
    return text


def entries_of(text: str) -> tuple[str, ...]:
    """The entries of what may be fetched."""
    entries = tuple(part.strip() for part in text.split(",") if part.strip())
    return () if entries == (NOTHING,) else entries


def parse_networks(text: str) -> str:
    """Networks, "10.1.0.0/16,fd00::/8", as they came; raises ValueError."""
    for part in filter(None, (part.strip() for part in text.split(","))):
        ip_network(part)
    return text


def parse_log_format(text: str) -> str:
    """How log lines are written; raises ValueError."""
    if text not in LOG_FORMATS:
        raise ValueError(f"it has to be one of {', '.join(LOG_FORMATS)}")
    return text


def parse_signing_keys(text: str) -> str:
    """Keys, separated by commas, as they came; raises ValueError, which does not show them."""
    if any(len(key.strip()) < SHORTEST_KEY for key in text.split(",")):
        raise ValueError(
            f"each key needs at least {SHORTEST_KEY} characters; make one with: openssl rand -hex 32"
        )
    return text


def parse_authentication(text: str) -> str:
    """The ways in which callers show who they are, "keys,jwt"; raises ValueError."""
    ways = [way.strip() for way in text.lower().split(",")]
    if ways != [NOBODY_IS_ASKED] and not set(ways) <= {*WAYS_IN}:
        raise ValueError("it has to be none, keys, jwt, or keys,jwt")
    return ",".join(ways)


def parse_flag(text: str) -> bool:
    """Yes or no; raises ValueError."""
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("it has to be 1 or 0")


def parse_url(text: str) -> str:
    """A URL that nobody on the way can answer in the server's place; raises ValueError."""
    url = urlsplit(text)
    local = url.hostname in {"localhost", "127.0.0.1", "::1"}
    if not url.hostname or (url.scheme != "https" and not (url.scheme == "http" and local)):
        raise ValueError("it has to be an https:// URL, or an http:// one of this machine")
    return text


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
