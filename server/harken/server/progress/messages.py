"""Messages of StreamProgress as bytes, made once for all who get them.

A message is a body, which is the same for all who watch a target, followed by the token, which may differ. Protobuf's
wire format allows that: the fields of a message stand one after the other.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

from harken.jobs.job import Batch, Transition
from harken.jobs.standing import JobStanding
from harken.server import convert, tokens
from harken.server.progress.ticks import Tick
from harken.v1.event_pb2 import Event
from harken.v1.job_service_pb2 import Bookmark, Events, Snapshot, StreamProgressResponse

REMEMBERED = 4_096  # ticks and tokens: those of a moment, which all who watch get within it
MOST_EVENTS = (
    250  # of a message: a reader that takes 4 MiB, gRPC's default, takes it with long errors too
)

BOOKMARK = StreamProgressResponse(bookmark=Bookmark()).SerializeToString()


class Changes:
    """Transitions of one target that were read together, at most MOST_EVENTS, in order."""

    def __init__(self, transitions: Sequence[Transition]) -> None:
        self.transitions = transitions

    @cached_property
    def body(self) -> bytes:
        """Their events."""
        return _events([convert.transition_event(found) for found in self.transitions])


class JobOpening:
    """How a job stands, for all whose streams open in the same moment."""

    def __init__(self, standing: JobStanding, tick: Tick | None) -> None:
        self.job = standing.job
        self.position = standing.position
        self.tick = tick

    @cached_property
    def body(self) -> bytes:
        """Its snapshot."""
        snapshot = Snapshot(job=convert.job_message(self.job))
        return StreamProgressResponse(snapshot=snapshot).SerializeToString()


def changes(transitions: Sequence[Transition]) -> Iterator[Changes]:
    """The transitions in portions of a message each."""
    for start in range(0, len(transitions), MOST_EVENTS):
        yield Changes(transitions[start : start + MOST_EVENTS])


def batch_body(batch: Batch) -> bytes:
    """The snapshot of a batch."""
    snapshot = Snapshot(batch=convert.batch_message(batch))
    return StreamProgressResponse(snapshot=snapshot).SerializeToString()


@lru_cache(REMEMBERED)
def tick_body(job_id: str, revision: int, tick: Tick) -> bytes:
    """The event of a tick alone."""
    return _events([convert.tick_event(job_id, revision, tick)])


@lru_cache(REMEMBERED)
def tick_event(job_id: str, revision: int, tick: Tick) -> Event:
    """The event of a tick, for a message with others; not to be changed."""
    return convert.tick_event(job_id, revision, tick)


def tick_bodies(events: Sequence[Event]) -> list[bytes]:
    """The events of several ticks, in portions of a message each."""
    return [
        _events(events[start : start + MOST_EVENTS]) for start in range(0, len(events), MOST_EVENTS)
    ]


@lru_cache(REMEMBERED)
def token(value: int | tuple[int, ...], bound_to: tuple[str, ...]) -> bytes:
    """What follows a body: where the stream can be taken up again."""
    text = tokens.encode(value, bound_to)
    return StreamProgressResponse(resume_token=text).SerializeToString()


def _events(events: Sequence[Event]) -> bytes:
    return StreamProgressResponse(events=Events(events=events)).SerializeToString()
