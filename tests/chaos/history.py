"""What happened in a run. All times are seconds since 1970 by the clock of the one machine that it ran on."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

QUEUED, RUNNING, CANCELLING = "QUEUED", "RUNNING", "CANCELLING"
SUCCEEDED, FAILED, CANCELLED = "SUCCEEDED", "FAILED", "CANCELLED"
TERMINAL = frozenset({SUCCEEDED, FAILED, CANCELLED})


class Outcome(StrEnum):
    """What a client knows of an operation once it is over."""

    OK = "OK"
    REFUSED = "REFUSED"  # the server looked at it and did nothing
    UNKNOWN = "UNKNOWN"  # no answer, or none that says whether it was done


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What the run's promises depend on."""

    seed: int
    database: str
    slots: int  # jobs that run at once with all workers up
    lease_s: float = 15.0
    max_crashes: int = 3
    max_retries: int = 3
    lag_s: float = 0.0  # the longest that the harness itself was kept waiting
    begun: float = 0.0
    calm: float = 0.0  # when the last fault was over and everything up
    ended: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A job as an answer showed it."""

    job_id: str
    state: str
    revision: int
    attempt: int = 0
    stopped: bool = False  # it has a stopped_time


@dataclass(frozen=True, kw_only=True)
class Retried:
    """A job, and the new one that runs in its place."""

    job_id: str
    new_job_id: str


@dataclass(frozen=True, kw_only=True)
class Declined:
    """A job with which nothing was done, and why."""

    job_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call of a client, and its answer."""

    kind: str  # submit, submit_batch, redrive, dismiss, cancel, cancel_batch, get, list
    invoked: float
    returned: float
    outcome: Outcome
    error: str = ""  # the class of the client's error, and its reason
    request_id: str = ""
    payload: str = ""  # what the request_id stands for
    target: str = ""  # the job or batch that was asked about
    seen: tuple[Seen, ...] = ()
    batch_id: str = ""  # of a batch that was accepted
    accepted: int = 0  # its jobs
    retried: tuple[Retried, ...] = ()  # by a redrive
    forced: bool = False  # a redrive also of what was retried before
    by_filter: bool = False  # a redrive of all that failed and was not dealt with
    dismissed: tuple[str, ...] = ()
    declined: tuple[Declined, ...] = ()  # by a redrive or a dismissal


@dataclass(frozen=True, kw_only=True)
class WatchEvent:
    """What one watch was told. `watch` numbers the watches; each has one job or one batch."""

    watch: int
    target: str
    kind: str  # snapshot, transition, tick, batch, error, over (it ended by itself), abandoned
    time: float
    revision: int = 0
    attempt: int = 0
    before: str = ""
    state: str = ""
    fraction: float = 0.0
    happened: float = 0.0  # a transition's own time
    total: int = 0  # of a batch
    done: int = 0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that was broken, until everything was up again."""

    kind: str
    part: str  # child, worker, server, redis, database, link
    begun: float
    ended: float
    victims: tuple[str, ...] = ()  # jobs, one of which ran where it struck


@dataclass(frozen=True, kw_only=True)
class Death:
    """A part that ended; `killed` when something of the harness's doing ended it."""

    part: str
    time: float
    code: int
    killed: bool


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A line of a worker's log on an attempt: `what` is "starts", "refused" or the state it wrote."""

    job_id: str
    attempt: int
    what: str
    time: float


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A row of the transition log."""

    revision: int
    attempt: int
    before: str  # empty for the first
    after: str
    time: float
    error_kind: str = ""
    position: int = 0  # in the log of all jobs


@dataclass(frozen=True, kw_only=True)
class FinalJob:
    """A job when all was over, read from the database."""

    job_id: str
    state: str
    revision: int
    attempt: int
    source: str
    crashes: int = 0
    retries: int = 0
    request_id: str = ""  # that made it, or the batch it is of
    batch_id: str = ""
    retry_of: str = ""
    dismissed: bool = False
    error_kind: str = ""
    stopped: bool = False
    results: int = 0  # rows with its result
    published: bool = False  # the broker was given it
    log: tuple[Logged, ...] = ()


Record = Setup | Operation | WatchEvent | Fault | Death | Execution | FinalJob
_KINDS = {
    kind.__name__: kind
    for kind in (Setup, Operation, WatchEvent, Fault, Death, Execution, FinalJob)
}


@dataclass(frozen=True, kw_only=True)
class History:
    """All of it; each part in the order in which it was noted."""

    setup: Setup
    operations: tuple[Operation, ...] = ()
    watched: tuple[WatchEvent, ...] = ()
    faults: tuple[Fault, ...] = ()
    deaths: tuple[Death, ...] = ()
    executions: tuple[Execution, ...] = ()
    final: tuple[FinalJob, ...] = ()

    def but(self, **changed: Any) -> Self:
        """The history with something else in a field."""
        return replace(self, **changed)

    def records(self) -> Iterator[Record]:
        """All records, the setup first."""
        yield self.setup
        for records in (self.operations, self.watched, self.faults, self.deaths, self.executions):
            yield from records
        yield from self.final

    def write(self, file: Path) -> None:
        """Keeps it as lines of JSON."""
        with file.open("w") as lines:
            for record in self.records():
                print(json.dumps({"is": type(record).__name__, **asdict(record)}), file=lines)

    @classmethod
    def read(cls, file: Path) -> Self:
        """The history that `write` kept."""
        notes = Notes()
        for line in file.read_text().splitlines():
            notes.add(_record(json.loads(line)))
        return cls(**notes.fields())


@dataclass(kw_only=True)
class Notes:
    """A history in the making."""

    records: list[Record] = field(default_factory=list[Record])

    def add(self, record: Record) -> None:
        """Notes a record."""
        self.records.append(record)

    def of(self, kind: type[Any]) -> tuple[Any, ...]:
        """The records of a kind."""
        return tuple(record for record in self.records if isinstance(record, kind))

    def fields(self) -> dict[str, Any]:
        """What a History is made of."""
        return {
            "setup": self.of(Setup)[-1],
            "operations": self.of(Operation),
            "watched": self.of(WatchEvent),
            "faults": self.of(Fault),
            "deaths": self.of(Death),
            "executions": self.of(Execution),
            "final": self.of(FinalJob),
        }


def unresolved(operations: Iterable[Operation]) -> set[str]:
    """The request_ids of submits and redrives that were never answered."""
    asked = [done for done in operations if done.request_id]
    answered = {done.request_id for done in asked if done.outcome is not Outcome.UNKNOWN}
    return {done.request_id for done in asked} - answered


def _record(fields: dict[str, Any]) -> Record:
    kind = _KINDS[fields.pop("is")]
    if "outcome" in fields:
        fields["outcome"] = Outcome(fields["outcome"])
    tuples = (("seen", Seen), ("log", Logged), ("retried", Retried), ("declined", Declined))
    for name, inner in tuples:
        if name in fields:
            fields[name] = tuple(inner(**one) for one in fields[name])
    for name in ("victims", "dismissed"):
        if isinstance(fields.get(name), list):
            fields[name] = tuple(fields[name])
    return kind(**fields)
