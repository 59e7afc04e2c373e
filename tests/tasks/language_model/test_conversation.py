"""Whatever an endpoint does, a job gets an answer that can be shown or a reason, in time, and no secret leaks."""

import json
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.tasks.language_model import conversation
from harken.tasks.language_model.answer import SCHEMA, parse_answer
from harken.tasks.language_model.backoff import LONGEST_WAIT_S, retry_after, wait_s
from harken.tasks.language_model.breaker import MOST_FAILURES, PAUSE_S, Breaker, Circuit
from harken.tasks.language_model.conversation import Memory, ask
from harken.tasks.language_model.endpoint import Endpoint
from harken.tasks.language_model.exchange import FORMS
from harken.tasks.language_model.failure import ModelFailure
from harken.tasks.progress import Cancelled
from tests.tasks.language_model.misbehaving_server import (
    GOOD,
    MisbehavingServer,
    completion,
    cut_off,
    drips,
    floods,
    hangs,
    says,
)

KEY = "sk-a-key-that-nobody-may-see"
MESSAGES = [{"role": "user", "content": "{}"}]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def server():
    """Answers well until it is told otherwise."""
    server = MisbehavingServer()
    yield server
    server.close()


def endpoint_at(url, timeout_s=20.0):
    return Endpoint(url=url, model="m", key=KEY, timeout_s=timeout_s)


def failure_at(url, *, memory=None, timeout_s=20.0):
    with pytest.raises(ModelFailure) as failed:
        ask(endpoint_at(url, timeout_s), MESSAGES, lambda: None, memory=memory or Memory())
    return failed.value


def answer_at(server, memory=None):
    return ask(endpoint_at(server.url), MESSAGES, lambda: None, memory=memory or Memory())


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits between attempts are as short as can be told."""
    monkeypatch.setattr("harken.tasks.language_model.backoff.FIRST_WAIT_S", 0.01)


def test_a_good_answer_is_taken_and_the_question_says_what_is_wanted(server):
    answer = answer_at(server)
    assert (answer.description, answer.tags) == (GOOD["description"], GOOD["tags"])
    asked = server.asked()
    assert (asked["model"], asked["messages"]) == ("m", MESSAGES)
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert asked["max_tokens"] > 0


def test_the_request_bears_the_key_and_tells_nothing_of_the_machine(server, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "an-organisation")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "a-project")
    answer_at(server)
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode().lower()
    names = {line.partition(":")[0] for line in head.split("\r\n")[1:]}
    assert f"authorization: bearer {KEY}" in head
    assert names <= {
        *("host", "content-type", "content-length", "authorization", "connection"),
        *("user-agent", "accept", "accept-encoding"),
    }


@pytest.mark.parametrize(
    ("script", "reason", "requests"),
    [
        (cut_off, "MODEL_UNREACHABLE", 3),
        (says(status=500), "MODEL_FAILED", 3),
        (says(status=502), "MODEL_FAILED", 3),
        (says(status=503), "MODEL_FAILED", 3),
        (says(status=429), "MODEL_BUSY", 3),
        (says(status=401), "MODEL_REFUSED", 1),
        (says(status=403), "MODEL_REFUSED", 1),
        (says(status=404), "MODEL_REFUSED", 1),
        (says(status=400), "MODEL_REFUSED", len(FORMS)),  # one of each form
        (says(b"<html>", kind="text/html"), "MODEL_ANSWER_INVALID", 3),
        (says(b"\xff\xfe\x00"), "MODEL_ANSWER_INVALID", 3),
        (says(b"{"), "MODEL_ANSWER_INVALID", 3),
        (says(b"[]"), "MODEL_ANSWER_INVALID", 3),
        (says({"choices": []}), "MODEL_ANSWER_INVALID", 3),
        (says({"choices": None}), "MODEL_ANSWER_INVALID", 3),
        (says(completion("no JSON")), "MODEL_ANSWER_INVALID", 3),
        (says(completion("{" * 10_000)), "MODEL_ANSWER_INVALID", 3),
        (says(completion('{"other": 1}')), "MODEL_ANSWER_INVALID", 3),
        (says(completion(finish_reason="length")), "MODEL_ANSWER_INVALID", 1),
        (says(completion(finish_reason="content_filter")), "MODEL_REFUSED", 1),
        (says(completion(refusal="I would rather not.")), "MODEL_REFUSED", 1),
        (floods, "MODEL_ANSWER_INVALID", 1),
        (says(b"x" * 50, headers=["content-encoding: gzip"]), "MODEL_ANSWER_INVALID", 1),
    ],
    ids=lambda value: getattr(value, "__qualname__", str(value)),
)
def test_each_way_to_fail_has_its_reason_and_is_tried_again_where_that_may_help(
    server, script, reason, requests, caplog
):
    server.scripts = [script]
    with caplog.at_level(logging.DEBUG):
        failure = failure_at(server.url)
    assert (failure.reason, len(server.requests)) == (reason, requests)
    assert KEY not in f"{failure}{caplog.text}"


def test_an_endpoint_that_is_not_there_is_unreachable():
    server = MisbehavingServer()
    server.close()
    assert failure_at(server.url).reason == "MODEL_UNREACHABLE"


def test_tls_that_is_not_spoken_is_unreachable(server):
    assert failure_at(server.url.replace("http:", "https:")).reason == "MODEL_UNREACHABLE"


@pytest.mark.parametrize("script", [hangs, drips])
def test_the_time_is_over_all_also_over_bytes_that_come_one_by_one(server, script):
    server.scripts = [script]
    begun = time.monotonic()
    assert failure_at(server.url, timeout_s=0.5).reason == "MODEL_TIMEOUT"
    assert time.monotonic() - begun < 5.0


def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(server):
    other = MisbehavingServer()
    try:
        server.scripts = [says(status=307, headers=[f"location: {other.url}/chat/completions"])]
        assert failure_at(server.url).reason == "MODEL_REFUSED"
        assert other.requests == []
    finally:
        other.close()


def test_a_proxy_of_the_environment_sees_nothing(server, monkeypatch):
    proxy = MisbehavingServer()
    try:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        answer_at(server)
        assert proxy.requests == []
    finally:
        proxy.close()


def test_success_at_the_third_try_is_success(server):
    server.scripts = [says(status=503), cut_off, says()]
    assert answer_at(server).description == GOOD["description"]


def test_an_endpoint_that_knows_no_schema_is_asked_for_json_and_then_for_text(server):
    prose = f"Of course! Here it is:\n```json\n{json.dumps(GOOD)}\n```\nAnything else {{?}}"
    server.scripts = [says(status=400), says(status=422), says(completion(prose))]
    assert answer_at(server).tags == GOOD["tags"]
    forms = [server.asked(number).get("response_format", {}).get("type") for number in range(3)]
    assert forms == ["json_schema", "json_object", None]


def test_a_retry_after_is_waited_for(server):
    server.scripts = [says(status=429, headers=["retry-after: 0.5"]), says()]
    answer_at(server)
    assert server.times[1] - server.times[0] >= 0.5


def test_a_retry_after_beyond_the_time_is_not_waited_for(server):
    server.scripts = [says(status=429, headers=["retry-after: 3600"])]
    begun = time.monotonic()
    assert failure_at(server.url).reason == "MODEL_BUSY"
    assert time.monotonic() - begun < 5.0


def test_a_cancel_is_seen_while_the_endpoint_is_silent(server):
    server.scripts = [hangs]
    begun = time.monotonic()

    def check():
        if time.monotonic() - begun > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        ask(endpoint_at(server.url), MESSAGES, check, memory=Memory())
    assert time.monotonic() - begun < 3.0


def test_an_endpoint_that_keeps_failing_is_left_alone_and_then_tried_once(server, monkeypatch):
    memory = Memory()
    server.scripts = [says(status=500)]
    assert failure_at(server.url, memory=memory).reason == "MODEL_FAILED"
    assert failure_at(server.url, memory=memory).reason == "MODEL_FAILED"
    assert len(server.requests) == MOST_FAILURES
    assert failure_at(server.url, memory=memory).reason == "MODEL_PAUSED"
    assert len(server.requests) == MOST_FAILURES

    later = time.monotonic() + PAUSE_S
    monkeypatch.setattr(conversation.time, "monotonic", lambda: later)
    assert failure_at(server.url, memory=memory).reason == "MODEL_FAILED"
    assert len(server.requests) == MOST_FAILURES + 1  # one trial, and open again
    assert failure_at(server.url, memory=memory).reason == "MODEL_PAUSED"


def test_an_endpoint_that_is_back_is_trusted_again(server):
    memory = Memory()
    memory.breaker = Breaker(failures=MOST_FAILURES, opened_at=time.monotonic() - PAUSE_S)
    answer_at(server, memory)
    assert memory.breaker == Breaker()


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=30))
def test_a_breaker_opens_after_failures_in_a_row_alone(calls):
    breaker, now, in_a_row = Breaker(), 0.0, 0
    for succeeded, after in calls:
        now += after
        if breaker.circuit(now) is Circuit.OPEN:
            continue
        breaker = breaker.succeeded() if succeeded else breaker.failed(now)
        in_a_row = 0 if succeeded else in_a_row + 1
        assert (breaker.circuit(now) is Circuit.OPEN) == (in_a_row >= MOST_FAILURES)


@given(st.integers(1, 20), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e6))
def test_waits_grow_up_to_a_limit_and_are_what_was_asked_for(attempt, chance, asked):
    assert (asked or 0.0) <= wait_s(attempt, chance, asked) <= max(LONGEST_WAIT_S, asked or 0.0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("-5", 0.0),
        ("2.5", 2.5),
        ("Thu, 01 Jan 2026 00:00:10 GMT", 10.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
    ],
)
def test_a_retry_after_is_read_as_seconds_or_a_date(header, seconds):
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    "wrong",
    [
        {"description": "", "tags": []},
        {"description": "  ", "tags": []},
        {"description": "x" * 401, "tags": []},
        {"description": "\x1b[31mred", "tags": []},
        {"description": 5, "tags": []},
        {"description": "Good.", "tags": ["mood:unheard-of"]},
        {"description": "Good.", "tags": "mood:calm"},
        {"description": "Good.", "tags": ["mood:calm"] * 9},
        {"description": "Good.", "tags": [], "more": 1},
        {"description": "Good."},
        {},
    ],
)
def test_what_is_not_as_it_has_to_be_is_refused_and_not_repeated(wrong):
    with pytest.raises(ModelFailure) as refused:
        parse_answer(json.dumps(wrong))
    assert refused.value.reason == "MODEL_ANSWER_INVALID"
    assert "unheard-of" not in str(refused.value)


@given(st.text())
def test_no_text_does_more_than_be_refused(text):
    with suppress(ModelFailure):
        assert parse_answer(text).description
