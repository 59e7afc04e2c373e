"""What the texts of environment variables mean; each parser raises ValueError, which says what the text has to be."""

from ipaddress import ip_network
from math import inf
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

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


def parse_endpoint_url(text: str) -> str:
    """The base URL of an endpoint of this machine or another; raises ValueError."""
    url = urlsplit(text)
    if not url.hostname or url.scheme not in {"http", "https"} or url.query or url.fragment:
        raise ValueError("it has to be an http:// or https:// URL, as in http://127.0.0.1:11434/v1")
    if url.username is not None or url.password is not None:
        raise ValueError("it may hold no login; the key has a variable of its own")
    return text
