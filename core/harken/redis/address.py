"""What a URL says of where Redis is: one spelling, Celery's, for Celery and for the connections that harken makes.

    redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]
    rediss://…                      the same, encrypted
    redis+socket:///PATH
    sentinel://[[USER]:PASSWORD@]HOST[:PORT][;HOST[:PORT]…][/DATABASE]?master_name=NAME

Here is nothing of redis-py or Celery, so that a URL is judged before any of them is loaded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

PLAIN: Final = "redis"
ENCRYPTED: Final = "rediss"
SOCKET: Final = "redis+socket"
SENTINEL: Final = "sentinel"
SCHEMES: Final = (PLAIN, ENCRYPTED, SOCKET, SENTINEL)
KINDS_OF_REDIS: Final = (PLAIN, SENTINEL, "valkey", "unix", "cluster")  # as some spell it
REDIS_PORT: Final = 6379
SENTINEL_PORT: Final = 26379

CHECKS: Final = ("required", "optional", "none")
FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS_OPTIONS: Final = ("ssl_cert_reqs", "ssl_check_hostname", *FILES)
SENTINEL_OPTIONS: Final = ("master_name", "sentinel_username", "sentinel_password")
YES_OR_NO: Final = {"true": True, "1": True, "false": False, "0": False}


class NoRedisAddress(ValueError):
    """The URL cannot be used; the text shows nothing of it that may be secret."""


@dataclass(frozen=True, kw_only=True)
class RedisAddress:
    """Where Redis is and how it is spoken to.

    `hosts` are those of the Sentinels where `master_name` is set, one host otherwise, none with a socket's `path`.
    `tls` are options of TLS under redis-py's names, which are Celery's too; None where nothing is encrypted.
    """

    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    database: int = 0
    # Those that are secret are left out where the address is shown.
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: Mapping[str, str | bool] | None = None
    master_name: str = ""
    sentinel_username: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Self:
        """The address that a URL names. Raises NoRedisAddress."""
        scheme = url.partition("://")[0].lower()
        if scheme not in SCHEMES:
            raise NoRedisAddress(_why_not(scheme))
        first, *others = (_split(part) for part in url.split(";"))
        if others and scheme != SENTINEL:
            raise NoRedisAddress("several hosts are for sentinel:// alone")
        last = others[-1] if others else first
        given = _options(last.query, scheme)
        username, password = (
            unquote(part) if part else None for part in (first.username, first.password)
        )
        if scheme == SOCKET:
            database = given.get("virtual_host", "")
            hosts, path = (), unquote(f"{first.netloc.rpartition('@')[2]}{first.path}")
            if not path.startswith("/"):
                raise NoRedisAddress("redis+socket:// needs the whole path of the socket")
        else:
            database, path = last.path.strip("/") or given.get("virtual_host", ""), ""
            port = SENTINEL_PORT if scheme == SENTINEL else REDIS_PORT
            hosts = tuple(_host(part, port) for part in (first, *others))
        if not (database.isdigit() or not database):
            raise NoRedisAddress(f"{database!r} is no number of a database")
        return cls(
            hosts=hosts,
            path=path,
            database=int(database or 0),
            username=username,
            password=password,
            tls=_tls(given, scheme),
            master_name=given.get("master_name", ""),
            sentinel_username=given.get("sentinel_username"),
            sentinel_password=given.get("sentinel_password"),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """How redis-py connects, but for where a host is named by Sentinels."""
        place: dict[str, Any] = {}
        if self.path:
            place = {"path": self.path}
        elif not self.master_name:
            place = dict(zip(("host", "port"), self.hosts[0], strict=True))
        named = {"username": self.username, "password": self.password, "db": self.database}
        return {**place, **named, **(self.tls or {})}

    @property
    def sentinel_parameters(self) -> dict[str, Any]:
        """How redis-py connects to a Sentinel, but for its host."""
        encrypted = {"ssl": True, **self.tls} if self.tls is not None else {}
        named = {"username": self.sentinel_username, "password": self.sentinel_password}
        return {**{key: value for key, value in named.items() if value is not None}, **encrypted}

    @property
    def celery_url(self) -> str:
        """The URL for Celery, which takes what else there is as settings: `tls` and `connections.celery_options`."""
        login = ""
        if self.username or self.password:
            login = f"{quote(self.username or '', safe='')}:{quote(self.password or '', safe='')}@"
        if self.path:
            number = f"?virtual_host={self.database}" if self.database else ""
            return f"{SOCKET}://{login}{quote(self.path)}{number}"
        scheme = SENTINEL if self.master_name else ENCRYPTED if self.tls is not None else PLAIN
        return ";".join(
            f"{scheme}://{login}{f'[{host}]' if ':' in host else host}:{port}/{self.database}"
            for host, port in self.hosts
        )


def broker_address(url: str) -> RedisAddress | None:
    """The address of a broker; None for one that is not Redis. Raises NoRedisAddress."""
    scheme = url.partition("://")[0].lower()
    return RedisAddress.of(url) if scheme.startswith(KINDS_OF_REDIS) else None


def parse_broker_url(text: str) -> str:
    """The URL of a broker as it came. Raises NoRedisAddress for one of Redis that cannot be used."""
    address = broker_address(text)
    if address is not None:
        _check_files(address)
    return text


def parse_redis_url(text: str) -> str:
    """The URL of a Redis as it came. Raises NoRedisAddress."""
    _check_files(RedisAddress.of(text))
    return text


def _check_files(address: RedisAddress) -> None:
    for name in FILES:
        file = (address.tls or {}).get(name)
        if file and not Path(str(file)).is_file():
            raise NoRedisAddress(f"{name} names no file: {file}")


def _split(part: str) -> SplitResult:
    # The scheme is known; each of several hosts may have it or not.
    rest = part.partition("://")[2] or part
    try:
        return urlsplit(f"//{rest}")
    except ValueError as error:
        raise NoRedisAddress(f"it is no URL: {error}") from None


def _host(part: SplitResult, port: int) -> tuple[str, int]:
    try:
        return part.hostname or "localhost", part.port or port
    except ValueError:
        raise NoRedisAddress(
            "its port is no number; a password with / ? # or @ has to be escaped, as %2F %3F %23 %40"
        ) from None


def _options(query: str, scheme: str) -> dict[str, str]:
    known = ["virtual_host"]
    if scheme in (ENCRYPTED, SENTINEL):
        known += TLS_OPTIONS
    if scheme == SENTINEL:
        known += SENTINEL_OPTIONS
    given = dict(parse_qsl(query))
    for name in given:
        if name in TLS_OPTIONS and scheme not in (ENCRYPTED, SENTINEL):
            raise NoRedisAddress(f"{name} is for an encrypted connection: rediss://")
        if name not in known:
            raise NoRedisAddress(f"{name} is none of its options: {_listed(known)}")
    if scheme == SENTINEL and not given.get("master_name"):
        raise NoRedisAddress(
            "sentinel:// needs the name under which the Sentinels know the Redis: ?master_name=NAME"
        )
    return given


def _tls(given: Mapping[str, str], scheme: str) -> dict[str, str | bool] | None:
    tls: dict[str, str | bool] = {name: given[name] for name in TLS_OPTIONS if name in given}
    if scheme != ENCRYPTED and not tls:
        return None
    # Celery's broker would check nothing where nothing is said.
    checks = given.get("ssl_cert_reqs", CHECKS[0]).lower().removeprefix("cert_")
    if checks not in CHECKS:
        raise NoRedisAddress(f"ssl_cert_reqs has to be one of {_listed(CHECKS)}")
    tls["ssl_cert_reqs"] = checks
    hostname = given.get("ssl_check_hostname", "true" if checks == CHECKS[0] else "false")
    if hostname.lower() not in YES_OR_NO:
        raise NoRedisAddress("ssl_check_hostname has to be true or false")
    tls["ssl_check_hostname"] = YES_OR_NO[hostname.lower()]
    if ("ssl_certfile" in tls) != ("ssl_keyfile" in tls):
        raise NoRedisAddress("a client's certificate needs both ssl_certfile and ssl_keyfile")
    return tls


def _why_not(scheme: str) -> str:
    if "cluster" in scheme:
        return (
            "Redis Cluster cannot carry tasks: Celery does not know it. Name a Redis that is no part of a cluster,"
            " or with sentinel:// one that Sentinels watch"
        )
    return f"it has to begin with one of {_listed(f'{known}://' for known in SCHEMES)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
