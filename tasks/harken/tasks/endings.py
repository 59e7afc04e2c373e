"""How attempts ended whose process is dead: what the main process writes in the child's place."""

import re
import threading
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from harken.jobs import clock, execution
from harken.jobs.queueing import outbox
from harken.jobs.state import JobState

# How a process ends that was asked to by SIGTERM, in the words of the system and of the pool.
TERMINATED = re.compile(r"SIGTERM|exit ?code 15\b|-241")


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """Why a child was killed or died: at a time limit, because its worker stops, or else of `cause`."""

    cause: str
    limit_s: float | None = None
    hand_back: bool = False


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A process that is gone, since `gone_at` of `time.monotonic`, and the job that it was on."""

    job_id: str
    pid: int
    gone_at: float
    sentence: Sentence


class Endings:
    """Those that are not written yet, in order. `news` is set when one was added."""

    def __init__(self) -> None:
        self.news = threading.Event()
        self._waiting: deque[Ending] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, ending: Ending) -> None:
        """Takes an ending."""
        self._waiting.append(ending)
        self.news.set()

    def first(self) -> Ending | None:
        """The next one to write."""
        return self._waiting[0] if self._waiting else None

    def written(self) -> None:
        """The first one is."""
        self._waiting.popleft()


# A SIGTERM for all processes of a worker, and Celery's cold shutdown, may reach the main process last.
STOP_KNOWN_WITHIN_S = 1.0


def undecided(ending: Ending, *, stopping: bool, monotonic: float) -> bool:
    """Whether it is to be seen yet if the worker's stop is the cause."""
    terminated = TERMINATED.search(ending.sentence.cause) is not None
    return terminated and not stopping and monotonic < ending.gone_at + STOP_KNOWN_WITHIN_S


def handed_back(sentence: Sentence, *, stopping: bool) -> bool:
    """Whether the worker's stop is the cause, such as a SIGTERM that went to all its processes."""
    return sentence.hand_back or (stopping and TERMINATED.search(sentence.cause) is not None)


def write(
    connection: Connection,
    ending: Ending,
    *,
    worker: str,
    stopping: bool,
    max_crashes: int,
    monotonic: float,
) -> JobState | None:
    """Writes an ending; returns the state written, None when the process held the job no longer, or not yet."""
    now = clock.now(connection)
    stopped_time = now - timedelta(seconds=monotonic - ending.gone_at)
    job_id, sentence = ending.job_id, ending.sentence
    attempt = execution.attempt_of(connection, job_id, worker=worker, pid=ending.pid)
    if attempt is None:
        # It may have died before its claim, and the message with it.
        outbox.publish_again(connection, job_id)
        return None
    if sentence.limit_s is not None:
        return execution.expire(connection, job_id, attempt, now, limit_s=sentence.limit_s)
    if handed_back(sentence, stopping=stopping):
        return execution.hand_back(connection, job_id, attempt, now, stopped_time=stopped_time)
    return execution.lose(
        connection,
        job_id,
        attempt,
        now,
        cause=sentence.cause,
        max_crashes=max_crashes,
        stopped_time=stopped_time,
    )
