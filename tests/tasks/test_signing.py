"""What stands in Redis without a signature of ours is neither run nor believed."""

import json
from datetime import UTC, datetime

import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection
from kombu.exceptions import ContentDisallowed, DecodeError
from kombu.serialization import loads, prepare_accept_content

from harken.server.progress.ticks import parse
from harken.settings import Settings
from harken.tasks.queues import broker_settings
from harken.tasks.signing import CONTENT_TYPE, SERIALIZER, Refused, Signing

OLD, NEW, THEIRS = "old" * 12, "new" * 12, "bad" * 12
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)
)


@given(VALUES)
def test_what_was_signed_is_read(value):
    assert Signing(NEW).read(Signing(NEW).sign(value)) == value


def test_a_key_is_exchanged_while_both_are_accepted():
    both = Signing(f"{NEW}, {OLD}")
    assert both.read(Signing(OLD).sign([1])) == [1]
    assert Signing(NEW).read(both.sign([1])) == [1]
    with pytest.raises(Refused):
        Signing(OLD).read(both.sign([1]))


@given(st.binary(max_size=60))
def test_noise_is_refused(noise):
    with pytest.raises(Refused):
        Signing(NEW).read(noise)


@pytest.mark.parametrize(
    "payload",
    ["{}", Signing(THEIRS).sign({}), Signing(NEW).sign({"a": 1}).replace("1", "2", 1), "", "."],
)
def test_what_bears_another_signature_or_none_is_refused(payload):
    with pytest.raises(Refused):
        Signing(NEW).read(payload)


def test_without_keys_json_is_sent_and_taken():
    settings = broker_settings(Settings())
    assert (settings["accept_content"], settings["task_serializer"]) == (["json"], "json")


@pytest.fixture
def connection(redis):
    """A connection of an app that signs."""
    app = Celery(set_as_current=False)
    app.conf.update(broker_settings(Settings(broker_url=redis, signing_keys=NEW)))
    with Connection(redis) as opened:
        yield opened, app


def sent(connection, body, **options):
    """What a consumer makes of a message."""
    opened, app = connection
    with opened.SimpleQueue("test", serializer=app.conf.task_serializer) as queue:
        queue.consumer.accept = None
        queue.put(body, **options)
        message = queue.get(timeout=5)
        message.ack()
        as_it_came = (message.body, message.content_type, message.content_encoding)
        return loads(*as_it_came, accept=prepare_accept_content(app.conf.accept_content))


def test_a_signed_message_comes_through_redis(connection):
    assert sent(connection, [["id"], {}, {}], serializer=SERIALIZER) == [["id"], {}, {}]


def test_an_unsigned_message_is_refused(connection):
    with pytest.raises(ContentDisallowed):
        sent(connection, [["id"], {}, {}], serializer="json")


def test_a_wrongly_signed_message_is_refused(connection):
    forged = Signing(THEIRS).sign([["id"], {}, {}])
    with pytest.raises(DecodeError):
        sent(connection, forged, content_type=CONTENT_TYPE, content_encoding="utf-8")


def test_progress_that_is_not_signed_is_not_believed():
    tick = {"attempt": 1, "seq": 1, "stage": "decode", "fraction": 0.5, "message": ""}
    stored = {"status": "PROGRESS", "result": tick}
    now, read = datetime.now(UTC), Signing(NEW).read
    assert parse(Signing(NEW).sign(stored), now, read).fraction == 0.5
    assert parse(json.dumps(stored), now, read) is None
    assert parse(Signing(THEIRS).sign(stored).encode(), now, read) is None
