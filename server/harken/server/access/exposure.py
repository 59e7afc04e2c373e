"""Whether an address may be listened on: beyond this machine only with TLS and authentication, unless told so."""

import ipaddress
import logging
import socket

from harken.settings import Settings

LOG = logging.getLogger(__name__)


class TooOpen(Exception):
    """Others could listen in or call as they like."""

    def __init__(self, address: str, missing: str) -> None:
        super().__init__(
            f"{address} can be reached from other machines, and {missing}. Set HARKEN_TLS_CERT, HARKEN_TLS_KEY and"
            " HARKEN_AUTHENTICATION=keys, listen on 127.0.0.1, or say --insecure (HARKEN_INSECURE=1) where something"
            " in front encrypts and asks who calls."
        )


def check(settings: Settings) -> None:
    """Raises TooOpen when calls from elsewhere would not be secret or not be somebody's, unless that was said."""
    missing = [
        what
        for what, is_there in (
            ("calls are not encrypted", bool(settings.tls_cert)),
            ("nobody is asked who they are", bool(settings.ways_in)),
        )
        if not is_there
    ]
    if not missing or is_local(settings.listen):
        return
    if not settings.insecure:
        raise TooOpen(settings.listen, " and ".join(missing))
    LOG.warning("%s can be reached from other machines: %s", settings.listen, " and ".join(missing))


def is_local(address: str) -> bool:
    """Whether only this machine can reach an address, HOST:PORT or unix:PATH."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if not host:
        return False  # all addresses there are
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    places = {str(place[0]).partition("%")[0] for *_, place in found}
    return all(ipaddress.ip_address(place).is_loopback for place in places)
