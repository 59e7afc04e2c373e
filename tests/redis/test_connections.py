"""Connections to Redis: encrypted, and by way of Sentinels through a failover."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from harken.jobs.queueing.bell import CHANNEL, NEWS, Bell
from harken.redis.connections import connect, connect_async, connect_pool
from harken.server.housekeeping.publisher import BrokerGone, Publisher
from harken.settings import Settings
from tests.conftest import eventually
from tests.redis.encrypted import Encrypted, encrypted
from tests.redis.watched import Watched, watched


@pytest.fixture
def behind_tls(redis: str, tmp_path: Path) -> Iterator[Encrypted]:
    """A Redis that is reached by TLS alone, by those with a certificate."""
    with encrypted(redis, tmp_path) as running:
        yield running


@pytest.fixture
def by_sentinel(tmp_path: Path) -> Iterator[Watched]:
    """A Redis with a replica and a Sentinel."""
    with watched(tmp_path) as running:
        yield running


async def heard_once(url: str) -> bytes:
    """What the bell says to one who listens at the URL, rung at the same."""
    listener = connect_async(url, socket_timeout=None, socket_connect_timeout=2)
    async with listener.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        bell = Bell(url)
        heard = pubsub.listen()
        await anext(heard)  # that it listens
        await asyncio.to_thread(bell.ring, NEWS)
        message = await anext(heard)
    bell.close()
    await listener.aclose()
    return message["data"]


async def written_and_read(client: AsyncRedis, value: str) -> object:
    await client.set("key", value)
    read = await asyncio.gather(*(client.get("key") for _ in range(20)))  # more than connections
    return read[-1]


async def test_the_bell_is_heard_over_tls(behind_tls: Encrypted) -> None:
    assert await heard_once(behind_tls.url()) == NEWS


async def test_a_pool_reads_over_tls(behind_tls: Encrypted) -> None:
    client = connect_pool(behind_tls.url(), connections=4, wait_s=5, socket_timeout=5)

    assert await written_and_read(client, "a") == b"a"

    await client.aclose()


async def test_a_server_of_another_authority_is_not_believed(
    behind_tls: Encrypted, tmp_path: Path
) -> None:
    """Neither by harken's own connections nor by Celery's, though nothing says how to check."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    url = behind_tls.url(ssl_ca_certs=str(other))
    at_once = Retry(NoBackoff(), 0)
    refused = pytest.raises(RedisError, match="CERTIFICATE_VERIFY_FAILED")
    with connect(url, retry=at_once) as client, refused:
        client.ping()

    publisher = Publisher(Settings(broker_url=url))
    with pytest.raises(BrokerGone, match="CERTIFICATE_VERIFY_FAILED"):
        await publisher.ping()
    await publisher.close()


async def test_the_publisher_reaches_redis_over_tls(behind_tls: Encrypted) -> None:
    publisher = Publisher(Settings(broker_url=behind_tls.url()))

    await publisher.ping()

    await publisher.close()


async def test_all_connections_find_the_primary_before_and_after_a_failover(
    by_sentinel: Watched,
) -> None:
    pool = connect_pool(by_sentinel.url, connections=4, wait_s=5, socket_timeout=5)
    publisher = Publisher(Settings(broker_url=by_sentinel.url))
    assert await heard_once(by_sentinel.url) == NEWS
    assert await written_and_read(pool, "before") == b"before"
    await publisher.ping()

    await asyncio.to_thread(by_sentinel.fail_over)

    with connect(by_sentinel.url) as client:
        await asyncio.to_thread(eventually, lambda: answers(client))
    assert await heard_once(by_sentinel.url) == NEWS
    assert await written_and_read(pool, "after") == b"after"
    await publisher.ping()
    await publisher.close()
    await pool.aclose()


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:  # the Sentinel has not told of the new primary yet
        return False
