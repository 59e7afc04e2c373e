"""Whether the broker still has what was published: it does for as long as it keeps a mark that was set there.

A Redis that was restarted empty, flushed or replaced has lost the mark together with the messages.
"""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from harken.jobs.bell import redis_url

KEY = "harken:epoch"
ANSWER_WITHIN_S = 1.0


class Epoch:
    """The mark in the broker; with a broker other than Redis there is none, and nothing is ever lost."""

    def __init__(self, broker_url: str) -> None:
        url = redis_url(broker_url)
        self._redis = (
            Redis.from_url(
                url, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S
            )
            if url.startswith(("redis://", "rediss://", "unix://"))
            else None
        )

    async def is_over(self) -> bool:
        """True when the broker answers and the mark is gone."""
        if self._redis is None:
            return False
        try:
            return not await self._redis.exists(KEY)
        except (RedisError, OSError, TimeoutError):
            return False

    async def begin(self, name: str) -> None:
        """Sets the mark, once what was lost is noted to be published again."""
        if self._redis is not None:
            await self._redis.set(KEY, name)

    async def close(self) -> None:
        """Closes the connections."""
        if self._redis is not None:
            await self._redis.aclose()
