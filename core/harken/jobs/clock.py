"""The one clock by which jobs are made, leased, led and cancelled: the database's."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from sqlalchemy import Connection, text

ASKED_EVERY_S: Final = (
    1.0  # of a connection; in between the time is reckoned on from the last answer
)

_ANSWER: Final = "harken_clock"
# Unlike the monotonic clock it goes on while the machine is suspended. Only Linux has it.
_STOPWATCH: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now(connection: Connection) -> datetime:
    """The time, so that a host whose clock is off, or is set, neither loses nor keeps a job.

    SQLite has the host's clock, which all its processes share.
    """
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    moment = time.clock_gettime(_STOPWATCH)
    answer = cast(tuple[datetime, float] | None, connection.info.get(_ANSWER))
    if answer is not None and moment - answer[1] < ASKED_EVERY_S:
        return answer[0] + timedelta(seconds=moment - answer[1])
    # Not now(): that is when the transaction began, which may have waited for a lock since.
    told = connection.execute(text("SELECT clock_timestamp()")).scalar_one().astimezone(UTC)
    connection.info[_ANSWER] = told, time.clock_gettime(_STOPWATCH)
    return told
