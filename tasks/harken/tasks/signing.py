"""Messages and stored results that bear a signature: what somebody else has put into Redis is refused.

A kombu serializer: JSON, a dot, and the HMAC-SHA256 of it, by itsdangerous. Several keys can be valid at a time, so
that they can be exchanged while all parts run: the first one signs, all are accepted. What is signed is the body of a
message, which names the job; who sends such a body once more only loses a claim.
"""

import hashlib
from typing import Any

from itsdangerous import BadSignature, Signer
from kombu.serialization import register
from kombu.utils.json import dumps, loads

SERIALIZER = "harken-signed"
CONTENT_TYPE = "application/x-harken-signed"


class Refused(ValueError):
    """What should bear a signature bears none, or not one of these keys."""


class Signing:
    """The keys of a process."""

    def __init__(self, keys: str) -> None:
        """Takes keys separated by commas, the one that signs first."""
        # The library takes the newest one last.
        self._signer = Signer(
            split(keys)[::-1], salt="harken", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def sign(self, value: Any) -> str:
        """The value as signed text."""
        return self._signer.sign(dumps(value)).decode()

    def read(self, payload: str | bytes) -> Any:
        """The value of a signed text. Raises Refused."""
        try:
            return loads(self._signer.unsign(payload).decode())
        except BadSignature:
            raise Refused("it is not signed, or by another key") from None

    def register(self) -> None:
        """Makes the serializer known to kombu, in this process."""
        register(SERIALIZER, self.sign, self.read, CONTENT_TYPE, "utf-8")


def split(keys: str) -> list[str]:
    """The keys, the one that signs first."""
    return [key.strip() for key in keys.split(",") if key.strip()]
