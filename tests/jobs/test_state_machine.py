"""Any sequence of what users, workers and time can do, against the real store and a model of a few lines."""

import shutil
import tempfile
import uuid
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from harken.jobs import redrive
from harken.jobs.action import ActionKind, Asked, Outcome, Refusal
from harken.jobs.errors import RequestIdReused
from harken.jobs.execution import LEASE
from harken.jobs.ids import lowest_id
from harken.jobs.job import ErrorKind
from harken.jobs.queries import JobFilter
from harken.jobs.redrive import ByFilter, ByIds
from harken.jobs.retry import retry_delay
from harken.jobs.state import LEGAL, JobState
from harken.jobs.store.database import Database
from harken.jobs.store.schema import METADATA, RESULTS

WORKERS = ("worker-1@host", "worker-2@host")
MAX_CRASHES = 2
MAX_RETRIES = 1

QUEUED, RUNNING, CANCELLING = JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING
SUCCEEDED, FAILED, CANCELLED = JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED

WORTH_ANOTHER_TRY = JobFilter(states=[FAILED], not_error_kinds=[ErrorKind.INPUT])
MOMENT = timedelta(milliseconds=1)  # the ids' own: a filter finds what was made before one


@dataclass
class _Model:
    """What is expected of one job."""

    state: JobState = QUEUED
    attempt: int = 0
    crashes: int = 0
    retries: int = 0
    changes: int = 1
    worker: str | None = None
    lease_until: object = None
    not_before: object = None
    deadline: object = None
    timeout: timedelta | None = None
    retry_of: str | None = None
    kind: ErrorKind | None = None
    attempts: list = field(default_factory=list)
    ends: list = field(default_factory=list)

    @property
    def held(self):
        return self.state in (RUNNING, CANCELLING)

    def go(self, to, kind=None):
        assert to in LEGAL[self.state]
        self.state, self.kind = to, kind
        self.changes += 1
        if to is QUEUED:
            self.worker = None
        if to.terminal:
            self.ends.append(self.attempt)
        return to

    def crash(self):
        if self.state is CANCELLING:
            return self.go(CANCELLED)
        self.crashes += 1
        return self.go(FAILED if self.crashes >= MAX_CRASHES else QUEUED, ErrorKind.CRASHED)


@dataclass(frozen=True, kw_only=True)
class _Redrive:
    """A call that runs jobs once more, and what it was answered."""

    wanted: ByIds | ByFilter
    asked: Asked
    force: bool
    outcomes: tuple[Outcome, ...] = ()


def _wanted(job):
    return (
        job.source,
        job.features,
        job.queue,
        job.priority,
        job.labels,
        job.schedule_timeout,
        job.run_timeout,
    )


class _Life(RuleBasedStateMachine):
    """Jobs, and the attempts that ever held them: those that lost them go on trying to write."""

    empty: ClassVar = None  # set by the test: a context with a job domain on an empty database

    submitted = Bundle("submitted")
    known = Bundle("known")  # those, and the retries of them
    attempts = Bundle("attempts")

    def __init__(self):
        super().__init__()
        self.open = ExitStack()
        self.jobs = self.open.enter_context(self.empty())
        self.models = {}
        self.requests = {}
        self.redrives = []

    def teardown(self):
        self.open.close()

    def of(self, job):
        return self.models[job.job_id]

    def holds(self, claimed):
        model = self.of(claimed)
        return model.held and model.attempt == claimed.attempt

    def expect(self, job_id, timeout, retry_of=None):
        deadline = timeout and self.jobs.now + timeout
        self.models[job_id] = _Model(deadline=deadline, timeout=timeout, retry_of=retry_of)

    @rule(
        targets=(submitted, known),
        seconds=st.sampled_from([None, 10]),
        priority=st.sampled_from([1, 5]),
    )
    def submit(self, seconds, priority):
        timeout = None if seconds is None else timedelta(seconds=seconds)
        request = {
            "request_id": str(uuid.uuid4()),
            "features": ("loudness",) if priority == 1 else ("rhythm", "tonal"),
            "labels": {"number": str(len(self.models))},
            "priority": priority,
            "schedule_timeout": timeout,
            "run_timeout": timeout and 2 * timeout,
        }
        job = self.jobs.submit(**request)
        self.expect(job.job_id, timeout)
        self.requests[job.job_id] = request
        return job

    @initialize(targets=(submitted, known))
    def begin_with_a_failure(self):
        """Chance alone would seldom come to a job that can be run again."""
        job = self.submit(10, 1)
        self.hit_the_hard_limit(self.deliver(job, WORKERS[0]))
        return job

    @rule(job=submitted)
    def repeat(self, job):
        """The answer was lost, and the client asks again; whatever has become of the job, it is that one."""
        again = self.jobs.submit(**self.requests[job.job_id])
        assert (again.job_id, again.state) == (job.job_id, self.of(job).state)

    @rule(job=submitted)
    def reuse(self, job):
        """The request_id with another payload makes nothing."""
        with pytest.raises(RequestIdReused):
            self.jobs.submit("other.wav", **self.requests[job.job_id])

    def retries_of(self, job_id):
        """The oldest first."""
        return sorted(job for job, model in self.models.items() if model.retry_of == job_id)

    def call(self, redriven):
        return self.jobs.write(
            lambda c: redrive.retry_jobs(
                c, redriven.wanted, redriven.asked, force=redriven.force, now=self.jobs.now
            )
        ).outcomes

    def redrive(self, wanted, *, force):
        """Makes the call, and a model of each job that it says it has made."""
        asked = Asked(
            kind=ActionKind.RETRY_JOBS,
            owner="local",
            peer="unix:",
            request={},
            request_id=str(uuid.uuid4()),
        )
        called = _Redrive(wanted=wanted, asked=asked, force=force)
        called = replace(called, outcomes=self.call(called))
        for outcome in called.outcomes:
            if outcome.refusal is None:
                assert outcome.new_job_id not in self.models
                old = self.models[outcome.job_id]
                self.expect(outcome.new_job_id, old.timeout, retry_of=outcome.job_id)
        self.redrives.append(called)
        return called.outcomes

    def made(self, outcomes):
        ids = [outcome.new_job_id for outcome in outcomes if outcome.refusal is None]
        return multiple(*(job for job in self.jobs.listed() if job.job_id in ids))

    @rule(target=known, job=known, force=st.booleans())
    def retry_by_id(self, job, force):
        earlier = self.retries_of(job.job_id)
        (outcome,) = outcomes = self.redrive(ByIds(job_ids=(job.job_id,)), force=force)
        if not self.of(job).state.terminal:
            assert (outcome.refusal, outcome.new_job_id) == (Refusal.NOT_TERMINAL, None)
        elif earlier and not force:
            refused = (outcome.refusal, outcome.new_job_id)
            assert refused == (Refusal.ALREADY_RETRIED, earlier[-1])
        else:
            assert outcome.refusal is None
        return self.made(outcomes)

    @rule(target=known)
    def retry_by_filter(self):
        """All that failed and is not yet retried, whose file is not at fault."""
        expected = [
            job_id
            for job_id, model in sorted(self.models.items())
            if model.state is FAILED
            and model.kind is not ErrorKind.INPUT
            and not self.retries_of(job_id)
        ]
        page = ByFilter(
            where=WORTH_ANOTHER_TRY, limit=100, before_id=lowest_id(self.jobs.now + MOMENT)
        )
        outcomes = self.redrive(page, force=False)
        assert [(outcome.job_id, outcome.refusal) for outcome in outcomes] == [
            (job_id, None) for job_id in expected
        ]
        return self.made(outcomes)

    @precondition(lambda self: self.redrives)
    @rule(data=st.data())
    def repeat_a_redrive(self, data):
        """Its request_id has the same answer and makes nothing, whatever has become of the jobs since."""
        redriven = data.draw(st.sampled_from(self.redrives))
        assert self.call(redriven) == redriven.outcomes

    def overdue(self, model):
        in_time = model.deadline is None or model.deadline > self.jobs.now
        return model.state is QUEUED and model.attempt == 0 and not in_time

    @rule()
    def fail_what_did_not_start_in_time(self):
        overdue = [model for model in self.models.values() if self.overdue(model)]
        assert self.jobs.fail_overdue() == len(overdue)
        for model in overdue:
            model.go(FAILED, ErrorKind.TIMEOUT)
            model.ends.clear()  # no attempt ended it

    @rule(target=attempts, job=known, worker=st.sampled_from(WORKERS))
    def deliver(self, job, worker):
        """A message arrives at a worker: the first, a duplicate, or one that is too early."""
        model = self.of(job)
        due = model.not_before is None or model.not_before <= self.jobs.now
        claimed = self.jobs.claim(job, worker)
        late = self.overdue(model)
        assert (claimed is not None) == (model.state is QUEUED and due and not late)
        if claimed is None:
            return job  # attempt 0, which never holds anything
        model.go(RUNNING)
        model.attempt += 1
        model.worker, model.not_before = worker, None
        model.lease_until = self.jobs.now + LEASE
        model.attempts.append(claimed.attempt)
        return claimed

    @rule(claimed=attempts)
    def succeed(self, claimed):
        expected = self.of(claimed).go(SUCCEEDED) if self.holds(claimed) else None
        assert self.jobs.succeed(claimed, {"attempt": claimed.attempt}) is expected

    @rule(claimed=attempts)
    def fail(self, claimed):
        expected = self.of(claimed).go(FAILED, ErrorKind.INPUT) if self.holds(claimed) else None
        assert self.jobs.fail(claimed) is expected

    @rule(claimed=attempts)
    def meet_a_transient_error(self, claimed):
        model, expected = self.of(claimed), None
        if self.holds(claimed):
            if model.state is CANCELLING:
                expected = model.go(CANCELLED)
            elif model.retries >= MAX_RETRIES:
                expected = model.go(FAILED, ErrorKind.TRANSIENT)
            else:
                model.not_before = self.jobs.now + retry_delay(model.retries, 0.5)
                model.retries += 1
                expected = model.go(QUEUED, ErrorKind.TRANSIENT)
        assert self.jobs.retry(claimed, max_retries=MAX_RETRIES) is expected

    @rule(claimed=attempts)
    def stop(self, claimed):
        model = self.of(claimed)
        stops = self.holds(claimed) and model.state is CANCELLING
        expected = model.go(CANCELLED) if stops else None
        assert self.jobs.stop(claimed) is expected

    @rule(job=known)
    def cancel(self, job):
        model = self.of(job)
        if model.state in (QUEUED, RUNNING):
            model.go(CANCELLED if model.state is QUEUED else CANCELLING)
        assert self.jobs.cancel(job).state is model.state

    @rule(claimed=attempts)
    def lose(self, claimed):
        expected = self.of(claimed).crash() if self.holds(claimed) else None
        assert self.jobs.lose(claimed, max_crashes=MAX_CRASHES) is expected

    @rule(claimed=attempts)
    def hand_back(self, claimed):
        model, expected = self.of(claimed), None
        if self.holds(claimed):
            expected = model.go(CANCELLED if model.state is CANCELLING else QUEUED)
        assert self.jobs.hand_back(claimed) is expected

    @rule(claimed=attempts)
    def hit_the_hard_limit(self, claimed):
        model, expected = self.of(claimed), None
        if self.holds(claimed):
            expected = model.go(FAILED, ErrorKind.TIMEOUT)
        assert self.jobs.expire(claimed) is expected

    @rule(claimed=attempts)
    def renew(self, claimed):
        model = self.of(claimed)
        renewed = self.jobs.renew(claimed)
        assert [standing.state for standing in renewed] == [model.state] * self.holds(claimed)
        if self.holds(claimed):
            model.lease_until = self.jobs.now + LEASE

    @rule()
    def reap(self):
        expired = [m for m in self.models.values() if m.held and m.lease_until < self.jobs.now]
        assert self.jobs.reap(max_crashes=MAX_CRASHES) == len(expired)
        for model in expired:
            model.crash()

    @rule(seconds=st.sampled_from([1, 3, 14, 16, 600]))
    def time_passes(self, seconds):
        self.jobs.now += timedelta(seconds=seconds)

    @invariant()
    def the_store_is_as_the_model(self):
        assert {job.job_id for job in self.jobs.listed()} == set(self.models)
        for job in self.jobs.listed():
            model = self.of(job)
            kind = job.error.kind if job.error else None
            seen = (job.state, job.attempt, job.crashes, job.retries, job.revision, kind)
            assert seen == (
                model.state,
                model.attempt,
                model.crashes,
                model.retries,
                model.changes,
                model.kind,
            )
            if model.held:
                assert job.worker == model.worker
            assert (job.end_time is not None) == job.state.terminal
            assert (job.stopped_time is not None) == (job.state is CANCELLED)

    @invariant()
    def a_retry_is_wanted_as_the_old_job_was(self):
        jobs = {job.job_id: job for job in self.jobs.listed()}
        for job in jobs.values():
            assert job.retry_of == self.of(job).retry_of
            if job.retry_of is not None:
                assert _wanted(job) == _wanted(jobs[job.retry_of])

    @invariant()
    def the_log_is_a_legal_life(self):
        for job in self.jobs.listed():
            rows = self.jobs.log(job)
            assert [row.revision for row in rows] == list(range(1, job.revision + 1))
            assert (rows[0].before, rows[0].after) == (None, QUEUED)
            assert rows[-1].after is job.state
            for earlier, later in pairwise(rows):
                assert later.before is earlier.after
                assert later.after in LEGAL[later.before]
                assert later.attempt - earlier.attempt == (later.after is RUNNING)

    @invariant()
    def at_most_one_attempt_ended_the_job(self):
        for job_id, model in self.models.items():
            assert len(model.ends) <= 1
            assert model.attempts == list(range(1, model.attempt + 1)), job_id
        rows = self.jobs.read(lambda c: c.execute(select(RESULTS.c.job_id, RESULTS.c.result)).all())
        assert sorted((row.job_id, row.result["attempt"]) for row in rows) == sorted(
            (job_id, model.ends[0])
            for job_id, model in self.models.items()
            if model.state is SUCCEEDED
        )

    @invariant()
    def what_is_due_is_what_waits(self):
        due = {out.job_id for out in self.jobs.due()}
        assert due == {
            job_id
            for job_id, model in self.models.items()
            if model.state is QUEUED
            and (model.not_before is None or model.not_before <= self.jobs.now)
        }


EXAMPLES = {"sqlite": 40, "postgresql": 15}  # of 30 steps; PostgreSQL takes longer over each


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, jobs_on):
    """Makes job domains on empty databases, one after the other."""

    @contextmanager
    def on_sqlite():
        with tempfile.TemporaryDirectory(prefix="harken-life-") as folder:
            file = Path(folder, "harken.db")
            shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
            with closing(Database(f"sqlite:///{file}")) as database:
                yield jobs_on(database)

    @contextmanager
    def on_postgresql():
        with closing(Database(request.getfixturevalue("migrated_postgresql"))) as database:
            try:
                yield jobs_on(database)
            finally:
                with database.write() as connection:
                    for table in reversed(METADATA.sorted_tables):
                        connection.execute(delete(table))

    return {"sqlite": on_sqlite, "postgresql": on_postgresql}[request.param]


@pytest.mark.timeout(120)
def test_whatever_happens_every_job_lives_a_legal_life(empty, request):
    machine = type("Life", (_Life,), {"empty": staticmethod(empty)})
    database = request.node.callspec.params["empty"]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES[database],
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
