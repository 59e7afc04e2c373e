"""Addresses that a source may be fetched from: those of the public internet, and what the operator allows besides.

The table is that of IANA's special-purpose registries, with what carries an IPv4 address within judged by that.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # public by its number, yet Azure's own service for the machines in it
        # Of IPv6, what is left of the only range that is given out.
        *("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
    )
)
_GIVEN_OUT: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # the public prefix; private ones are not given out


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, with that of IPv4 which it may carry."""
    inner = _carried(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def is_allowed(address: Address, private: Iterable[Network]) -> bool:
    """Whether a source may be fetched from an address, `private` being what is allowed besides the public ones."""
    inner = _carried(address)
    return is_public(address) or any(
        found in network for found in (address, inner) if found is not None for network in private
    )


def networks_of(text: str) -> tuple[Network, ...]:
    """Networks, as in "10.0.0.0/8,fd00::/8"; raises ValueError."""
    return tuple(ip_network(part) for part in filter(None, map(str.strip, text.split(","))))


def address_of(text: str) -> Address:
    """The address of a text as resolvers give it, perhaps with a zone, which counts as private; raises ValueError."""
    return ip_address(text.partition("%")[0])


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that a packet to one of IPv6 ends at: mapped, translated or tunnelled."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
