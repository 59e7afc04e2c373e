"""What a log line holds, and what it never does."""

import io
import json
import logging
import subprocess

import pytest

from harken.telemetry import logs


@pytest.fixture(params=["text", "json"])
def log_format(request):
    return request.param


@pytest.fixture
def written():
    """A logger of the test's own with a format, and what it wrote."""

    def logger(log_format):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logs.formatter(log_format))
        made = logging.Logger("some.part")
        made.addHandler(handler)
        return made, stream

    return logger


def one_object(stream):
    """The only line, parsed."""
    (line,) = stream.getvalue().splitlines()
    return json.loads(line)


def test_a_line_in_json_has_what_it_is_about(written):
    log, stream = written("json")
    with logs.about(job_id="a", attempt=2):
        log.warning("the %s is slow", "disk")
    told = one_object(stream)
    assert (told["event"], told["level"], told["logger"]) == (
        "the disk is slow",
        "warning",
        "some.part",
    )
    assert (told["job_id"], told["attempt"]) == ("a", 2)
    assert told["time"].endswith("Z")
    assert isinstance(told["pid"], int)


def test_what_a_line_was_about_does_not_stay(written):
    log, stream = written("json")
    with logs.about(job_id="a"):
        pass
    log.warning("later")
    assert "job_id" not in one_object(stream)


def test_a_line_for_people_looks_as_it_always_did(written):
    log, stream = written("text")
    with logs.about(job_id="a"):
        log.warning("the disk is slow")
    assert stream.getvalue().endswith("WARNING some.part: the disk is slow\n")


def test_a_traceback_is_part_of_its_object(written):
    log, stream = written("json")
    try:
        raise ValueError("wrong")  # noqa: TRY301 # for its traceback
    except ValueError:
        log.exception("it failed")
    assert "ValueError: wrong" in one_object(stream)["exception"]


def test_what_other_libraries_hand_to_a_line_is_left_out(written):
    """Celery hands over the arguments of a task."""
    log, stream = written("json")
    log.info("received", extra={"data": {"args": ["payload"]}, "job_id": "a"})
    told = one_object(stream)
    assert "payload" not in str(told)
    assert told["job_id"] == "a"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql+psycopg://ann:s3cret@h:1/n", "postgresql+psycopg://ann:***@h:1/n"),
        ("redis://:s3cret@h/0", "redis://:***@h/0"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("amqp://ann:s3cr%40et@h and redis://b:s3cret@i", "amqp://ann:***@h and redis://b:***@i"),
        ("host=h password=s3cret user=ann", "host=h password=*** user=ann"),
        ("postgresql://h/n?password=s3cret&x=1", "postgresql://h/n?password=***&x=1"),
        ("ipv4:127.0.0.1:43620 says a@b", "ipv4:127.0.0.1:43620 says a@b"),
    ],
)
def test_no_line_shows_a_password(written, log_format, text, shown):
    log, stream = written(log_format)
    log.error("cannot connect to %s", text)
    assert f"cannot connect to {shown}" in stream.getvalue()
    assert "s3c" not in stream.getvalue()


def test_nor_does_a_traceback(written, log_format):
    log, stream = written(log_format)
    try:
        raise OSError("redis://:s3cret@h/0 is away")  # noqa: TRY301 # for its traceback
    except OSError:
        log.exception("it failed")
    assert "is away" in stream.getvalue()
    assert "s3cret" not in stream.getvalue()


def test_an_error_of_the_database_does_not_show_what_was_to_be_written(database):
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    with database.read() as connection, pytest.raises(DBAPIError) as raised:
        connection.execute(text("SELECT * FROM nowhere WHERE a = :a"), {"a": "payload"})
    assert "payload" not in str(raised.value)


# The parent logs in JSON from two threads while a third forks; every child logs a line at once.
FORKING = """
import logging, os, sys, threading, time
from harken.tasks.fork_barrier import ForkBarrier
from harken.telemetry import logs

barrier = ForkBarrier()
logs.configure("INFO", "json")
log = logging.getLogger("some.part")
ended = threading.Event()

def write():
    with logs.about(job_id="parent"):
        while not ended.is_set():
            log.info("a line")

writers = [threading.Thread(target=write, daemon=True) for _ in range(2)]
for writer in writers:
    writer.start()
codes = []
for _ in range(40):
    child = os.fork()
    if child == 0:
        with logs.about(job_id="child"):
            log.info("the child's first line")
        os._exit(7)
    deadline = time.monotonic() + 10
    while not (done := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < deadline:
        time.sleep(0.001)
    if not done[0]:
        os.kill(child, 9)
    codes.append(os.waitstatus_to_exitcode(done[1]) if done[0] else None)
ended.set()
print(set(codes))
"""


def test_children_of_a_process_that_logs_in_json_log_too(python):
    run = subprocess.run(
        [python, "-W", "ignore", "-c", FORKING],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout == "{7}\n"
    of_children = [line for line in run.stderr.splitlines() if "the child's first line" in line]
    assert len(of_children) == 40
    assert {json.loads(line)["job_id"] for line in of_children} == {"child"}
