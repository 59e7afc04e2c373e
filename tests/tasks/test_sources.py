"""The source of a job, opened by its kind."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from harken.jobs.job import ErrorKind, Job, Source
from harken.media import SourceError, SourceOutside
from harken.media.source_errors import SourceUnreachable
from harken.settings import Settings
from harken.tasks.failure import describe
from harken.tasks.sources import open_source, shown
from tests.media.https_server import Served, file_of, https_server, status

SECRET = "signature=0123456789abcdef"
DATA = bytes(range(256)) * 4_000


@pytest.fixture
def server():
    """An HTTPS server on this machine."""
    with https_server() as served:
        served.answers["/some music/a.wav"] = file_of(DATA)
        served.answers["/some%20music/a.wav"] = file_of(DATA)
        yield served


@pytest.fixture
def settings(server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings under which the server may be asked, by who trusts its CA."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.write_ca(tmp_path)))
    return Settings(
        media_roots=(str(tmp_path),),
        sources=f"https://localhost:{server.port}",
        allow_private_sources="127.0.0.0/8,::1/128",
        max_fetch_mb=2,
        fetch_timeout_s=20,
    )


def address(server: Served, path: str = "/some music/a.wav") -> Source:
    return Source(kind="uri", value=server.url(f"{path}?{SECRET}", "localhost"))


def job(source: Source) -> Job:
    """A job of which nothing but the source is known."""
    return Job(**{**dict.fromkeys(field.name for field in fields(Job)), "source": source})


def test_a_path_is_opened_below_the_media_roots(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    opened = open_source(settings, job(Source(kind="path", value="a.wav")), lambda *_: None)
    with opened.file as file:
        assert (opened.name, file.read()) == ("a.wav", b"sound")


def test_a_path_that_became_a_link_since_it_was_submitted_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "a.wav").symlink_to("/etc/passwd")
    with pytest.raises(SourceOutside):
        open_source(settings, job(Source(kind="path", value="a.wav")), lambda *_: None)


def test_an_address_is_fetched_and_the_share_that_is_here_is_told(
    settings: Settings, server: Served
) -> None:
    told: list[tuple[float, str]] = []
    opened = open_source(settings, job(address(server)), lambda *tick: told.append(tick))
    with opened.file as file:
        assert file.read() == DATA
    assert opened.name == "a.wav"  # by its extension FFmpeg guesses
    assert told[0] == (0.0, "0.0 MB")
    assert told[-1] == (1.0, "1.0 of 1.0 MB")


def test_what_is_logged_of_an_address_holds_no_signature(server: Served) -> None:
    assert shown(address(server)) == server.url("/some%20music/a.wav", "localhost")
    assert shown(Source(kind="path", value="a?b.wav")) == "a?b.wav"


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (status(404), ErrorKind.INPUT, "SOURCE_NOT_FOUND"),
        (status(403), ErrorKind.INPUT, "SOURCE_FORBIDDEN"),
        (status(503), ErrorKind.TRANSIENT, "SOURCE_UNREACHABLE"),
        (file_of(b"", announced=2_000_001), ErrorKind.INPUT, "SOURCE_TOO_LARGE"),
        (file_of(DATA, announced=len(DATA) + 1), ErrorKind.TRANSIENT, "SOURCE_UNREACHABLE"),
        (status(302, Location="http://localhost/"), ErrorKind.INPUT, "MALFORMED_URI"),
        (status(302, Location="https://10.0.0.1/"), ErrorKind.INPUT, "SOURCE_NOT_ALLOWED"),
    ],
)
def test_what_becomes_of_a_job_says_whose_fault_it_is_and_no_secret(
    settings: Settings, server: Served, answer, kind: ErrorKind, reason: str
) -> None:
    server.answers["/no"] = answer
    with pytest.raises((SourceError, SourceUnreachable)) as caught:
        open_source(settings, job(address(server, "/no")), lambda *_: None)
    error = describe(caught.value, 1)
    assert (error.kind, error.reason) == (kind, reason)
    assert SECRET not in error.message
    assert "Fetching failed" in error.message or error.kind is ErrorKind.INPUT


def test_without_the_operators_word_nothing_of_this_machine_is_fetched(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.write_ca(tmp_path)))
    for allowed in (f"https://localhost:{server.port}", "https"):
        with pytest.raises(SourceError) as caught:
            open_source(Settings(sources=allowed), job(address(server)), lambda *_: None)
        assert caught.value.reason == "SOURCE_NOT_ALLOWED"
    assert server.connections == 0


def test_nothing_is_left_open_when_a_job_is_cancelled_meanwhile(
    settings: Settings, server: Served
) -> None:
    class Cancelled(Exception):
        pass

    def stop(*_: object) -> None:
        raise Cancelled

    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Cancelled):
        open_source(settings, job(address(server)), stop)
    assert len(os.listdir("/proc/self/fd")) == before
