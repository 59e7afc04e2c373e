"""The server's certificate, read anew when its files have changed: each new connection gets what is there then."""

import logging
import os
import ssl
from pathlib import Path

import grpc

from harken.settings import Settings

LOG = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]


class CannotSecure(Exception):
    """The certificate or its key cannot be used."""


class Certificates:
    """The certificate with its key, and the authority that callers' own certificates have to be of.

    Raises CannotSecure.
    """

    def __init__(self, settings: Settings) -> None:
        self._cert = Path(settings.tls_cert)
        self._key = Path(settings.tls_key)
        self._client_ca = Path(settings.tls_client_ca) if settings.tls_client_ca else None
        self._stamp: Stamp | None = None
        self._first = self._read()
        self._stamp = self._look()

    def credentials(self) -> grpc.ServerCredentials:
        """What a port is opened with; gRPC asks for the certificate again at each handshake."""
        return grpc.dynamic_ssl_server_credentials(
            self._first,
            self.newer,  # pyright: ignore[reportArgumentType] # None is that nothing has changed
            require_client_authentication=self._client_ca is not None,
        )

    def newer(self) -> grpc.ServerCertificateConfiguration | None:
        """The certificate when its files have changed and fit together; None is that the last one stays."""
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return None
            read = self._read()
        except (CannotSecure, OSError) as error:
            # Half of it may have been written: the next connection looks again.
            LOG.warning("the new certificate cannot be used yet, the last one stays: %s", error)
            return None
        self._stamp = stamp
        LOG.info("the certificate has changed: new connections get the new one")
        return read

    def _files(self) -> tuple[Path, ...]:
        return (self._cert, self._key, *([self._client_ca] if self._client_ca else []))

    def _look(self) -> Stamp:
        found = [os.stat(file) for file in self._files()]
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)

    def _read(self) -> grpc.ServerCertificateConfiguration:
        try:
            # gRPC would take a key that does not fit, and fail each handshake. Nobody is asked for a password.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self._cert, self._key, password=""
            )
            authority = self._client_ca.read_bytes() if self._client_ca else None
            if authority is not None:
                ssl.create_default_context(cadata=authority.decode())
            pair = (self._key.read_bytes(), self._cert.read_bytes())
        except (OSError, ValueError) as error:
            names = ", ".join(map(str, self._files()))
            raise CannotSecure(f"TLS is not to be had with {names}: {error}") from error
        return grpc.ssl_server_certificate_configuration([pair], authority)
