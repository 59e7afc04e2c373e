"""The bell is heard without whoever rings it waiting, and after Redis was away."""

import time
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.client import PubSub

from harken.jobs.queueing.bell import CHANNEL, NEWS, WORK, Bell
from harken.redis.connections import connect

PAUSE_S = 1.0


@pytest.fixture
def bell(redis: str) -> Iterator[Bell]:
    bell = Bell(redis)
    yield bell
    bell.close()


@pytest.fixture
def client(redis: str) -> Iterator[Redis]:
    with connect(redis) as client:
        yield client


@pytest.fixture
def listener(client: Redis) -> Iterator[PubSub]:
    with client.pubsub() as listener:
        listener.subscribe(CHANNEL)
        assert listener.get_message(timeout=5)  # that it listens
        yield listener


def heard(listener: PubSub, count: int) -> list[bytes]:
    messages = [listener.get_message(timeout=5) for _ in range(count)]
    return [message["data"] for message in messages if message]


def test_each_ring_is_heard_in_order(bell: Bell, listener: PubSub) -> None:
    words = [NEWS, WORK, WORK, NEWS, WORK]
    for word in words:
        bell.ring(word)
    assert heard(listener, len(words)) == words


def test_nobody_waits_for_redis(bell: Bell, client: Redis, listener: PubSub) -> None:
    bell.ring(WORK)
    assert heard(listener, 1) == [WORK]
    client.client_pause(round(PAUSE_S * 1000), all=False)  # what is published waits
    began = time.monotonic()
    bell.ring(NEWS)
    assert time.monotonic() - began < PAUSE_S / 2
    assert heard(listener, 1) == [NEWS]


def test_a_connection_that_ended_is_replaced(bell: Bell, client: Redis, listener: PubSub) -> None:
    bell.ring(WORK)
    assert heard(listener, 1) == [WORK]
    client.client_kill_filter(_type="normal", skipme=True)
    bell.ring(NEWS)
    assert heard(listener, 1) == [NEWS]


def test_what_redis_refuses_disturbs_nobody(redis: str, client: Redis, listener: PubSub) -> None:
    client.acl_setuser("mute", enabled=True, nopass=True, commands=["+hello", "+client", "+select"])
    try:
        bell = Bell(redis.replace("://", "://mute:any@", 1))
        bell.ring(WORK)
        bell.ring(WORK)
        bell.close()
        assert listener.get_message(timeout=0.1) is None
    finally:
        client.acl_deluser("mute")
