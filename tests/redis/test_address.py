"""What a URL says of where Redis is."""

from pathlib import Path
from typing import Any

import pytest

from harken.redis.address import NoRedisAddress, RedisAddress, parse_broker_url, parse_redis_url
from harken.redis.connections import celery_options

CA = "/etc/redis/ca.pem"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://h", {"hosts": (("h", 6379),), "database": 0, "tls": None}),
        ("redis://h:1/2", {"hosts": (("h", 1),), "database": 2}),
        ("redis://[::1]:1/2", {"hosts": (("::1", 1),)}),
        ("redis://ann:a%2Fb@h/", {"username": "ann", "password": "a/b"}),
        ("redis://:pw@h", {"username": None, "password": "pw"}),
        ("redis+socket:///run/r.sock", {"path": "/run/r.sock", "hosts": ()}),
        ("redis+socket:///r.sock?virtual_host=3", {"path": "/r.sock", "database": 3}),
        ("redis+socket://:pw@/r.sock", {"path": "/r.sock", "password": "pw"}),
        ("rediss://h/1", {"tls": {"ssl_cert_reqs": "required", "ssl_check_hostname": True}}),
        (
            f"rediss://h?ssl_cert_reqs=CERT_NONE&ssl_ca_certs={CA}",
            {
                "tls": {
                    "ssl_cert_reqs": "none",
                    "ssl_ca_certs": CA,
                    "ssl_check_hostname": False,
                }
            },
        ),
        (
            "sentinel://:pw@a;b:1/2?master_name=m",
            {"hosts": (("a", 26379), ("b", 1)), "password": "pw", "database": 2, "tls": None},
        ),
        (
            "sentinel://:pw@a:1/2;sentinel://:pw@b:1/2?master_name=m&sentinel_password=s",
            {"hosts": (("a", 1), ("b", 1)), "master_name": "m", "sentinel_password": "s"},
        ),
    ],
)
def test_a_url_says_where_redis_is(url: str, says: dict[str, Any]) -> None:
    address = RedisAddress.of(url)

    assert {name: getattr(address, name) for name in says} == says


@pytest.mark.parametrize(
    "url",
    [
        "redis://h:1/2",
        "redis://:a%2Fb@[::1]:6379/0",
        "redis+socket:///run/r.sock",
        "redis+socket:///run/r.sock?virtual_host=3",
        "rediss://ann:pw@h:6379/1",
    ],
)
def test_celery_reads_a_url_as_harken_does(url: str) -> None:
    assert RedisAddress.of(RedisAddress.of(url).celery_url) == RedisAddress.of(url)


def test_celery_is_told_all_sentinels_with_what_redis_wants_to_know() -> None:
    address = RedisAddress.of("sentinel://u:pw@a;[::2]:7/3?master_name=m&sentinel_password=s")

    assert address.celery_url == "sentinel://u:pw@a:26379/3;sentinel://u:pw@[::2]:7/3"
    options = celery_options(address, connect_within_s=5)
    assert options["master_name"] == "m"
    assert options["sentinel_kwargs"]["password"] == "s"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("rediscluster://:geheim@h", "Redis Cluster cannot carry tasks"),
        ("redis+cluster://:geheim@h", "Redis Cluster cannot carry tasks"),
        ("valkey://:geheim@h", "begin with one of redis://"),
        ("redis://:geheim@h/music", "is no number of a database"),
        ("redis://:geheim/x@h/1", "escaped"),
        ("redis://:geheim@h;:geheim@i", "for sentinel:// alone"),
        ("redis://:geheim@h?ssl_cert_reqs=none", "rediss://"),
        ("redis://:geheim@h?timeout=3", "timeout is none of its options"),
        ("rediss://:geheim@h?ssl_cert_reqs=perhaps", "one of required, optional, none"),
        ("rediss://:geheim@h?ssl_check_hostname=perhaps", "true or false"),
        ("rediss://:geheim@h?ssl_certfile=/x", "needs both"),
        ("sentinel://:geheim@h", "master_name"),
        ("redis+socket://:geheim@h", "whole path"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason_and_no_secret(url: str, why: str) -> None:
    with pytest.raises(NoRedisAddress, match=why) as refused:
        parse_redis_url(url)

    assert "geheim" not in str(refused.value)
    with pytest.raises(NoRedisAddress, match=why):
        parse_broker_url(url)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoRedisAddress, match=r"ssl_ca_certs names no file: .*ca\.pem"):
        parse_redis_url(f"rediss://h?ssl_ca_certs={tmp_path}/ca.pem")


def test_a_broker_that_is_no_redis_is_for_celery_to_judge() -> None:
    assert parse_broker_url("amqp://h") == "amqp://h"
    with pytest.raises(NoRedisAddress):
        parse_redis_url("amqp://h")


def test_an_address_is_shown_without_its_secrets() -> None:
    address = RedisAddress.of("sentinel://geheim:geheim@h?master_name=m&sentinel_password=geheim")

    assert "geheim" not in repr(address)
