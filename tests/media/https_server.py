"""A real HTTPS server on this machine, whose certificate is of a CA made for the test."""

import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Served:
    """What is answered at which path, and what was asked: each request's Host, path and headers."""

    port: int
    ca: trustme.CA
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0

    def trust(self) -> ssl.SSLContext:
        """A client's context that trusts the CA."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        return context

    def write_ca(self, folder: Path) -> Path:
        """The CA's certificate as a file, such as SSL_CERT_FILE names."""
        path = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(path))
        return path

    def url(self, path: str, host: str = "media.test") -> str:
        """An address of the server."""
        return f"https://{host}:{self.port}{path}"


def file_of(data: bytes, *, announced: int | None = None, **headers: str) -> Answer:
    """The bytes, under the length that is announced."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(data) if announced is None else announced))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(data)

    return answer


def status(code: int, **headers: str) -> Answer:
    """A status without a body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


@contextmanager
def https_server(*names: str) -> Generator[Served]:
    """Serves until the end; the certificate is for the names."""
    ca = trustme.CA()
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(
        *(names or ("media.test", "other.test", "127.0.0.1", "localhost"))
    ).configure_cert(own)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            # In the thread of the connection: who never shakes hands holds up nobody else.
            self.request = own.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()
            self.request.close()

        def do_GET(self) -> None:
            self.close_connection = True
            served.asked.append((self.headers["Host"], self.path, dict(self.headers)))
            served.answers.get(self.path.partition("?")[0], status(404))(self)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request, client_address) -> None:
            served.connections += 1
            # Who goes away in the middle is what many tests are about.
            with request, suppress(OSError, ValueError):
                super().finish_request(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    served = Served(port=server.server_address[1], ca=ca)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
