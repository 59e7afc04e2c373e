"""The part of a worker that reads from the broker: it is back soon after the broker is, however long that was away."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

# Celery's own pause between tries grows by 2 s with each, up to 30.
RETRY_FIRST_S = 0.5
RETRY_STEP_S = 0.5
RETRY_LONGEST_S = 2.0


class PromptConsumer(Consumer):
    """Celery's consumer with shorter pauses between tries to connect."""

    def ensure_connected(self, conn: Any) -> Any:
        """The connection, once the broker answers."""
        conn.ensure_connection = partial(
            conn.ensure_connection,
            interval_start=RETRY_FIRST_S,
            interval_step=RETRY_STEP_S,
            interval_max=RETRY_LONGEST_S,
        )
        return super().ensure_connected(conn)
