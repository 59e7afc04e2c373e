"""Files at HTTPS addresses, from a real server on this machine; names are resolved by the tests."""

import hashlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from harken.media import SourceError, SourceNotFound
from harken.media.fetch import FetchLimits, Sources
from harken.media.https_source import MOST_REDIRECTS, HttpsSources
from harken.media.source_errors import SourceUnreachable
from harken.media.source_rules import SourceRules
from tests.conftest import eventually
from tests.media.https_server import Served, file_of, https_server, status

LIMITS = FetchLimits(largest_bytes=5_000_000, longest_s=20)
SECRET = "signature=0123456789abcdef"
DATA = bytes(range(256)) * 4_000  # more than one block


@pytest.fixture
def server() -> Iterator[Served]:
    """The server."""
    with https_server() as served:
        served.answers["/a.wav"] = file_of(DATA)
        yield served


class Resolver:
    """Says where hosts are, a new answer each time where it has several, and counts how often it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers) or [["127.0.0.1"]]
        self.asked = 0

    def __call__(self, *_: object) -> list[str]:
        """The next answer."""
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def sources(
    server: Served,
    *,
    resolve=None,
    allow: str = "127.0.0.0/8",
    also: tuple[str, ...] = (),
    context: ssl.SSLContext | None = None,
) -> Sources:
    """What fetches from the test's server: its port and this machine are allowed."""
    hosts = [f"https://{host}:{server.port}" for host in ("media.test", "other.test", "127.0.0.1")]
    rules = SourceRules.of([*hosts, *also], allow)
    https = HttpsSources(rules, resolve=resolve or Resolver(), context=context or server.trust())
    return Sources(rules, https=https)


def fetch(
    found: Sources, url: str, limits: FetchLimits = LIMITS, on_bytes=lambda *_: None
) -> bytes:
    fetched = found.fetch(url, limits, on_bytes)
    with fetched.file as file:
        data = file.read()
    assert hashlib.sha256(data).hexdigest() == fetched.sha256
    return data


def refusal(found: Sources, url: str, limits: FetchLimits = LIMITS) -> SourceError:
    with pytest.raises(SourceError) as caught:
        fetch(found, url, limits)
    assert SECRET not in str(caught.value) + caught.value.path
    return caught.value


def test_a_file_is_fetched_under_its_hosts_name(server: Served) -> None:
    assert fetch(sources(server), server.url("/a.wav?x=1")) == DATA
    ((host, path, headers),) = server.asked
    assert (host, path) == (f"media.test:{server.port}", "/a.wav?x=1")
    assert headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in headers
    assert "Cookie" not in headers


def test_a_name_with_blanks_and_umlauts_is_asked_for_in_percents(server: Served) -> None:
    server.answers["/%C3%BC%20b.wav"] = file_of(b"sound")
    assert fetch(sources(server), server.url("/ü b.wav")) == b"sound"
    assert fetch(sources(server), server.url("/%C3%BC%20b.wav")) == b"sound"


def test_it_is_told_how_many_bytes_are_here_of_how_many(server: Served) -> None:
    gate = threading.Event()

    def slowly(request) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(DATA)))
        request.end_headers()
        request.wfile.write(DATA[: len(DATA) // 2])
        request.wfile.flush()
        gate.wait(20)
        request.wfile.write(DATA[len(DATA) // 2 :])

    server.answers["/slow"] = slowly
    told: list[tuple[int, int | None]] = []

    def on_bytes(here: int, size: int | None) -> None:
        told.append((here, size))
        if here:
            gate.set()

    assert fetch(sources(server), server.url("/slow"), on_bytes=on_bytes) == DATA
    assert told[0] == (0, None)
    assert told[-1] == (len(DATA), len(DATA))
    assert any(0 < here < len(DATA) and size == len(DATA) for here, size in told)
    assert [here for here, _ in told] == sorted(here for here, _ in told)


def test_an_answer_in_chunks_is_put_together(server: Served) -> None:
    def chunks(request) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for start in range(0, len(DATA), 100_000):
            part = DATA[start : start + 100_000]
            request.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        request.wfile.write(b"0\r\n\r\n")

    server.answers["/chunks"] = chunks
    assert fetch(sources(server), server.url("/chunks")) == DATA


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        *((404, "SOURCE_NOT_FOUND"), (410, "SOURCE_NOT_FOUND"), (401, "SOURCE_FORBIDDEN")),
        *((403, "SOURCE_FORBIDDEN"), (204, "SOURCE_REFUSED"), (206, "SOURCE_REFUSED")),
        *((304, "SOURCE_REFUSED"), (418, "SOURCE_REFUSED")),
    ],
)
def test_an_answer_without_the_file_is_the_sources_fault(
    server: Served, code: int, reason: str
) -> None:
    server.answers["/no"] = status(code)
    error = refusal(sources(server), server.url(f"/no?{SECRET}"))
    assert error.reason == reason
    assert str(code) in str(error)


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again_another_time(server: Served, code: int) -> None:
    server.answers["/no"] = status(code)
    with pytest.raises(SourceUnreachable, match=str(code)) as caught:
        fetch(sources(server), server.url(f"/no?{SECRET}"))
    assert SECRET not in str(caught.value)


def test_a_file_that_comes_packed_is_refused(server: Served) -> None:
    server.answers["/packed"] = file_of(b"\x1f\x8b", Content_Encoding="gzip")
    assert refusal(sources(server), server.url("/packed")).reason == "SOURCE_REFUSED"


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_over_the_limit_is_refused_announced_or_not(server: Served, announced: bool) -> None:
    """Without an announcement no more is kept than the limit."""
    endless = threading.Event()

    def answer(request) -> None:
        request.send_response(200)
        if announced:
            request.send_header("Content-Length", "10000000000")
        request.end_headers()
        while not endless.is_set():
            request.wfile.write(bytes(65_536))

    server.answers["/huge"] = answer
    told: list[int] = []
    with pytest.raises(SourceError) as caught:
        fetch(sources(server), server.url("/huge"), on_bytes=lambda here, _: told.append(here))
    endless.set()
    assert caught.value.reason == "SOURCE_TOO_LARGE"
    assert "5 MB" in str(caught.value)
    assert max(told) <= LIMITS.largest_bytes


def test_an_answer_that_breaks_off_is_no_file(server: Served) -> None:
    server.answers["/half"] = file_of(DATA, announced=2 * len(DATA))
    with pytest.raises(SourceUnreachable, match="broke off"):
        fetch(sources(server), server.url("/half"))


def test_a_host_that_drips_bytes_is_left_in_time(server: Served) -> None:
    over = threading.Event()

    def drip(request) -> None:
        request.send_response(200)
        request.end_headers()
        while not over.wait(0.05):
            request.wfile.write(b"x")

    server.answers["/drip"] = drip
    begun = time.monotonic()
    error = refusal(
        sources(server), server.url("/drip"), FetchLimits(largest_bytes=10**9, longest_s=0.5)
    )
    assert error.reason == "SOURCE_TOO_SLOW"
    assert time.monotonic() - begun < 5
    over.set()


class Stop(Exception):
    """The caller wants no more."""


@pytest.mark.parametrize("hangs", ["resolving", "shaking hands", "answering", "sending"])
def test_a_cancel_is_heard_at_once_whatever_is_waited_for(server: Served, hangs: str) -> None:
    """And the other side's connection ends as well."""
    over, left = threading.Event(), threading.Event()

    def hang(request) -> None:
        if hangs == "sending":
            request.send_response(200)
            request.send_header("Content-Length", "1000")
            request.end_headers()
            request.wfile.write(b"some")
            request.wfile.flush()
        request.connection.settimeout(20)
        if request.connection.recv(1) == b"":
            left.set()

    def resolve(host: str, port: int) -> list[str]:
        if hangs == "resolving":
            over.wait(20)
        return ["127.0.0.1"]

    server.answers["/hang"] = hang
    url = server.url("/hang")
    mute = socket.create_server(("127.0.0.1", 0))
    also: tuple[str, ...] = ()
    if hangs == "shaking hands":
        port = mute.getsockname()[1]
        url, also = f"https://media.test:{port}/hang", (f"https://media.test:{port}",)
    begun = time.monotonic()

    def on_bytes(here: int, size: int | None) -> None:
        if time.monotonic() - begun > 0.3:
            raise Stop

    with pytest.raises(Stop):
        fetch(sources(server, resolve=resolve, also=also), url, on_bytes=on_bytes)
    assert time.monotonic() - begun < 1.3
    over.set()
    if hangs in ("answering", "sending"):
        assert left.wait(10)
    eventually(lambda: "fetch" not in [thread.name for thread in threading.enumerate()], 15)
    mute.close()


def test_after_a_cancel_nobody_is_connected_to(server: Served) -> None:
    resolving, over = threading.Event(), threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        resolving.set()
        over.wait(20)
        return ["127.0.0.1"]

    def on_bytes(here: int, size: int | None) -> None:
        if resolving.is_set():
            raise Stop

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        origin = f"https://media.test:{listening.getsockname()[1]}"
        found = sources(server, resolve=resolve, also=(origin,))
        with pytest.raises(Stop):
            fetch(found, f"{origin}/a.wav", on_bytes=on_bytes)
        over.set()
        eventually(lambda: "fetch" not in [thread.name for thread in threading.enumerate()], 15)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_nothing_is_left_open_or_behind_whatever_becomes_of_it(
    server: Served, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    server.answers["/half"] = file_of(DATA, announced=2 * len(DATA))
    found = sources(server)
    fetch(found, server.url("/a.wav"))
    before = len(os.listdir("/proc/self/fd"))
    for path in ("/a.wav", "/half", "/none") * 5:
        try:
            fetch(found, server.url(path))
        except (SourceError, SourceUnreachable):
            assert os.listdir(tmp_path) == []
    assert os.listdir(tmp_path) == []
    eventually(
        lambda: len(os.listdir("/proc/self/fd")) <= before + 2
    )  # of the server's side, perhaps


# Who it is


def test_a_server_without_a_trusted_certificate_gets_nothing(server: Served) -> None:
    error = refusal(
        sources(server, context=ssl.create_default_context()), server.url(f"/a.wav?{SECRET}")
    )
    assert error.reason == "SOURCE_UNTRUSTED"
    assert server.asked == []


def test_a_certificate_of_another_host_does_not_do() -> None:
    with https_server("elsewhere.test") as served:
        error = refusal(sources(served), served.url("/a.wav"))
    assert error.reason == "SOURCE_UNTRUSTED"
    assert "media.test" in str(error)
    assert served.asked == []


def test_a_server_that_speaks_no_tls_is_none_to_trust(server: Served) -> None:
    plain = socket.create_server(("127.0.0.1", 0))
    port = plain.getsockname()[1]

    def speak() -> None:
        other, _ = plain.accept()
        other.recv(1000)
        other.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound")
        other.close()

    threading.Thread(target=speak, daemon=True).start()
    found = sources(server, also=(f"https://media.test:{port}",))
    assert refusal(found, f"https://media.test:{port}/").reason == "SOURCE_UNTRUSTED"
    plain.close()


def test_a_host_that_does_not_exist_is_the_sources_fault(server: Served) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(SourceNotFound, match=r"no host media\.test"):
        fetch(sources(server, resolve=resolve), server.url("/a.wav"))


def test_a_resolver_that_does_not_answer_is_nobodys_fault(server: Served) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with pytest.raises(SourceUnreachable, match="cannot be resolved"):
        fetch(sources(server, resolve=resolve), server.url("/a.wav"))


def test_the_next_address_is_taken_when_one_cannot_be_reached(server: Served) -> None:
    resolve = Resolver(["127.0.0.9", "127.0.0.1"])
    assert fetch(sources(server, resolve=resolve), server.url("/a.wav")) == DATA


def test_a_host_that_is_down_may_be_up_another_time(server: Served) -> None:
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        fetch(sources(server, resolve=Resolver(["127.0.0.9"])), server.url("/a.wav"))


# Where it is


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_a_host_inside_is_not_connected_to(server: Served, inside: str) -> None:
    found = sources(server, resolve=Resolver([inside]), allow="")
    error = refusal(found, server.url(f"/a.wav?{SECRET}"))
    assert error.reason == "SOURCE_NOT_ALLOWED"
    assert inside not in str(error)  # what the inside looks like is not for the asking
    assert server.connections == 0


def test_one_address_inside_is_enough_to_refuse_a_host(server: Served) -> None:
    found = sources(server, resolve=Resolver(["127.0.0.1", "10.0.0.1"]))
    assert refusal(found, server.url("/a.wav")).reason == "SOURCE_NOT_ALLOWED"
    assert server.connections == 0


def test_a_name_that_moves_inside_after_the_look_is_not_followed(server: Served) -> None:
    """DNS rebinding: the second answer would be taken by whoever resolves again to connect."""
    resolve = Resolver(["127.0.0.9"], ["127.0.0.1"])
    with pytest.raises(SourceUnreachable):
        fetch(sources(server, resolve=resolve), server.url("/a.wav"))
    assert resolve.asked == 1
    assert server.connections == 0


def test_a_name_that_moves_inside_between_two_hops_is_refused(server: Served) -> None:
    server.answers["/moved"] = status(302, Location="/a.wav")
    resolve = Resolver(["127.0.0.1"], ["10.0.0.1"])
    assert (
        refusal(sources(server, resolve=resolve), server.url("/moved")).reason
        == "SOURCE_NOT_ALLOWED"
    )
    assert [path for _, path, _ in server.asked] == ["/moved"]


@pytest.mark.parametrize(
    "location",
    [
        *("https://10.0.0.1/a.wav", "https://[::1]/a.wav", "https://169.254.169.254/latest/"),
        *("https://evil.test/a.wav", "https://media.test:1/a.wav", "https://2130706433/a.wav"),
    ],
)
def test_a_redirect_out_of_what_is_allowed_is_refused(server: Served, location: str) -> None:
    server.answers["/moved"] = status(302, Location=location)
    assert refusal(sources(server), server.url("/moved")).reason == "SOURCE_NOT_ALLOWED"
    assert server.connections == 1


@pytest.mark.parametrize(
    "location",
    [
        *("http://media.test/a.wav", "ftp://media.test/a.wav", "file:///etc/passwd", "gopher://x"),
        *(
            "s3://bucket/key",
            "https://user:word@media.test/a.wav",
            "https://a b/",
            "https://a\\@b/",
        ),
    ],
)
def test_a_redirect_to_anything_but_https_is_refused(server: Served, location: str) -> None:
    server.answers["/moved"] = status(301, Location=location)
    assert refusal(sources(server), server.url(f"/moved?{SECRET}")).reason == "MALFORMED_URI"
    assert server.connections == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_followed_under_its_name(server: Served, code: int) -> None:
    server.answers["/moved"] = status(code, Location=server.url("/a.wav", "other.test"))
    assert fetch(sources(server), server.url("/moved")) == DATA
    assert [host.split(":")[0] for host, *_ in server.asked] == ["media.test", "other.test"]


def test_five_redirects_are_followed_and_no_sixth(server: Served) -> None:
    for number in range(MOST_REDIRECTS + 1):
        server.answers[f"/{number}"] = status(
            302, Location=f"/{number - 1}" if number else "/a.wav"
        )
    assert fetch(sources(server), server.url(f"/{MOST_REDIRECTS - 1}")) == DATA
    error = refusal(sources(server), server.url(f"/{MOST_REDIRECTS}"))
    assert error.reason == "SOURCE_REFUSED"
    assert "redirects" in str(error)


def test_a_line_without_end_takes_no_memory(server: Served) -> None:
    """A chunk's size may be announced by a line; gigabytes of it were read by some clients."""
    over = threading.Event()

    def endless(request) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        while not over.is_set():
            request.wfile.write(b"0" * 65_536)

    server.answers["/line"] = endless
    with pytest.raises(SourceUnreachable, match="broke off"):
        fetch(sources(server), server.url("/line"))
    over.set()
