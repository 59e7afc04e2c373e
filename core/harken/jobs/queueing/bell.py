"""The doorbell: every writer rings it once it has committed, so that nobody has to poll.

It is a Redis channel, whose messages tell by a word how the relay takes them. A ring can get lost, with Redis gone even
all of them: who listens looks into the database once a second regardless.
"""

from contextlib import suppress
from threading import Lock

from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from harken.redis.connections import connect

CHANNEL = "harken:bell"
NEWS = b""  # something has changed; workers that take jobs from the window are no reason to hurry
WORK = b"work"  # there may be a job to publish


class Bell:
    """Rings from a process of its own pace, such as a worker's.

    What Redis answers is read before the next ring, so that nobody waits for it.
    """

    def __init__(self, url: str) -> None:
        # Once more, as after a restart of Redis; redis-py would go on for seconds, in which a job could have run.
        again = Retry(NoBackoff(), 1)
        self._redis = connect(url, socket_timeout=1, socket_connect_timeout=1, retry=again)
        self._connection: Connection | None = None
        self._unanswered = False
        self._lock = Lock()

    def ring(self, word: bytes = NEWS) -> None:
        """Tells that something was committed."""
        with self._lock:
            for _ in range(2):  # the connection may have ended since the last ring
                try:
                    self._send(word)
                except RedisError:  # the listeners look by themselves within a second
                    self._let_go()
                else:
                    return

    def close(self) -> None:
        """Closes the connections, once the last ring was heard."""
        with self._lock:
            with suppress(RedisError):
                self._hear_answer()
            self._let_go()
            self._redis.close()

    def _send(self, word: bytes) -> None:
        self._hear_answer()
        if self._connection is None:
            self._connection = self._redis.connection_pool.get_connection()
        elif self._connection.can_read():  # nothing is to come but its end
            raise RedisError
        self._connection.send_command("PUBLISH", CHANNEL, word)
        self._unanswered = True

    def _hear_answer(self) -> None:
        if self._connection is not None and self._unanswered:
            self._unanswered = False
            with suppress(ResponseError):  # refused: a new connection would be so too
                self._connection.read_response()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._redis.connection_pool.release(self._connection)
        self._connection, self._unanswered = None, False
