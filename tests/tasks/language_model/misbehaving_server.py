"""A real HTTP server on loopback that answers as it is told, byte by byte, and keeps what it was asked."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

GOOD = {"description": "A calm piece.", "tags": ["mood:calm"]}
TLS_HANDSHAKE = b"\x16"
# Says what goes over the wire for one request; the socket is closed behind it.
Script = Callable[[socket.socket, threading.Event], None]


def completion(content: Any = None, **changed: Any) -> dict[str, Any]:
    """A chat completion that holds a text, else that of a good answer."""
    text = json.dumps(GOOD) if content is None else content
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text},
    }
    for name, value in changed.items():
        (choice if name == "finish_reason" else choice["message"])[name] = value
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def says(
    body: Any = None, status: int = 200, headers: Iterable[str] = (), kind: str = "application/json"
) -> Script:
    """One whole response; a body that is no bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body or completion()).encode()
    head = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(content)}"]

    def script(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall("\r\n".join([*head, *headers, "", ""]).encode() + content)

    return script


def cut_off(connection: socket.socket, _: threading.Event) -> None:
    """Promises more than it sends."""
    connection.sendall(
        b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"
    )


def hangs(_: socket.socket, closing: threading.Event) -> None:
    """Never answers."""
    closing.wait(30)


def drips(connection: socket.socket, closing: threading.Event) -> None:
    """A byte now and then: no single read takes long."""
    connection.sendall(
        b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n"
    )
    while not closing.wait(0.05):
        connection.sendall(b" ")


def floods(connection: socket.socket, closing: threading.Event) -> None:
    """A hundred megabytes, without saying so before."""
    connection.sendall(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n")
    for _ in range(1_600):
        if closing.is_set():
            return
        connection.sendall(b" " * 65_536)


class MisbehavingServer:
    """Answers request number n by script number n, and by the last one from then on."""

    def __init__(self) -> None:
        self.scripts: list[Script] = [says()]
        self.requests: list[bytes] = []
        self.times: list[float] = []
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def asked(self, number: int = -1) -> dict[str, Any]:
        """The body of a request."""
        return json.loads(self.requests[number].partition(b"\r\n\r\n")[2])

    def close(self) -> None:
        """Ends it, and all that hangs on it."""
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                if request.startswith(TLS_HANDSHAKE):
                    return
                request += connection.recv(65_536) or b"\r\n\r\n"
            head, _, body = request.partition(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if b"content-length" in line]
            while lengths and len(body) < int(lengths[0].split(b":")[1]):
                body += connection.recv(65_536)
            self.times.append(time.monotonic())
            self.requests.append(head + b"\r\n\r\n" + body)
            place = min(len(self.requests), len(self.scripts)) - 1
            self.scripts[place](connection, self._closing)
