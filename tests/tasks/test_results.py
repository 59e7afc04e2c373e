"""Celery's results as harken writes them: what Celery would write, without asking before."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, _state
from celery.backends.redis import RedisBackend, SentinelBackend
from redis import Redis

from harken.redis.connections import connect
from harken.settings import Settings
from harken.tasks.app import make_app
from harken.tasks.results import Unasked, UnaskedBySentinels

ID = "6e6c3e3e"
KEY = "celery-task-meta-" + ID
RESULT = {"job_id": ID, "state": "SUCCEEDED"}


@pytest.fixture
def client(redis: str) -> Iterator[Redis]:
    with connect(redis) as client:
        yield client


@pytest.fixture
def backend(redis: str) -> Iterator[Any]:
    """That of an app of its own; the current one stays."""
    before: Any = _state.get_current_app()
    app = make_app(Settings(broker_url=redis, result_backend=redis))
    yield app.backend
    app.close()
    before.set_current()


def stored(client: Redis) -> dict[str, Any]:
    text: Any = client.get(KEY)
    return {name: value for name, value in json.loads(text).items() if name != "date_done"}


@pytest.mark.parametrize(("state", "result"), [("SUCCESS", RESULT), ("PROGRESS", {"attempt": 1})])
def test_a_result_is_what_celery_writes_and_kept_as_long(
    redis: str, client: Redis, backend: Any, state: str, result: dict[str, Any]
) -> None:
    celery = Celery(backend=redis, set_as_current=False)
    celery.conf.update(backend.app.conf)
    with client.pubsub() as listener:
        listener.subscribe(KEY)
        assert listener.get_message(timeout=5)
        RedisBackend(app=celery, url=backend.url).store_result(ID, result, state)
        written, kept_s = stored(client), client.ttl(KEY)
        assert listener.get_message(timeout=5)
        backend.store_result(ID, result, state)
        assert stored(client) == written
        assert client.ttl(KEY) == pytest.approx(kept_s, abs=5)
        assert listener.get_message(timeout=5)


def test_nothing_is_asked_before_progress_and_success(client: Redis, backend: Any) -> None:
    backend.store_result(ID, {"attempt": 1}, "PROGRESS")  # it is connected
    client.config_resetstat()
    backend.store_result(ID, {"attempt": 1}, "PROGRESS")
    backend.store_result(ID, RESULT, "SUCCESS")
    commands: Any = client.info("commandstats")
    assert "cmdstat_get" not in commands
    assert commands["cmdstat_setex"]["calls"] == 2


def test_a_failure_that_celery_reports_late_leaves_a_success(client: Redis, backend: Any) -> None:
    backend.store_result(ID, RESULT, "SUCCESS")
    backend.store_result(ID, "late", "FAILURE")
    assert stored(client)["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://backend/2", Unasked),
        ("rediss://backend/2", Unasked),
        ("redis+socket:///run/redis.sock", Unasked),
        ("sentinel://a:26379;b:26379/2?master_name=m", UnaskedBySentinels),
    ],
)
def test_every_kind_of_address_leads_to_it(url: str, kind: type[RedisBackend]) -> None:
    before: Any = _state.get_current_app()
    app = make_app(Settings(broker_url=url, result_backend=url))
    try:
        backend: Any = app.backend
        assert type(backend) is kind
        assert isinstance(backend, SentinelBackend) == url.startswith("sentinel")
    finally:
        app.close()
        before.set_current()
