"""Insights of a job: by the rules, and by a language model that hears of no file and fails no job."""

import logging
import signal
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import soundfile
from celery.exceptions import Ignore

from harken.jobs import queries, submission
from harken.jobs.job import ErrorKind, JobKind, NewJob, Source
from harken.jobs.options import InsightsOptions, Options
from harken.jobs.state import JobState
from harken.settings import Settings
from harken.tasks import known
from harken.tasks.attempt import TASKS
from tests.tasks.conftest import close
from tests.tasks.language_model.misbehaving_server import GOOD, MisbehavingServer, says

TASK = TASKS[JobKind.ANALYSIS]
BY_MODEL = Options(insights=InsightsOptions(language_model=True))
KEY = "sk-a-key-that-nobody-may-see"
NAME, TITLE, ARTIST, COMMENT = "a-secret-name.flac", "A Secret Title", "Some Body", "A Remark"


@pytest.fixture
def server():
    """A language model that answers well until it is told otherwise."""
    server = MisbehavingServer()
    yield server
    server.close()


@pytest.fixture
def run(database_url, redis, media, tmp_path, monkeypatch, server):
    """Submits a job for a piece of music with tags and runs it; the job and its result."""
    root = tmp_path / "root-of-secrets"
    root.mkdir()
    samples, rate = soundfile.read(media / "piece.flac")
    with soundfile.SoundFile(root / NAME, "w", rate, samples.shape[1]) as file:
        file.title, file.artist, file.comment = TITLE, ARTIST, COMMENT
        file.write(samples)
    monkeypatch.setattr(known, "SETTLED_NS", 0)
    monkeypatch.setattr(TASK, "update_state", lambda **_: None)
    before = signal.getsignal(signal.SIGUSR1)

    def run(*features, options=None, content=None, **changed):
        if content is not None:
            (root / NAME).write_bytes(content)
        told = {"language_model_url": server.url, "language_model": "m", **changed}
        settings = Settings(
            database_url=database_url,
            result_backend=redis,
            media_roots=(str(root),),
            max_retries=0,
            storage_url=(tmp_path / "storage").as_uri(),
            language_model_key=KEY,
            **told,
        )
        monkeypatch.setattr(TASK, "settings", settings)
        close(TASK)
        new = NewJob(
            source=Source(kind="path", value=NAME),
            features=features,
            queue="default",
            spec=(options or Options()).to_spec(),
        )
        with TASK.database.write() as connection:
            job = submission.submit_job(connection, new, owner="local", now=datetime.now(UTC))
        with suppress(Ignore):
            TASK.run(job.job_id)
        with TASK.database.read() as connection:
            return (
                queries.get_job(connection, job.job_id, owner="local"),
                queries.get_result(connection, job.job_id) or {},
            )

    yield run
    close(TASK)
    signal.signal(signal.SIGUSR1, before)


def test_insights_are_alone_in_the_result_where_they_alone_are_asked_for(run, server):
    job, result = run("insights")
    assert job.state is JobState.SUCCEEDED, job.error
    assert {*result} == {"insights"}
    assert result["insights"]["camelot"] == "8A"
    assert result["insights"]["source"] == "SOURCE_RULES"
    assert server.requests == []


def test_a_language_model_adds_words_and_hears_nothing_of_the_file(run, server, caplog):
    with caplog.at_level(logging.DEBUG):
        job, result = run("media", "insights", options=BY_MODEL)
    assert job.state is JobState.SUCCEEDED, job.error
    assert result["media"]["tags"]["title"] == TITLE
    insights = result["insights"]
    assert (insights["description"], insights["model"]) == (GOOD["description"], "m")
    assert insights["source"] == "SOURCE_LANGUAGE_MODEL"
    said = [tag["name"] for tag in insights["tags"] if tag["source"] == "SOURCE_LANGUAGE_MODEL"]
    assert said == GOOD["tags"]
    assert "8a" in str(insights["tags"])
    (request,) = server.requests
    for word in ("secret", TITLE, ARTIST, COMMENT, ".flac", "flac", job.job_id):
        assert word.encode() not in request
    assert KEY not in caplog.text


def test_names_are_told_where_a_setting_allows_it(run, server):
    run("insights", options=BY_MODEL, language_model_sees_names=True)
    (request,) = server.requests
    assert NAME.encode() in request
    assert TITLE.encode() in request
    assert b"root-of-secrets" not in request
    assert COMMENT.encode() not in request


def test_a_language_model_that_fails_leaves_the_rules_and_is_asked_another_time(
    run, server, caplog
):
    server.scripts = [says(status=401), says()]
    job, result = run("insights", options=BY_MODEL)
    assert job.state is JobState.SUCCEEDED, job.error
    assert result["insights"]["fallback_reason"] == "MODEL_REFUSED"
    assert result["insights"]["source"] == "SOURCE_RULES"
    assert "insights by the rules alone: MODEL_REFUSED" in caplog.text
    again, result = run("insights", options=BY_MODEL)
    assert again.cached_from is None
    assert result["insights"]["source"] == "SOURCE_LANGUAGE_MODEL"


def test_an_answer_is_known_but_not_another_models(run, server):
    first, _ = run("insights", options=BY_MODEL)
    again, _ = run("insights", options=BY_MODEL)
    other, _ = run("insights", options=BY_MODEL, language_model="n")
    assert (again.cached_from, other.cached_from) == (first.job_id, None)
    assert [server.asked(number)["model"] for number in range(2)] == ["m", "n"]


def test_without_a_language_model_the_error_says_what_to_do(run):
    job, result = run("media", "insights", options=BY_MODEL, language_model_url="")
    (error,) = result["errors"]
    assert job.state is JobState.SUCCEEDED
    assert (error["kind"], error["reason"]) == ("KIND_INTERNAL", "MODEL_NOT_CONFIGURED")
    assert "HARKEN_LANGUAGE_MODEL_URL" in error["message"]
    alone, _ = run("insights", options=BY_MODEL, language_model_url="")
    assert (alone.error.kind, alone.error.reason) == (ErrorKind.INTERNAL, "MODEL_NOT_CONFIGURED")


def test_a_file_that_is_none_has_no_insights_and_fails_as_input(run):
    job, result, *_ = run("insights", content=b"only words")
    assert (job.state, job.error.kind) == (JobState.FAILED, ErrorKind.INPUT)
    assert "which failed: " in job.error.message
    assert result == {}
