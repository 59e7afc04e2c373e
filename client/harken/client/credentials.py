"""What a client shows of itself, and how it knows its server: the key, TLS, certificates.

A key is sent over TLS, or within this machine; in the clear to another machine only where that was asked for. It stands
in no error, no repr and no command line.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc

from harken.client.channel import is_local
from harken.client.errors import InvalidRequest

KEY_VARIABLE = "HARKEN_KEY"
KEY_FILE_VARIABLE = "HARKEN_KEY_FILE"
CA_VARIABLE = "HARKEN_CA"
CERT_VARIABLE = "HARKEN_CERT"
INSECURE_VARIABLE = "HARKEN_INSECURE"

PUBLIC = "public"
"""In place of a file: the authorities that gRPC brings, as browsers have them."""

StrPath = str | os.PathLike[str]
Metadata = tuple[tuple[str, str], ...]


def key_from(key: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The key to show: the one given, else HARKEN_KEY, else what is in HARKEN_KEY_FILE; None is none."""
    text = key or environment.get(KEY_VARIABLE)
    if not text and (file := environment.get(KEY_FILE_VARIABLE)):
        text = _read(file, KEY_FILE_VARIABLE).decode("ascii", "replace")
    if not text or not (text := text.strip()):
        return None
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidRequest(
            "The key is not one line of ASCII without spaces, as `harken keys create` made it.",
            reason="MALFORMED_KEY",
        )
    return text


def transport_from(
    ca: StrPath | None, cert: StrPath | None, environment: Mapping[str, str] = os.environ
) -> grpc.ChannelCredentials | None:
    """TLS by what is given, else by HARKEN_CA and HARKEN_CERT; None is that neither names anything.

    `cert` is a PEM file with this client's certificate, its chain and its key.
    """
    authority = ca or environment.get(CA_VARIABLE)
    own = cert or environment.get(CERT_VARIABLE)
    if not authority and not own:
        return None
    roots = None
    if authority and authority != PUBLIC:
        roots = _read(authority, CA_VARIABLE)
    chain = _read(own, CERT_VARIABLE) if own else None
    return grpc.ssl_channel_credentials(roots, chain, chain)


def security(
    target: str,
    *,
    key: str | None,
    ca: StrPath | None,
    cert: StrPath | None,
    insecure: bool,
    credentials: grpc.ChannelCredentials | None,
    own_channel: bool,
) -> tuple[grpc.ChannelCredentials | None, Metadata]:
    """TLS or none, and what goes with each call, of the arguments of a client."""
    if not own_channel:  # whoever made it knows how secure it is
        return None, metadata_for(target, key, is_secure=True)
    credentials = credentials or transport_from(ca, cert)
    shown = key_from(key)
    is_secure = credentials is not None
    return credentials, metadata_for(target, shown, is_secure=is_secure, insecure=insecure)


def metadata_for(
    target: str,
    key: str | None,
    *,
    is_secure: bool,
    insecure: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Metadata:
    """What goes with each call. Raises InvalidRequest for a key that others could read on its way."""
    if key is None:
        return ()
    allowed = insecure or environment.get(INSECURE_VARIABLE, "").lower() in ("1", "true", "yes")
    if not is_secure and not allowed and not is_local(target):
        raise InvalidRequest(
            f"The key was not sent: {target} is another machine, and the connection is not encrypted."
            " Name its authority with ca= (HARKEN_CA, --ca), a PEM file, or `public`;"
            " insecure=True (HARKEN_INSECURE=1) sends it all the same.",
            reason="KEY_OVER_PLAINTEXT",
        )
    return (("authorization", f"Bearer {key}"),)


class WithMetadata:
    """A channel of gRPC, blocking or asyncio, whose calls carry some metadata too."""

    def __init__(self, channel: Any, metadata: Metadata) -> None:
        self._channel = channel
        self._metadata = metadata

    def unary_unary(self, *arguments: Any, **options: Any) -> Callable[..., Any]:
        """As the channel's own; so are the others."""
        return self._with_metadata(self._channel.unary_unary(*arguments, **options))

    def unary_stream(self, *arguments: Any, **options: Any) -> Callable[..., Any]:
        """One request, a stream of answers."""
        return self._with_metadata(self._channel.unary_stream(*arguments, **options))

    def stream_unary(self, *arguments: Any, **options: Any) -> Callable[..., Any]:
        """A stream of requests, one answer."""
        return self._with_metadata(self._channel.stream_unary(*arguments, **options))

    def stream_stream(self, *arguments: Any, **options: Any) -> Callable[..., Any]:
        """Streams both ways."""
        return self._with_metadata(self._channel.stream_stream(*arguments, **options))

    def _with_metadata(self, method: Callable[..., Any]) -> Callable[..., Any]:
        mine = self._metadata

        def call(*arguments: Any, metadata: Any = None, **options: Any) -> Any:
            return method(*arguments, metadata=(*mine, *(metadata or ())), **options)

        return call


def _read(file: StrPath, variable: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidRequest(
            f"{variable}: {os.fspath(file)!r} cannot be read: {error.strerror}.",
            reason="UNREADABLE_FILE",
        ) from error
