"""What a child measures of an attempt, and how the main process learns of it.

A line in a pipe: whole or not at all, and never waited for. A child that is killed leaves nothing behind that has to be
cleaned up, and a child that is forked inherits no lock of it.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, ClassVar, Self

from harken.jobs.job import Job
from harken.telemetry import tracing

# What a pipe takes as a whole from writers that are many, by POSIX; a longer line is not written.
LONGEST_LINE_BYTES = 512


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """An attempt, as its child saw it; without a `queue` it is a claim that was lost."""

    queue: str = ""
    outcome: str = ""
    queued_s: float | None = None  # of a first attempt
    run_s: float = 0.0
    cpu_s: float = 0.0
    audio_s: float = 0.0
    stages: dict[str, float] = field(default_factory=dict[str, float])
    asked: str = ""  # what came of asking a language model
    asked_s: float = 0.0

    def to_line(self) -> bytes:
        """One line."""
        rounded = {name: _rounded(value) for name, value in asdict(self).items() if value}
        return json.dumps(rounded, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """The measurement of a line."""
        return cls(**json.loads(line))


CLAIM_LOST = Measurement()
CACHED_RESULT = Measurement(outcome="CACHED")
ANSWERED = "ANSWERED"  # what came of asking a language model, where it did not fail
REFUSED = "REFUSED"  # the outcome of an attempt whose job was no longer its own


class Stopwatch:
    """Times the stages of an analysis by when each reports first; `on_stage(name, from, to)` hears of each at its end.

    Times are those of `time.time`, as traces want them.
    """

    def __init__(self, on_stage: Callable[[str, float, float], None] | None = None) -> None:
        self.stages: dict[str, float] = {}
        self._on_stage = on_stage
        self._stage: str | None = None
        self._since = 0.0

    def enter(self, stage: str) -> None:
        """The stage reports."""
        if stage != self._stage:
            self.stop()
            self._stage = stage

    def stop(self) -> None:
        """The stage that was going on has ended."""
        now = time.time()
        if self._stage is not None:
            self.stages[self._stage] = self.stages.get(self._stage, 0.0) + now - self._since
            if self._on_stage is not None:
                self._on_stage(self._stage, self._since, now)
        self._stage, self._since = None, now


class Measuring:
    """Measures one attempt, from its claim on."""

    def __init__(self, job: Job) -> None:
        self.stopwatch = Stopwatch(partial(_trace, job))
        self.audio_s = 0.0
        self._asked, self._asked_s = "", 0.0
        self._queue = job.queue
        self._queued_s = None
        if job.attempt == 1 and job.start_time is not None:
            # The clocks of the server and of the database may differ.
            self._queued_s = max((job.start_time - job.create_time).total_seconds(), 0.0)
        self._begun, self._cpu_begun = time.monotonic(), time.process_time()

    def decoded(self, seconds: float) -> None:
        """That much audio was decoded."""
        self.audio_s = seconds

    def asked(self, outcome: str, seconds: float) -> None:
        """A language model was asked, for so long."""
        self._asked, self._asked_s = outcome, seconds

    def ended(self, outcome: str) -> Measurement:
        """What was measured, now that the end is written."""
        return Measurement(
            queue=self._queue,
            outcome=outcome,
            queued_s=self._queued_s,
            run_s=time.monotonic() - self._begun,
            cpu_s=time.process_time() - self._cpu_begun,
            audio_s=self.audio_s,
            stages=self.stopwatch.stages,
            asked=self._asked,
            asked_s=self._asked_s,
        )


def _trace(job: Job, stage: str, begun_s: float, ended_s: float) -> None:
    tracing.ended(stage, begun_s, ended_s, job_id=job.job_id, attempt=job.attempt)


class Pipe:
    """From the children to their main process; made before the first of them."""

    # Celery makes the tasks: the life cycle puts the worker's own here, where metrics are wanted.
    of_worker: ClassVar["Pipe | None"] = None

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)

    def send(self, measurement: Measurement) -> None:
        """Sends it, unless the pipe is full: then it is lost."""
        line = measurement.to_line()
        if len(line) <= LONGEST_LINE_BYTES:
            with suppress(BlockingIOError, BrokenPipeError):
                os.write(self._write_end, line)

    def close(self) -> None:
        """Lets `receive` end, once it has read what was sent."""
        os.set_blocking(self._write_end, True)
        os.write(self._write_end, b"\n")

    def receive(self, take: Callable[[Measurement], None]) -> None:
        """Hands on what is sent, until the pipe is closed."""
        rest = b""
        while chunk := os.read(self._read_end, 65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if not line:
                    return
                take(Measurement.from_line(line))


def tell(measurement: Measurement) -> None:
    """Tells the main process, where that wants to know."""
    if Pipe.of_worker is not None:
        Pipe.of_worker.send(measurement)


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 6)
        case dict():
            return {name: _rounded(part) for name, part in value.items()}
        case _:
            return value
