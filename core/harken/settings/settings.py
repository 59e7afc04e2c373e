"""The settings of one process."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

from harken.redis.address import parse_redis_url
from harken.settings.errors import SettingsError
from harken.settings.parsing import entries_of, parse_integer, weights_of
from harken.settings.secret_files import with_secrets
from harken.settings.variables import VARIABLES, Variable, secret_names

T = TypeVar("T")

SHORTEST_LEASE_S = 3  # it is renewed each third of it, and a worker looks once a second


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the server, the workers and beat have to know. Fields are described in `variables.VARIABLES`."""

    # Those that can hold a secret are left out where the settings are shown.
    database_url: str = field(default="sqlite:///harken.db", repr=False)
    broker_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    result_backend: str = field(default="", repr=False)
    listen: str = "127.0.0.1:50051"
    media_roots: tuple[str, ...] = ()
    concurrency: int = 0
    task_time_limit_s: int = 3600
    task_soft_time_limit_s: int = 0
    max_tasks_per_child: int = 200
    max_retries: int = 3
    max_crashes: int = 3
    retention_days: int = 30
    backup_dir: str = ""
    backups_kept: int = 7
    grace_period_s: int = 10
    owner_weights: str = ""
    kill_after_s: int = 5
    max_memory_per_child_mb: int = 2048
    log_level: str = "INFO"
    log_format: str = "text"
    metrics_listen: str = ""
    lease_s: int = 15
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    insecure: bool = False
    authentication: str = "none"
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_keys_url: str = ""
    jwt_owner_claim: str = "sub"
    jwt_scope_claim: str = "scope"
    quota_queued_jobs: str = ""
    quota_running_jobs: str = ""
    quota_stored_bytes: str = ""
    quota_submits_per_second: str = ""
    quota_streams: str = ""
    quota_connections: str = ""
    max_audio_hours: int = 48
    sources: str = "https"
    allow_private_sources: str = ""
    max_fetch_mb: int = 4096
    fetch_timeout_s: int = 900
    storage_url: str = ""
    max_upload_mb: int = 4096
    upload_hours: int = 72
    signing_keys: str = field(default="", repr=False)
    stems_model: str = ""
    transcription_model: str = ""
    language_model_url: str = ""
    language_model: str = ""
    language_model_key: str = field(default="", repr=False)
    language_model_timeout_s: int = 60
    language_model_sees_names: bool = False

    def __post_init__(self) -> None:
        """Fills what is unset: the backend, the soft limit, the number of processors, the current folder as root."""
        fill = object.__setattr__
        fill(self, "result_backend", self.result_backend or self.broker_url)
        soft_limit_s = max(self.task_time_limit_s * 11 // 12, 1)
        fill(self, "task_soft_time_limit_s", self.task_soft_time_limit_s or soft_limit_s)
        fill(self, "concurrency", self.concurrency or os.cpu_count() or 1)
        fill(self, "media_roots", self.media_roots or (os.getcwd(),))
        fill(self, "storage_url", self.storage_url or Path("harken-storage").absolute().as_uri())
        if self.result_backend == self.broker_url and self.broker_url:
            _parse(parse_redis_url, "HARKEN_RESULT_BACKEND", self.result_backend, secret=True)
        for root in self.media_roots:
            if ":" in root:
                raise SettingsError(
                    "HARKEN_MEDIA_ROOTS",
                    f"{root!r} cannot be used: a colon separates folders. Give a link to the folder instead",
                )
        if self.task_soft_time_limit_s >= self.task_time_limit_s:
            raise SettingsError(
                "HARKEN_TASK_SOFT_TIME_LIMIT",
                f"{self.task_soft_time_limit_s} s has to be less than the hard limit"
                f" of {self.task_time_limit_s} s (HARKEN_TASK_TIME_LIMIT)",
            )

        if self.lease_s < SHORTEST_LEASE_S:
            raise SettingsError(
                "HARKEN_LEASE",
                f"{self.lease_s} s is too short: it has to be at least {SHORTEST_LEASE_S}",
            )
        if bool(self.tls_cert) != bool(self.tls_key) or (self.tls_client_ca and not self.tls_cert):
            raise SettingsError(
                "HARKEN_TLS_CERT", "TLS needs both HARKEN_TLS_CERT and HARKEN_TLS_KEY"
            )
        if "jwt" in self.ways_in and not (self.jwt_issuer and self.jwt_audience):
            raise SettingsError(
                "HARKEN_AUTHENTICATION",
                "jwt needs HARKEN_JWT_ISSUER and HARKEN_JWT_AUDIENCE: whose tokens are taken, and those for whom",
            )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *, fallbacks: bool = True, **given: Any
    ) -> Self:
        """Settings of the variables in `environment`.

        What can hold a secret is read from a file too, which NAME_FILE names.
        `given` are values from the command line: they win. Without `fallbacks` only the `HARKEN_*` names count.
        Raises SettingsError.
        """
        environment = with_secrets(environment, secret_names(fallbacks=fallbacks))
        values: dict[str, Any] = {}
        for variable in VARIABLES:
            found = _find(environment, variable, fallbacks=fallbacks)
            if found is None:
                continue
            values[variable.field] = _parse(variable.parse, *found, secret=variable.secret)
        values.update((field, value) for field, value in given.items() if value is not None)
        return cls(**values)

    @property
    def ways_in(self) -> frozenset[str]:
        """How callers show who they are; none where nobody is asked."""
        return frozenset(self.authentication.split(",")) - {"none"}

    @property
    def weights(self) -> Mapping[str, float]:
        """The weights of owners that have one of their own."""
        return weights_of(self.owner_weights)

    @property
    def source_entries(self) -> tuple[str, ...]:
        """What may be fetched, entry by entry."""
        return entries_of(self.sources)

    def to_environment(self) -> dict[str, str]:
        """The `HARKEN_*` variables from which a child process reads these settings."""
        environment: dict[str, str] = {}
        for variable in VARIABLES:
            value = getattr(self, variable.field)
            text = ":".join(value) if isinstance(value, tuple) else str(value)
            environment[variable.name] = text
        return environment


def at_place(address: str, place: int) -> str:
    """The address of the metrics of one of several processes: the first one's is as given, the others' ports follow."""
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + place}" if address and port != "0" else address


def _find(
    environment: Mapping[str, str], variable: Variable, *, fallbacks: bool
) -> tuple[str, str] | None:
    """The name that is set and what it holds; an empty variable counts as unset."""
    names = (variable.name, *variable.fallbacks) if fallbacks else (variable.name,)
    for name in names:
        if environment.get(name):
            return name, environment[name]
    if fallbacks and "REDIS_URL" in variable.fallbacks and environment.get("REDIS_HOST"):
        return "REDIS_HOST", _redis_url(environment)
    return None


def _redis_url(environment: Mapping[str, str]) -> str:
    """The URL of REDIS_HOST, REDIS_PORT, REDIS_DB and REDIS_PASSWORD. Raises SettingsError."""
    password = environment.get("REDIS_PASSWORD")
    login = f":{quote(password, safe='')}@" if password else ""
    host = environment["REDIS_HOST"]
    if ":" in host:
        host = f"[{host}]"  # an address of IPv6
    # Kubernetes sets REDIS_PORT to a URL where a service is called redis.
    port = _parse(parse_integer, "REDIS_PORT", environment.get("REDIS_PORT") or "6379")
    number = _parse(parse_integer, "REDIS_DB", environment.get("REDIS_DB") or "0")
    return f"redis://{login}{host}:{port}/{number}"


def _parse(parse: Callable[[str], T], name: str, text: str, *, secret: bool = False) -> T:
    try:
        return parse(text)
    except ValueError as error:
        shown = "what it holds" if secret else repr(text)
        raise SettingsError(name, f"{shown} cannot be used: {error}") from error
