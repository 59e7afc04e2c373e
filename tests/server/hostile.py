"""HTTP/2 as those speak it who mean harm: by the frame, on plain sockets."""

import socket
import struct
from contextlib import suppress

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION = 0, 1, 3, 4, 7, 9
END_STREAM, END_HEADERS = 1, 4
CANCEL = struct.pack(">I", 8)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame."""
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes((kind, flags))
        + struct.pack(">I", stream)
        + payload
    )


def headers(path: str, *more: tuple[str, str]) -> bytes:
    """The header block of a call, which leaves nothing in the peer's table: it is good for any stream."""
    block = b""
    for name, value in (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *more,
    ):
        block += _literal(name, value)
    return block


def _literal(name: str, value: str) -> bytes:
    # RFC 7541, 6.2.2: literal without indexing, new name.
    return b"\x00" + _text(name) + _text(value)


def _text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) < 127:
        return bytes((len(raw),)) + raw
    rest, digits = len(raw) - 127, b"\x7f"
    while rest >= 128:
        digits += bytes((rest % 128 + 128,))
        rest //= 128
    return digits + bytes((rest,)) + raw


class Connection:
    """A connection that has said what HTTP/2 begins with, and then sends whatever it likes."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0))

    def send(self, content: bytes) -> bool:
        """Sends; False once the server has closed the connection."""
        try:
            self.socket.sendall(content)
        except OSError:
            return False
        return True

    def frames(self, within_s: float) -> list[tuple[int, int]]:
        """Kind and stream of the frames that come, until nothing does for so long or the connection is closed."""
        self.socket.settimeout(within_s)
        found: list[tuple[int, int]] = []
        content = b""
        with suppress(OSError):
            while received := self.socket.recv(65536):
                content += received
                while len(content) >= 9:
                    length = int.from_bytes(content[:3], "big")
                    if len(content) < 9 + length:
                        break
                    found.append((content[3], int.from_bytes(content[5:9], "big")))
                    content = content[9 + length :]
        return found

    def close(self) -> None:
        """Closes it."""
        self.socket.close()
