"""The part of a worker that reads from the broker: it is back soon after the broker is, however long that was away."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from celery.worker.consumer import Consumer

if TYPE_CHECKING:
    from harken.tasks.metrics import WorkerMetrics

LOG = logging.getLogger(__name__)

# Celery's own pause between tries grows by 2 s with each, up to 30.
RETRY_FIRST_S = 0.5
RETRY_STEP_S = 0.5
RETRY_LONGEST_S = 2.0


class PromptConsumer(Consumer):
    """Celery's consumer with shorter pauses between tries to connect, which survives any end of a connection."""

    # Celery makes the consumer: the life cycle puts the worker's own here, where metrics are wanted.
    metrics: ClassVar["WorkerMetrics | None"] = None

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Refuses a message that cannot be read, as one that is not signed; the job in it is published again."""
        self._refuse(message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ARG002 # Celery would log it
        """Refuses a message in a form that is not accepted."""
        self._refuse(message, exc)

    def _refuse(self, message: Any, error: Exception) -> None:
        # Without its content, which may be of anybody.
        LOG.error("a message in Redis is refused: %s: %s", type(error).__name__, error)
        if self.metrics is not None:
            self.metrics.message_refused()
        lost: Any = self.connection_errors  # pyright: ignore[reportAttributeAccessIssue] # the stubs lack it
        message.ack_log_error(LOG, lost)

    def ensure_connected(self, conn: Any) -> Any:
        """The connection, once the broker answers."""
        conn.ensure_connection = partial(
            conn.ensure_connection,
            interval_start=RETRY_FIRST_S,
            interval_step=RETRY_STEP_S,
            interval_max=RETRY_LONGEST_S,
        )
        return super().ensure_connected(conn)

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Acknowledges a message, unless the connection that it came by is lost: then the broker has it still.

        Kombu finds no connection where the channel had one, which is no error of the broker's either.
        """
        soon: Any = super().call_soon_ack  # pyright: ignore[reportAttributeAccessIssue] # the stubs lack it
        return soon(partial(_acknowledged, p), *args, **kwargs)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Lets a lost connection go.

        Where it is lost while a message is out, closing it may meet what was taken apart already, with an error
        that is none of the broker's: the whole worker would end of it, and its jobs count a crash.
        """
        lost: Any = self.connection
        lost.close = partial(_closed, lost.close)
        super().on_connection_error_after_connected(exc)


def _acknowledged(acknowledge: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    try:
        acknowledge(*args, **kwargs)
    except AttributeError as error:
        message: Any = getattr(acknowledge, "__self__", None)
        if message is None or getattr(message.channel.connection, "client", None) is not None:
            raise  # the connection is there: this is a fault
        LOG.warning("a message could not be acknowledged, its connection is lost: %r", error)


def _closed(close: Callable[[], None]) -> None:
    try:
        close()
    except Exception as error:
        LOG.warning("the lost connection could not be closed: %r", error)
