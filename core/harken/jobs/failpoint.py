"""Points at which a process can be made to die, for tests of what is left of its work (`docs/decisions/010`).

Where HARKEN_FAILPOINTS names a folder, a file in it with the name of a point arms that point: the next process that
comes by takes the file away and kills itself. Without the variable a point is a call that does nothing.
"""

import os
import signal
from enum import StrEnum
from pathlib import Path

VARIABLE = "HARKEN_FAILPOINTS"


class Point(StrEnum):
    """Between which two steps the process dies."""

    COMMIT = "commit"  # a server's writes are made, and not committed; of one statement, neither
    COMMITTED = "committed"  # they are committed, and nobody was answered
    PUBLISH = "publish"  # jobs are due, and the broker has none of them
    PUBLISHED = "published"  # the broker has them, and they are not marked
    CLAIM = "claim"  # a worker has the message, and has not claimed the job
    CLAIMED = "claimed"  # the job is claimed, and the work not begun
    COMPUTED = "computed"  # the work is done, and its end not written
    RESULT = "result"  # of a success the state is written and the result is not; of one statement, neither
    ENDED = "ended"  # the end is committed, and the message not acknowledged


_FOLDER = os.environ.get(VARIABLE)

if _FOLDER is None:

    def failpoint(point: Point) -> None:
        """Does nothing."""

else:
    _ARMED = Path(_FOLDER)

    def failpoint(point: Point) -> None:
        """Kills this process as SIGKILL does, if the point is armed."""
        try:
            (_ARMED / point).unlink()  # of several processes one has it
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
