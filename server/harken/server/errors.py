"""What the server refuses by itself. Errors of the job domain and of media are raised there.

RequestError
├── InvalidRequest      fields that are missing or malformed
├── InvalidToken        a page or resume token that was not made here, or for something else
└── ServerStopping      the server is going away
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """A field of the request, as a path such as `items[3].source.path`, and what is wrong with it."""

    field: str
    reason: str
    description: str


class RequestError(Exception):
    """Base of what the server refuses by itself."""


class InvalidRequest(RequestError):
    """Fields are missing or malformed."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(" ".join(f"{found.field}: {found.description}" for found in violations))
        self.violations = tuple(violations)


class InvalidToken(RequestError):
    """A token that was not made here, or for another target or filter. `field` is where it came in."""

    def __init__(self, field: str) -> None:
        super().__init__(
            f"{field}: it is not a token of this request."
            " Send one as it was received, with the other fields unchanged, or none."
        )
        self.field = field


class ServerStopping(RequestError):
    """The server is going away."""

    def __init__(self) -> None:
        super().__init__(
            "The server is stopping. Call again: another one, or this one once it is back, answers."
        )
