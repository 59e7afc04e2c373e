"""Which addresses are fetched: the operator's word, said once for the server, which checks, and the workers."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from harken.media.addresses import Address, Network, address_of, is_allowed, networks_of
from harken.media.source_errors import UriNotAllowed
from harken.media.uri import BUCKETS, HTTPS, HTTPS_PORT, SCHEMES, SourceUri


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """One entry: a scheme, one host or bucket of it, the keys below a prefix."""

    scheme: str
    host: str
    port: int
    prefix: str

    def allows(self, uri: SourceUri) -> bool:
        """Whether it lets an address pass."""
        if uri.scheme != self.scheme:
            return False
        if not self.host:
            return uri.port == HTTPS_PORT
        return (uri.host, uri.port) == (self.host, self.port) and uri.path.startswith(self.prefix)


@dataclass(frozen=True, kw_only=True)
class SourceRules:
    """What may be fetched, and from which addresses besides the public ones."""

    rules: tuple[_Rule, ...]
    private: tuple[Network, ...]
    withheld: tuple[_Rule, ...] = ()

    @classmethod
    def of(cls, sources: Iterable[str], private: str = "", storage_url: str = "") -> Self:
        """The rules of entries such as "https", "https://host:8443" and "s3://bucket/prefix".

        `storage_url` is where harken keeps what it was given: other owners' things, which are no sources. Raises
        ValueError.
        """
        in_bucket = storage_url.startswith(tuple(f"{scheme}://" for scheme in BUCKETS))
        return cls(
            rules=tuple(_rule(entry) for entry in sources),
            private=networks_of(private),
            withheld=(_rule(storage_url),) if in_bucket else (),
        )

    def check(self, uri: SourceUri) -> None:
        """Raises UriNotAllowed for an address that is not to be fetched, as far as it shows without asking for it."""
        place = f"{uri.scheme}://{uri.authority}"
        kept = any(rule.allows(uri) for rule in self.withheld)
        if kept or not any(rule.allows(uri) for rule in self.rules):
            raise UriNotAllowed(
                uri.shown,
                f"{place} is not among the sources of this server. Its operator says which are, by HARKEN_SOURCES.",
            )
        if uri.scheme == HTTPS:
            with suppress(ValueError):
                self.check_address(uri, address_of(uri.host))

    def check_address(self, uri: SourceUri, address: Address) -> None:
        """Raises UriNotAllowed when an address that the host has is none to fetch from."""
        if not is_allowed(address, self.private):
            raise UriNotAllowed(
                uri.shown,
                f"{uri.authority} is at an address that is not public, from which nothing is fetched."
                " The operator may allow its network, by HARKEN_ALLOW_PRIVATE_SOURCES.",
            )


def _rule(entry: str) -> _Rule:
    scheme, separator, rest = entry.partition("://")
    scheme = scheme.lower()
    if scheme not in SCHEMES:
        raise ValueError(f"{entry!r} is none of {', '.join(SCHEMES)}")
    host, _, prefix = rest.partition("/")
    if scheme == HTTPS:
        if prefix:
            raise ValueError(f"{entry!r} names a path: name the host alone")
        name, colon, port = host.rpartition(":")
        if colon and port.isdigit() and not host.endswith("]"):
            return _Rule(scheme=scheme, host=name.strip("[]").lower(), port=int(port), prefix="")
        if separator and not host:
            raise ValueError(f"{entry!r} names no host")
        return _Rule(scheme=scheme, host=host.strip("[]").lower(), port=HTTPS_PORT, prefix="")
    if not host:
        raise ValueError(
            f"{entry!r} names no bucket: write {scheme}://BUCKET or {scheme}://BUCKET/PREFIX"
        )
    prefix = prefix.rstrip("/")
    return _Rule(scheme=scheme, host=host, port=0, prefix=f"{prefix}/" if prefix else "")
