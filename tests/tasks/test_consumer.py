"""A worker whose broker was away for long is back soon after it."""

import itertools
import logging
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from kombu import Connection, Consumer, Message, Producer, Queue

from harken.embedded.redis_server import find_redis, redis_command, redis_socket_url
from harken.tasks import consumer
from harken.tasks.consumer import PromptConsumer
from tests.conftest import eventually


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries to connect, which are not slept."""
    slept: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", slept.append)
    return slept


def test_however_long_the_broker_is_away_the_pauses_stay_short(
    pauses: list[float], tmp_path: Path
) -> None:
    from harken.tasks.app import app

    made = PromptConsumer.__new__(PromptConsumer)
    made.app, made.first_connection_attempt, made.broker_connection_retry_attempt = app, True, 0
    tries = itertools.count()
    connection = Connection(redis_socket_url(tmp_path / "redis.sock"))
    connect = connection._connection_factory
    command = redis_command(find_redis(), tmp_path / "redis.sock")
    redis: list[subprocess.Popen[bytes]] = []

    def connect_at_the_hundredth_try() -> object:
        if next(tries) == 100:
            redis.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        return connect()

    connection._connection_factory = connect_at_the_hundredth_try
    try:
        made.ensure_connected(connection)
        assert connection.connected
        assert sum(pauses) > 100
        assert max(pauses) <= consumer.RETRY_LONGEST_S
    finally:
        connection.release()
        for process in redis:
            process.terminate()
            process.wait()


@pytest.mark.filterwarnings("ignore::celery.exceptions.CPendingDeprecationWarning")
def test_a_connection_that_is_lost_while_a_message_is_out_does_not_end_the_worker(
    tmp_path: Path,
) -> None:
    """As chaos found it: Celery's clean-up gave up half-way, and closing met what it had left."""
    from harken.tasks.app import app

    made = PromptConsumer.__new__(PromptConsumer)
    made.app, made.qos_global = app, False
    made.pool, made.prefetch_multiplier = SimpleNamespace(num_processes=1), 1
    command = redis_command(find_redis(), tmp_path / "redis.sock")
    redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    connection = made.connection = Connection(redis_socket_url(tmp_path / "redis.sock"))
    try:
        eventually(lambda: (tmp_path / "redis.sock").exists())
        for name, channel in (("out", connection.default_channel), ("other", connection.channel())):
            Consumer(channel, [Queue(name)], callbacks=[lambda *_: None]).consume()
        Producer(connection.default_channel).publish({}, routing_key="out")
        connection.drain_events(timeout=5)  # the message is out
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.1)  # and the next one asked for
    finally:
        redis.kill()
        redis.wait()

    made.on_connection_error_after_connected(ConnectionResetError())

    assert made.connection is None


@pytest.mark.filterwarnings("ignore::celery.exceptions.CPendingDeprecationWarning")
def test_a_message_whose_connection_is_lost_is_acknowledged_in_vain_and_the_worker_goes_on(
    redis: str,
) -> None:
    """As chaos found it: kombu looks for the host of a connection that its channel has no longer."""
    made = PromptConsumer.__new__(PromptConsumer)
    made.hub = SimpleNamespace(call_soon=lambda acknowledge: acknowledge())
    received: list[Message] = []
    connection = Connection(redis)
    out = Consumer(
        connection.default_channel, [Queue("out")], callbacks=[lambda _, m: received.append(m)]
    )
    out.consume()
    Producer(connection.default_channel).publish({}, routing_key="out")
    connection.drain_events(timeout=5)
    errors = connection.connection_errors
    (message,) = received
    # As Celery and kombu let go of a lost connection.
    connection.collect()
    message.channel._disconnect_pools()
    with pytest.raises(AttributeError):
        message.ack()

    made.call_soon_ack(message.ack_log_error, logging.getLogger(), errors)
