"""The doorbell: every writer rings it once it has committed, so that nobody has to poll.

It is a Redis channel, whose messages tell by a word how the relay takes them. A ring can get lost, with Redis gone even
all of them: who listens looks into the database once a second regardless.
"""

from contextlib import suppress

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from harken.redis.connections import connect

CHANNEL = "harken:bell"
NEWS = b""  # something has changed; workers that take jobs from the window are no reason to hurry
WORK = b"work"  # there may be a job to publish


class Bell:
    """Rings from a process that can wait a moment, such as a worker's."""

    def __init__(self, url: str) -> None:
        # Once more, as after a restart of Redis; redis-py would go on for seconds, in which a job could have run.
        again = Retry(NoBackoff(), 1)
        self._redis = connect(url, socket_timeout=1, socket_connect_timeout=1, retry=again)

    def ring(self, word: bytes = NEWS) -> None:
        """Tells that something was committed."""
        with suppress(RedisError):  # the listeners look by themselves within a second
            self._redis.publish(CHANNEL, word)

    def close(self) -> None:
        """Closes the connections."""
        self._redis.close()
