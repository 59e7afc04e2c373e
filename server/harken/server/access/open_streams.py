"""The streams that are open, by owner: no more than an owner may have, and none longer than its caller is let in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from harken.jobs.errors import QuotaExceeded
from harken.server.caller import Caller
from harken.server.errors import Unauthenticated

RETRY_AFTER = timedelta(seconds=5)

Refusal = Callable[[Caller], Unauthenticated | None]


@dataclass(eq=False, slots=True)
class OpenStream:
    """A stream, and why it has to end, once it has."""

    caller: Caller
    task: "asyncio.Task[object]"
    refusal: Unauthenticated | None = None


@dataclass
class OpenStreams:
    """Those of one server process. `most` is how many each owner may have; None is no limit."""

    most: Callable[[str], float | None]
    _by_owner: dict[str, set[OpenStream]] = field(default_factory=dict[str, set[OpenStream]])

    def open(self, caller: Caller, task: "asyncio.Task[object]") -> OpenStream:
        """Counts a stream that the task serves. Raises QuotaExceeded."""
        theirs = self._by_owner.get(caller.owner, ())
        most = self.most(caller.owner)
        if most is not None and len(theirs) >= most:
            what = f"{caller.owner} has {len(theirs)} streams open at this server, of {most:,.0f} that it may have."
            raise QuotaExceeded(caller.owner, "streams", what, RETRY_AFTER)
        stream = OpenStream(caller, task)
        self._by_owner.setdefault(caller.owner, set()).add(stream)
        return stream

    def close(self, stream: OpenStream) -> None:
        """Counts a stream no longer."""
        theirs = self._by_owner[stream.caller.owner]
        theirs.discard(stream)
        if not theirs:
            del self._by_owner[stream.caller.owner]

    def end_refused(self, refusal: Refusal) -> None:
        """Ends the streams of callers who would not be let in any more."""
        streams = [stream for theirs in self._by_owner.values() for stream in theirs]
        refusals = {caller: refusal(caller) for caller in {one.caller for one in streams}}
        for stream in streams:
            why = refusals[stream.caller]
            if stream.refusal is None and why is not None:
                stream.refusal = why
                stream.task.cancel()
