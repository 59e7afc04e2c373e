"""The connections to Redis that harken makes itself, for the bell and for progress; Celery makes its own.

By way of Sentinels a connection is made to the Redis that is the primary then, and anew after a failover.
"""

from typing import Any

from redis import Redis
from redis.asyncio import BlockingConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from harken.redis.address import RedisAddress

# A Sentinel that is down is passed over at once for the next one; redis-py would try it ten times.
_ONCE = Retry(NoBackoff(), 0)
_ONCE_ASYNC = AsyncRetry(NoBackoff(), 0)


def connect(url: str, **options: Any) -> Redis:
    """A client that blocks; `options` are redis-py's. Raises NoRedisAddress; it connects when it is used."""
    address = RedisAddress.of(url)
    if not address.master_name:
        return Redis(**_one_host(address), **options)
    return Sentinel(**_sentinels(address, options, _ONCE)).master_for(
        address.master_name, redis_class=_ByWayOfSentinels
    )


def connect_async(url: str, **options: Any) -> AsyncRedis:
    """A client for asyncio; `options` are redis-py's. Raises NoRedisAddress; it connects when it is used."""
    address = RedisAddress.of(url)
    if not address.master_name:
        return AsyncRedis(**_one_host(address), **options)
    return AsyncSentinel(**_sentinels(address, options, _ONCE_ASYNC)).master_for(
        address.master_name, redis_class=_AsyncByWayOfSentinels
    )


def connect_pool(url: str, *, connections: int, wait_s: float, **options: Any) -> AsyncRedis:
    """The same with so many connections at most: who finds all taken waits that long."""
    address = RedisAddress.of(url)
    bounds: dict[str, Any] = {"max_connections": connections, "timeout": wait_s}
    if address.master_name:
        return AsyncSentinel(**_sentinels(address, options, _ONCE_ASYNC)).master_for(
            address.master_name,
            redis_class=_AsyncByWayOfSentinels,
            connection_pool_class=_WaitingPool,
            **bounds,
        )
    kind: dict[str, Any] = {}
    if address.path:
        kind = {"connection_class": UnixDomainSocketConnection}
    elif address.tls is not None:
        kind = {"connection_class": SSLConnection}
    return AsyncRedis.from_pool(
        BlockingConnectionPool(**kind, **address.parameters, **options, **bounds)
    )


def celery_options(address: RedisAddress, *, connect_within_s: float) -> dict[str, Any]:
    """Options of Celery's transport and backend by which they find the primary; a Sentinel has that long to answer."""
    if not address.master_name:
        return {}
    times = {"socket_connect_timeout": connect_within_s, "socket_timeout": connect_within_s}
    return {
        "master_name": address.master_name,
        "sentinel_kwargs": {**times, "retry": _ONCE, **address.sentinel_parameters},
    }


class _ByWayOfSentinels(Redis):
    """Closes the connections to the Sentinels too."""

    def close(self) -> None:
        """Closes all."""
        super().close()
        manager: Sentinel = self.connection_pool.sentinel_manager  # pyright: ignore[reportAttributeAccessIssue] # its pool's
        manager.close()


class _AsyncByWayOfSentinels(AsyncRedis):
    """Closes the connections to the Sentinels too."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Closes all."""
        await super().aclose(close_connection_pool)
        manager: AsyncSentinel = self.connection_pool.sentinel_manager  # pyright: ignore[reportAttributeAccessIssue] # its pool's
        for sentinel in manager.sentinels:
            await sentinel.aclose()


class _WaitingPool(SentinelConnectionPool, BlockingConnectionPool):
    """A pool of connections to the primary in which one waits for a free one."""


def _one_host(address: RedisAddress) -> dict[str, Any]:
    parameters = address.parameters
    if address.path:
        parameters["unix_socket_path"] = parameters.pop("path")
    return {**parameters, "ssl": address.tls is not None}


def _sentinels(address: RedisAddress, options: dict[str, Any], retry: Any) -> dict[str, Any]:
    # They are to be asked with a time limit also where the connection to Redis itself has none.
    times = {name: value for name, value in options.items() if name == "socket_connect_timeout"}
    answered = options.get("socket_timeout") or options.get("socket_connect_timeout")
    encrypted = {"ssl": True} if address.tls is not None else {}
    return {
        "sentinels": address.hosts,
        "sentinel_kwargs": {
            **times,
            "socket_timeout": answered,
            "retry": retry,
            **address.sentinel_parameters,
        },
        **encrypted,
        **address.parameters,
        **options,
    }
