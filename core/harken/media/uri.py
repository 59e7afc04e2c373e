"""The address of a source that is fetched, taken apart: `https://host/path?query` or `s3://bucket/key`."""

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from harken.media.source_errors import UriMalformed

HTTPS: Final = "https"
BUCKETS: Final = ("s3", "gs", "az")  # S3, Google Cloud Storage, Azure Blob Storage
SCHEMES: Final = (HTTPS, *BUCKETS)
HTTPS_PORT: Final = 443
LONGEST_URI_BYTES: Final = 4096  # published
_LONGEST_SHOWN: Final = 120  # characters in a message

_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\]")  # what parsers take for one thing or another
_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*\.?")
_ADDRESS_6: Final = re.compile(r"[0-9A-Fa-f:.]+")
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_ASIDE: Final = "%/:@!$&'()*+,;=~-._?"  # characters of a path or query that stay as they are


@dataclass(frozen=True, kw_only=True)
class SourceUri:
    """An address: `host` is the bucket's name where there is one, `path` then the object's key."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def target(self) -> str:
        """What is asked of an HTTPS server."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def authority(self) -> str:
        """Host and port, as they stand in an address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in (0, HTTPS_PORT) else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """What may be shown and logged: the query may hold a signature."""
        slash = "" if self.path.startswith("/") else "/"
        text = f"{self.scheme}://{self.authority}{slash}{self.path}"
        return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"

    def followed(self, location: str) -> "SourceUri":
        """Where a redirect from here leads. Raises UriMalformed, for anything but https too."""
        base = f"{self.scheme}://{self.authority}{self.target}"
        try:
            joined = urljoin(base, location)
        except ValueError as error:
            raise UriMalformed(
                self.shown, f"{self.shown} redirects to what is no address."
            ) from error
        found = parse_uri(joined)
        if found.scheme != HTTPS:
            message = f"{self.shown} redirects to {found.scheme}://, which is not followed."
            raise UriMalformed(self.shown, message)
        return found


def parse_uri(text: str) -> SourceUri:
    """The parts of an address. Raises UriMalformed, whose message holds nothing that may be secret."""
    if len(text.encode("utf-8", "replace")) > LONGEST_URI_BYTES:
        raise UriMalformed("", f"The URI has more than {LONGEST_URI_BYTES:,} bytes.")
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in SCHEMES:
        known = ", ".join(f"{known}://" for known in SCHEMES)
        raise UriMalformed("", f"The URI has to begin with one of {known}.")
    return _https(rest) if scheme == HTTPS else _bucket(scheme, rest)


def parse_prefix(text: str) -> SourceUri:
    """The place of all objects below `s3://bucket/prefix/`, its key ending in a slash or empty. Raises UriMalformed."""
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in BUCKETS:
        known = ", ".join(f"{known}://" for known in BUCKETS)
        raise UriMalformed("", f"What can be listed are folders, and buckets: {known}.")
    bucket, _, prefix = rest.partition("/")
    key = prefix.strip("/")
    if not key:
        return replace(_bucket(scheme, f"{bucket}/any"), path="")
    found = _bucket(scheme, f"{bucket}/{key}")
    return replace(found, path=f"{found.path}/")


def _https(rest: str) -> SourceUri:
    # A blank in a path is people's spelling, anywhere else a trick.
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if _FORBIDDEN.search(rest.replace(" ", "")) or " " in authority:
        raise UriMalformed("", "The URI holds a control character, a blank or a backslash.")
    if "@" in authority:
        raise UriMalformed(
            "",
            "The URI holds a user's name or password, which is not taken. Use a signed URL instead.",
        )
    try:
        parts = urlsplit(f"https://{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UriMalformed("", "The URI's host or port is malformed.") from error
    if port == 0:
        raise UriMalformed("", "The URI's port is malformed.")
    return SourceUri(
        scheme=HTTPS,
        host=_host(host),
        port=port or HTTPS_PORT,
        path=quote(parts.path or "/", safe=_ASIDE),
        query=quote(parts.query, safe=_ASIDE),
    )


def _host(host: str) -> str:
    """The host as it is resolved: in ASCII, in lower case."""
    if ":" in host:
        if _ADDRESS_6.fullmatch(host):
            return host
        raise UriMalformed("", "The URI's host is malformed.")
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise UriMalformed("", "The URI's host is malformed.") from error
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise UriMalformed("", "The URI's host is malformed." if host else "The URI has no host.")
    return name.lower().rstrip(".")


def _bucket(scheme: str, rest: str) -> SourceUri:
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise UriMalformed("", f"The URI names no bucket: write {scheme}://BUCKET/KEY.")
    if re.search(r"[\x00-\x1f\x7f]", key):
        raise UriMalformed("", "The URI's key holds a control character.")
    if not key or any(part in ("", ".", "..") for part in key.split("/")):
        raise UriMalformed(
            "",
            f"The URI names no object: write {scheme}://{bucket}/KEY, whose parts are not empty.",
        )
    return SourceUri(scheme=scheme, host=bucket, port=0, path=key)
