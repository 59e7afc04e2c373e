"""The doorbell: every writer rings it once it has committed, so that nobody has to poll.

It is a Redis channel, whose messages tell by a word how the relay takes them. A ring can get lost, with Redis gone even
all of them: who listens looks into the database once a second regardless.
"""

from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError

CHANNEL = "harken:bell"
NEWS = b""  # something has changed; workers that take jobs from the window are no reason to hurry
WORK = b"work"  # there may be a job to publish


def redis_url(url: str) -> str:
    """A Celery URL of Redis in redis-py's spelling: sockets are `unix://` there."""
    return url.replace("redis+socket://", "unix://", 1)


class Bell:
    """Rings from a process that can wait a moment, such as a worker's."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(redis_url(url), socket_timeout=1, socket_connect_timeout=1)

    def ring(self, word: bytes = NEWS) -> None:
        """Tells that something was committed."""
        with suppress(RedisError):  # the listeners look by themselves within a second
            self._redis.publish(CHANNEL, word)

    def close(self) -> None:
        """Closes the connections."""
        self._redis.close()
