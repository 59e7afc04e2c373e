"""Following a job or a batch over as many streams as it takes.

    opened ── message ──> updates ──> … ──> ended, with the target or by the server's OK
      │
      └── UNAVAILABLE ──> pause, opened again with the last token; nothing is yielded twice
      └── OUT_OF_RANGE ─> opened again without a token: the log is not the one the token was of

No I/O here: the sync and the asyncio client hold the call and the pause.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Self

from harken.client.convert_update import updates_in
from harken.client.errors import HarkenError, ResumeTokenRejected, ServerUnavailable
from harken.client.reconnect import Patience, Reconnect
from harken.client.requests import BatchRef, JobRef, batch_id_of, job_id_of
from harken.client.update import BatchSnapshot, JobSnapshot, ProgressTick, Transition, Update
from harken.v1.job_service_pb2 import StreamProgressRequest, StreamProgressResponse

OnLost = Callable[[ServerUnavailable], None]
"""Called each time a watch cannot reach its server and is going to try again."""


class Follow:
    """The state of one watch, over all of its streams."""

    def __init__(
        self,
        target: StreamProgressRequest,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        reconnect: Reconnect | None = None,
        on_lost: OnLost | None = None,
    ) -> None:
        self.ended = False
        """Whether the target is known to have ended: no stream has to be opened any more."""
        self._target = target
        self._token = resume_token or ""
        self._heartbeat = heartbeat_interval
        self._patience = Patience(reconnect or Reconnect())
        self._on_lost = on_lost
        self._seen = self._nothing_seen()

    @classmethod
    def job(
        cls,
        job: JobRef,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        reconnect: Reconnect | None = None,
        on_lost: OnLost | None = None,
    ) -> Self:
        """The watch of a job; `heartbeat_interval` in seconds."""
        target = StreamProgressRequest(job_id=job_id_of(job))
        return cls(target, resume_token, heartbeat_interval, reconnect, on_lost)

    @classmethod
    def batch(
        cls,
        batch: BatchRef,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        reconnect: Reconnect | None = None,
        on_lost: OnLost | None = None,
    ) -> Self:
        """The watch of a batch; `heartbeat_interval` in seconds."""
        target = StreamProgressRequest(batch_id=batch_id_of(batch))
        return cls(target, resume_token, heartbeat_interval, reconnect, on_lost)

    @classmethod
    def items(
        cls,
        batch: BatchRef,
        resume_token: str | None = None,
        heartbeat_interval: float | None = None,
        reconnect: Reconnect | None = None,
        on_lost: OnLost | None = None,
    ) -> Self:
        """The watch of a batch and its jobs; `heartbeat_interval` in seconds."""
        target = StreamProgressRequest(batch_id=batch_id_of(batch), include_items=True)
        return cls(target, resume_token, heartbeat_interval, reconnect, on_lost)

    def request(self) -> StreamProgressRequest:
        """The request that opens the next stream."""
        request = StreamProgressRequest()
        request.CopyFrom(self._target)
        if self._heartbeat is not None:
            request.heartbeat_interval.FromTimedelta(timedelta(seconds=self._heartbeat))
        if self._token:
            request.resume_token = self._token
        return request

    def take(self, message: StreamProgressResponse) -> Iterator[Update]:
        """The updates of a message that are new; sets `ended` with the last of them."""
        self._patience.answered()
        updates = list(updates_in(message, self._token))
        self._token = message.resume_token or self._token
        for update in updates:
            if not self._seen.is_new(update):
                continue
            self.ended = self._ends(update)
            yield update
            if self.ended:
                return

    def lost(self, failure: HarkenError, now: float) -> float:
        """The pause in seconds before the next stream; raises what none would change."""
        if isinstance(failure, ResumeTokenRejected) and self._token:
            self._token = ""
            self._seen = self._nothing_seen()
            return 0.0
        pause = self._patience.lost(failure, now)
        if self._on_lost is not None and isinstance(failure, ServerUnavailable):
            self._on_lost(failure)
        return pause

    def _nothing_seen(self) -> "_Seen | _SeenOfBatch":
        if self._target.HasField("batch_id"):
            return _SeenOfBatch(items=self._target.include_items)
        return _Seen()

    def _ends(self, update: Update) -> bool:
        if self._target.HasField("batch_id"):
            return isinstance(update, BatchSnapshot) and update.batch.is_terminal
        if isinstance(update, JobSnapshot):
            return update.job.state.is_terminal
        return isinstance(update, Transition) and update.to_state.is_terminal


class _Seen:
    """What was yielded last, so that nothing is yielded twice after a reconnect."""

    def __init__(self) -> None:
        self._revision = 0
        self._last: object = None
        self._attempt = 0
        self._fraction = -1.0

    def is_new(self, update: Update) -> bool:
        """Whether this tells more than what was seen before; it counts as seen from now on."""
        match update:
            case BatchSnapshot():
                return False
            case JobSnapshot():
                if update.job.revision <= self._revision:
                    return False
                self._revision = update.job.revision
                self._attempt = max(self._attempt, update.job.attempt)
                return True
            case Transition():
                if update.revision <= self._revision:
                    return False
                self._revision = update.revision
                return True
            case ProgressTick():
                return self._is_further(update)

    def _is_further(self, tick: ProgressTick) -> bool:
        if tick.attempt < self._attempt:
            return False
        if tick.attempt > self._attempt:
            self._attempt, self._fraction = tick.attempt, -1.0
        if tick.progress.fraction < self._fraction:
            return False
        self._fraction = tick.progress.fraction
        return self._differs(tick.progress)

    def _differs(self, seen: object) -> bool:
        if seen == self._last:
            return False
        self._last = seen
        return True


class _SeenOfBatch:
    """The same of a batch: of its counts, and with `items` of each job that has not ended."""

    def __init__(self, *, items: bool) -> None:
        self._items = items
        self._counts: object = None
        self._jobs: dict[str, _Seen] = {}

    def is_new(self, update: Update) -> bool:
        """Whether this tells more than what was seen before; it counts as seen from now on."""
        match update:
            case BatchSnapshot():
                new = update.batch != self._counts
                self._counts = update.batch
                return new
            case Transition() if self._items and update.to_state.is_terminal:
                return self._jobs.pop(update.job_id, _Seen()).is_new(update)
            case Transition() | ProgressTick() if self._items:
                return self._jobs.setdefault(update.job_id, _Seen()).is_new(update)
            case _:
                return False
