"""TLS: certificates that are rotated while calls go on, callers' own certificates, and what is not listened on."""

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trustme

from harken.client import AsyncClient, ServerUnavailable
from harken.client.reconnect import Reconnect
from harken.server.access import exposure
from harken.server.access.certificates import CannotSecure, Certificates
from harken.server.access.exposure import TooOpen
from harken.server.serve import running_server
from harken.settings import Settings, SettingsError
from tests.server.guarded import make_key


@dataclass(frozen=True)
class Files:
    """The files of a server and of its callers, by authority."""

    folder: Path

    @property
    def cert(self) -> Path:
        """The server's certificate."""
        return self.folder / "cert.pem"

    @property
    def key(self) -> Path:
        """The key of it."""
        return self.folder / "key.pem"

    def issue(self) -> Path:
        """Writes a certificate of a new authority over the server's; gives the authority's file."""
        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        for path, content in (
            (self.key, issued.private_key_pem.bytes()),
            (self.cert, b"".join(blob.bytes() for blob in issued.cert_chain_pems)),
        ):
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            os.replace(fresh, path)
        number = len(list(self.folder.glob("ca-*.pem")))
        file = self.folder / f"ca-{number}.pem"
        authority.cert_pem.write_to_path(file)
        return file


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A folder for certificates."""
    folder = tmp_path / "tls"
    folder.mkdir()
    return Files(folder)


def secured(settings: Settings, files: Files, **fields: object) -> Settings:
    """The settings with TLS and keys, on a port of this machine."""
    return replace(
        settings,
        listen="localhost:0",
        tls_cert=str(files.cert),
        tls_key=str(files.key),
        authentication="keys",
        **fields,
    )


@pytest.fixture
async def address(settings: Settings, files: Files) -> AsyncIterator[str]:
    """A server of the first authority."""
    files.issue()
    async with running_server(secured(settings, files)) as address:
        yield address


async def lists(address: str, key: str, **fields: object) -> bool:
    """Whether a client on a connection of its own gets an answer."""
    options = {"reconnect": Reconnect(give_up_after=0), "timeout": 3.0, **fields}
    async with AsyncClient(address, key=key, **options) as client:
        try:
            _ = [job async for job in client.list_jobs()]
        except ServerUnavailable:
            return False
        return True


async def test_a_client_knows_its_server_by_the_authority(
    address: str, settings: Settings, files: Files
) -> None:
    key = make_key(settings, "ann")
    strange = trustme.CA()
    strange.cert_pem.write_to_path(files.folder / "strange.pem")

    assert await lists(address, key, ca=files.folder / "ca-0.pem")
    assert not await lists(address, key, ca=files.folder / "strange.pem")
    assert not await lists(address, key)  # in the clear


async def test_a_rotated_certificate_is_taken_by_new_connections_and_old_ones_go_on(
    address: str, settings: Settings, files: Files
) -> None:
    key, first = make_key(settings, "ann"), files.folder / "ca-0.pem"
    async with AsyncClient(address, key=key, ca=first) as old:
        assert [job async for job in old.list_jobs()] == []

        second = files.issue()

        assert await lists(address, key, ca=second)
        assert not await lists(address, key, ca=first)
        assert [job async for job in old.list_jobs()] == []
        third = files.issue()
        assert await lists(address, key, ca=third)


async def test_half_a_rotation_changes_nothing(
    address: str, settings: Settings, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    key, first = make_key(settings, "ann"), files.folder / "ca-0.pem"
    kept = files.key.read_bytes()
    second = files.issue()
    fitting = files.key.read_bytes()
    files.key.write_bytes(kept)  # the certificate is new, its key is not there yet
    with caplog.at_level(logging.WARNING):
        assert await lists(address, key, ca=first)
    assert "the last one stays" in caplog.text

    files.key.write_bytes(fitting)

    assert await lists(address, key, ca=second)


async def test_a_server_of_callers_with_certificates_takes_those_of_its_authority_alone(
    settings: Settings, files: Files
) -> None:
    ca = files.issue()
    ours, others = trustme.CA(), trustme.CA()
    client_ca = files.folder / "clients.pem"
    ours.cert_pem.write_to_path(client_ca)
    own: dict[str, Path] = {}
    for name, authority in (("ours", ours), ("others", others)):
        own[name] = files.folder / f"{name}.pem"
        issued = authority.issue_cert("client@example.org")
        own[name].write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    key = make_key(settings, "ann")
    guarded = secured(settings, files, tls_client_ca=str(client_ca))
    async with running_server(guarded) as address:
        assert await lists(address, key, ca=ca, cert=own["ours"])
        assert not await lists(address, key, ca=ca, cert=own["others"])
        assert not await lists(address, key, ca=ca)


async def test_old_versions_of_tls_are_not_spoken(address: str) -> None:
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        await asyncio.open_connection(host, int(port), ssl=context)


@pytest.mark.parametrize("content", [None, b"nonsense"])
def test_a_certificate_that_is_none_is_refused_at_the_start(
    files: Files, content: bytes | None
) -> None:
    files.issue()
    files.cert.unlink() if content is None else files.cert.write_bytes(content)
    with pytest.raises(CannotSecure, match=r"TLS is not to be had with .*cert\.pem"):
        Certificates(Settings(tls_cert=str(files.cert), tls_key=str(files.key)))


def test_a_certificate_without_a_key_is_no_setting() -> None:
    with pytest.raises(SettingsError, match="both HARKEN_TLS_CERT and HARKEN_TLS_KEY"):
        Settings(tls_cert="cert.pem")


OPEN = ["0.0.0.0:1", "[::]:1", ":1", "192.0.2.1:1", "no-such-host.invalid:1"]
TLS = {"tls_cert": "c", "tls_key": "k"}


@pytest.mark.parametrize("listen", OPEN)
@pytest.mark.parametrize("given", [{}, TLS, {"authentication": "keys"}], ids=str)
def test_what_others_can_reach_needs_both_tls_and_authentication(
    listen: str, given: dict[str, str]
) -> None:
    with pytest.raises(TooOpen, match="HARKEN_INSECURE=1"):
        exposure.check(Settings(listen=listen, **given))
    exposure.check(Settings(listen=listen, **{**given, "insecure": True}))
    exposure.check(Settings(listen=listen, **TLS, authentication="keys"))


@pytest.mark.parametrize(
    "listen", ["127.0.0.1:1", "127.1.2.3:1", "localhost:1", "[::1]:1", "unix:/tmp/s"]
)
def test_this_machine_alone_may_call_without_either(listen: str) -> None:
    exposure.check(Settings(listen=listen))
