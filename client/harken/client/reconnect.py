"""How long to go on without a server, and how long to pause between two attempts."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from harken.client.deadline import Deadline
from harken.client.errors import Aborted, HarkenError, LimitExceeded, ServerUnavailable


@dataclass(frozen=True, kw_only=True)
class Reconnect:
    """What a watch or a wait does when it loses its server. All times in seconds."""

    give_up_after: float = 60.0
    """Time without any answer after which ServerUnavailable is raised; 0 gives up at once."""
    first_pause: float = 0.1
    max_pause: float = 5.0

    def pause(self, failures: int, chance: float) -> float:
        """The pause after so many failures in a row (1, 2 …).

        It doubles each time, up to `max_pause`, and is scattered over its upper half.
        `chance` is a number from 0 to 1; it keeps clients that lost the same server from coming
        back all at once.
        """
        longest = min(self.max_pause, self.first_pause * 2 ** min(failures - 1, 30))
        return longest * (0.5 + chance / 2)


class Patience:
    """Counts the failures since the last answer."""

    def __init__(self, policy: Reconnect, *, chance: random.Random | None = None) -> None:
        self._policy = policy
        self._chance = chance or random.Random()
        self._failures = 0
        self._since = 0.0

    def answered(self) -> None:
        """An answer came: the next failure is the first again."""
        self._failures = 0

    def lost(self, failure: HarkenError, now: float) -> float:
        """The pause in seconds before the next attempt.

        Raises what cannot be waited out, and the failure when the time is over.
        `now` is a monotonic clock's reading in seconds.
        """
        if not isinstance(failure, ServerUnavailable | Aborted):
            raise failure
        if self._failures == 0:
            self._since = now
        self._failures += 1
        left = self._since + self._policy.give_up_after - now
        if left <= 0:
            raise failure
        return min(left, self._policy.pause(self._failures, self._chance.random()))


def pause_before_another(
    refused: LimitExceeded, deadline: Deadline, chance: Callable[[], float] = random.random
) -> float:
    """The pause in seconds that the server has asked for before the call is made again.

    It is up to a quarter longer, so that those who were refused together do not come back together; half of the time
    that would be left is the call's all the same. Raises what was refused where no pause was asked for, or more than is
    left of the call's time.
    """
    asked = refused.retry_after
    left = deadline.left()
    if asked is None or (left is not None and asked >= left):
        raise refused
    longer = asked / 4 if left is None else min(asked / 4, (left - asked) / 2)
    return asked + longer * chance()
