"""Tokens that clients hand back: opaque to them, and bound to the request they were made for."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from harken.server.errors import InvalidToken

_CHECK_BYTES = 6  # enough to tell a token from noise; it is no secret


def encode(value: str | int | Sequence[int | float | str], bound_to: object) -> str:
    """A token that holds `value` and is good for requests about `bound_to` only."""
    payload = json.dumps(value).encode()
    return base64.urlsafe_b64encode(_check(payload, bound_to) + payload).decode().rstrip("=")


def decode(token: str, bound_to: object, *, field: str) -> str | int | list[Any]:
    """What a token holds, a tuple as a list. Raises InvalidToken, naming `field`."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (ValueError, binascii.Error, UnicodeEncodeError):
        raise InvalidToken(field) from None
    check, payload = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    if check != _check(payload, bound_to):
        raise InvalidToken(field)
    return json.loads(payload)


def decode_position(token: str, bound_to: object, *, field: str) -> int:
    """The log position that a token holds. Raises InvalidToken."""
    value = decode(token, bound_to, field=field)
    if not isinstance(value, int):
        raise InvalidToken(field)
    return value


def decode_counted_position(token: str, bound_to: object, *, field: str) -> tuple[int, int]:
    """The log position and the number of jobs that a token holds. Raises InvalidToken."""
    match decode(token, bound_to, field=field):
        case [position, number]:
            return position, number
        case _:
            raise InvalidToken(field)


def _check(payload: bytes, bound_to: object) -> bytes:
    text = json.dumps(bound_to, sort_keys=True, default=str).encode()
    return hashlib.blake2b(text + b"\0" + payload, digest_size=_CHECK_BYTES).digest()
