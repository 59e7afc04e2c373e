"""Who calls: whose data the call is about, and what it may ask for. Known to everything that a call runs."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from harken.jobs.job import OF_ADMINISTRATORS, JobKind
from harken.jobs.owners.scope import ALL_SCOPES, Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Somebody who calls. `key_id` is what they showed to be known by, empty where nobody is asked."""

    owner: str
    scopes: frozenset[Scope]
    key_id: str = ""
    by_key: bool = False  # of harken's own; else by a token of an identity provider
    expire_time: datetime | None = None  # until when they are believed

    @property
    def denied_kinds(self) -> frozenset[JobKind]:
        """The kinds of jobs that it may neither have run nor have the files of, though they be its owner's."""
        return frozenset() if Scope.ADMIN in self.scopes else OF_ADMINISTRATORS

    def peer(self, address: str) -> str:
        """Where a call came from, and by which key, for the record."""
        return f"{address} key {self.key_id}" if self.key_id else address


# Whoever calls a server that asks nobody who they are.
LOCAL = Caller(owner="local", scopes=ALL_SCOPES)

_CALLER: ContextVar[Caller] = ContextVar("caller")


def current_caller() -> Caller:
    """Who makes the call that this is part of. Raises LookupError where nobody was let in."""
    return _CALLER.get()


def known_caller() -> Caller | None:
    """Who makes the call that this is part of; None of one that was refused."""
    return _CALLER.get(None)


def let_in(caller: Caller) -> None:
    """From here to the end of this asyncio task, which is one call, it is this caller's."""
    _CALLER.set(caller)
