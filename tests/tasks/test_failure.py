import pytest
from celery.exceptions import SoftTimeLimitExceeded
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError

from harken.audio import InputError
from harken.jobs.job import ErrorKind
from harken.media import SourceNotAFile, SourceNotFound, SourceOutside
from harken.tasks.failure import describe
from harken.tasks.progress import OutOfTime

TABLE = [
    (InputError("EMPTY_FILE", "The file is empty."), ErrorKind.INPUT, "EMPTY_FILE"),
    (SourceNotFound("a.wav", "gone"), ErrorKind.INPUT, "SOURCE_NOT_FOUND"),
    (SourceOutside("a.wav", "out"), ErrorKind.INPUT, "SOURCE_OUTSIDE_ROOTS"),
    (SourceNotAFile("a", "folder"), ErrorKind.INPUT, "SOURCE_NOT_A_FILE"),
    (SoftTimeLimitExceeded(), ErrorKind.TIMEOUT, "TIME_LIMIT"),
    (MemoryError(), ErrorKind.INTERNAL, "OUT_OF_MEMORY"),
    (OSError(5, "Input/output error"), ErrorKind.TRANSIENT, "IO_ERROR"),
    (ConnectionResetError("reset"), ErrorKind.TRANSIENT, "IO_ERROR"),
    (TimeoutError("no answer"), ErrorKind.TRANSIENT, "IO_ERROR"),
    (OutOfTime(), ErrorKind.TIMEOUT, "TIME_LIMIT"),
    (OperationalError("", {}, Exception("gone")), ErrorKind.TRANSIENT, "SERVICE_UNAVAILABLE"),
    (InterfaceError("", {}, Exception("closed")), ErrorKind.TRANSIENT, "SERVICE_UNAVAILABLE"),
    (
        DBAPIError("", {}, Exception("reset"), connection_invalidated=True),
        ErrorKind.TRANSIENT,
        "SERVICE_UNAVAILABLE",
    ),
    (DataError("", {}, Exception("too long")), ErrorKind.INTERNAL, "UNEXPECTED_ERROR"),
    (RedisConnectionError("refused"), ErrorKind.TRANSIENT, "SERVICE_UNAVAILABLE"),
    (RedisTimeoutError("no answer"), ErrorKind.TRANSIENT, "SERVICE_UNAVAILABLE"),
    (ValueError("shapes"), ErrorKind.INTERNAL, "UNEXPECTED_ERROR"),
]


@pytest.mark.parametrize(
    ("error", "kind", "reason"), TABLE, ids=[type(error).__name__ for error, *_ in TABLE]
)
def test_an_error_of_the_work_says_who_has_to_do_something_about_it(error, kind, reason):
    described = describe(error, 3300)
    assert (described.kind, described.reason) == (kind, reason)
    assert described.message


def test_the_message_of_an_input_error_is_the_engines():
    assert describe(InputError("X", "The file is empty."), 1).message == "The file is empty."


def test_a_time_limit_is_named_in_seconds():
    assert "3300 s" in describe(SoftTimeLimitExceeded(), 3300).message


def test_an_unexpected_error_says_what_it_was_and_where_more_stands():
    message = describe(ValueError("shapes differ"), 1).message
    assert "ValueError: shapes differ" in message
    assert "log" in message


def test_a_transient_error_promises_nothing_since_it_may_have_been_the_last_try():
    assert "again" not in describe(OSError(5, "Input/output error"), 1).message
