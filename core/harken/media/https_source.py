"""A source at an HTTPS address: asked for at addresses that were looked at before, and there alone.

A host is resolved once for each hop. All its addresses have to be allowed, and the connection goes to one of those, so
that an answer of the DNS which changes in between changes nothing. The certificate is checked against the host's name.
Neither proxies nor cookies nor credentials of any kind are used.
"""

import os
import socket
import ssl
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Final

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from harken.media.addresses import Address, address_of
from harken.media.roots import SourceNotFound
from harken.media.source_errors import (
    SourceForbidden,
    SourceRefused,
    SourceUnreachable,
    SourceUntrusted,
)
from harken.media.source_rules import SourceRules
from harken.media.stream import Cut, Stream
from harken.media.uri import SourceUri

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, for a port, as texts; raises OSError."""

MOST_REDIRECTS: Final = 5  # published
CONNECT_S: Final = 10.0
IDLE_S: Final = 30.0  # published: an answer that pauses for longer has broken off
BLOCK_BYTES: Final = 256 * 1024
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_TRY_AGAIN: Final = (408, 425, 429, 500, 502, 503, 504)
# The file as it is: what was packed for the way would have to be unpacked within limits of its own.
_HEADERS: Final = {"User-Agent": "harken", "Accept": "*/*", "Accept-Encoding": "identity"}


def system_addresses(host: str, port: int) -> list[str]:
    """What the system's resolver says. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class HttpsSources:
    """Opens HTTPS addresses within rules."""

    def __init__(
        self,
        rules: SourceRules,
        *,
        resolve: Resolve = system_addresses,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._rules = rules
        self._resolve = resolve
        self._context = context or ssl.create_default_context()

    @contextmanager
    def open(self, uri: SourceUri, cut: Cut) -> Generator[Stream]:
        """The answer to a GET, behind at most five redirects. Raises SourceError and SourceUnreachable."""
        for _ in range(MOST_REDIRECTS + 1):
            self._rules.check(uri)
            with (
                closing(self._connected(uri, cut)) as connection,
                closing(_answer(connection, uri)) as response,
            ):
                location = response.headers.get("Location", "")
                if response.status not in _REDIRECTS or not location:
                    _check(response, uri)
                    yield Stream(size=_size(response, uri), blocks=_blocks(response, uri))
                    return
            uri = uri.followed(location)
        raise SourceRefused(
            uri.shown, f"{uri.shown} is behind more than {MOST_REDIRECTS} redirects."
        )

    def _connected(self, uri: SourceUri, cut: Cut) -> HTTPSConnection:
        """A connection to the first address of the host that can be had, all of them having been looked at."""
        failure: Exception | None = None
        for address in self._addresses(uri):
            connection = _PinnedConnection(uri, address, self._context, cut)
            try:
                connection.connect()
            except (HTTPError, OSError) as error:
                connection.close()
                if why := _distrust(error):
                    message = f"{uri.authority} cannot prove who it is: {why}."
                    raise SourceUntrusted(uri.shown, message) from error
                failure = error
            else:
                return connection
        raise SourceUnreachable(f"{uri.authority} cannot be reached") from failure

    def _addresses(self, uri: SourceUri) -> list[Address]:
        try:
            texts = self._resolve(uri.host, uri.port)
        except socket.gaierror as error:
            if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)):
                raise SourceNotFound(uri.shown, f"There is no host {uri.host}.") from error
            raise SourceUnreachable(f"{uri.host} cannot be resolved") from error
        except (OSError, UnicodeError) as error:
            raise SourceUnreachable(f"{uri.host} cannot be resolved") from error
        addresses = [address_of(text) for text in texts]
        for address in addresses:
            self._rules.check_address(uri, address)
        return addresses


class _PinnedConnection(HTTPSConnection):
    """A connection for a host's name to an address that is not asked for again."""

    def __init__(self, uri: SourceUri, address: Address, context: ssl.SSLContext, cut: Cut) -> None:
        super().__init__(
            uri.host,
            uri.port,
            timeout=CONNECT_S,
            ssl_context=context,
            server_hostname=uri.host,
        )
        self._address = str(address)
        self._cut = cut
        self._line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        if self._cut.wanted:
            raise NewConnectionError(self, "cut")
        try:
            opened = socket.create_connection((self._address, self.port), CONNECT_S)
        except OSError as error:
            raise NewConnectionError(self, type(error).__name__) from error
        # Another thread can shut this one down, whatever this thread has in hand of TLS.
        self._line = socket.socket(fileno=os.dup(opened.fileno()))
        self._cut.take(self._shut)
        if self._cut.wanted:
            # Python's ssl leaves a socket open on which the line ended before it begins.
            opened.close()
            raise NewConnectionError(self, "cut")
        return opened

    def _shut(self) -> None:
        """Ends the connection from another thread: what waits for it is told so."""
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the connection."""
        super().close()
        if self._line is not None:
            self._line.close()


def _answer(connection: HTTPSConnection, uri: SourceUri) -> BaseHTTPResponse:
    headers = {**_HEADERS, "Host": uri.authority}
    try:
        connection.timeout = IDLE_S
        if connection.sock is not None:
            connection.sock.settimeout(IDLE_S)
        connection.request("GET", uri.target, headers=headers, preload_content=False)
        return connection.getresponse()
    except (HTTPError, OSError, ValueError) as error:
        raise _broken_off(uri, error) from error


def _check(response: BaseHTTPResponse, uri: SourceUri) -> None:
    """Raises what an answer means that does not bring the file as it is."""
    status = response.status
    if status in (404, 410):
        raise SourceNotFound(uri.shown, f"{uri.shown} does not exist ({status}).")
    if status in (401, 403, 407):
        message = f"{uri.shown} is not given away ({status}). A signed URL may have expired."
        raise SourceForbidden(uri.shown, message)
    if status in _TRY_AGAIN:
        raise SourceUnreachable(f"{uri.authority} answers {status}")
    if status != 200:
        raise SourceRefused(uri.shown, f"{uri.shown} is answered with {status}, not with a file.")
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        message = f"{uri.shown} comes packed ({coding[:20]}) though it was asked for as it is."
        raise SourceRefused(uri.shown, message)


def _size(response: BaseHTTPResponse, uri: SourceUri) -> int | None:
    """The announced size; None for an answer in chunks, or up to the connection's end."""
    text = response.headers.get("Content-Length", "").strip()
    if "chunked" in response.headers.get("Transfer-Encoding", "").lower() or not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise SourceRefused(uri.shown, f"{uri.shown} is answered with a malformed length.")
    return int(text)


def _blocks(response: BaseHTTPResponse, uri: SourceUri) -> Iterator[bytes]:
    try:
        # Not `stream`, which reads the line before a chunk however long it is; nor `read`: it waits for whole blocks.
        while block := response.read1(BLOCK_BYTES, decode_content=False):
            yield block
    except (HTTPError, OSError, ValueError) as error:
        raise _broken_off(uri, error) from error


def _broken_off(uri: SourceUri, error: Exception) -> SourceUnreachable:
    # Its name alone: texts of errors hold the whole address.
    return SourceUnreachable(f"the connection to {uri.authority} broke off: {type(error).__name__}")


def _distrust(error: Exception) -> str:
    """What an error of TLS says about whom one is talking to; nothing where it is of the line."""
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return ""
        case ssl.SSLError():
            return "the connection cannot be encrypted"
        case _:
            return ""
