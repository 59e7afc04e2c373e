"""Any sequence of what users, workers and time can do, against the real SQLite store and a model of a few lines."""

import shutil
import tempfile
from dataclasses import dataclass, field
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
    invariant,
    rule,
    run_state_machine_as_test,
)

from harken.jobs.database import Database
from harken.jobs.execution import LEASE
from harken.jobs.job import ErrorKind
from harken.jobs.retry import retry_delay
from harken.jobs.state import LEGAL, JobState

WORKERS = ("worker-1@host", "worker-2@host")
MAX_CRASHES = 2
MAX_RETRIES = 1

QUEUED, RUNNING, CANCELLING = JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING
SUCCEEDED, FAILED, CANCELLED = JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED


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


class _Life(RuleBasedStateMachine):
    """Jobs, and the attempts that ever held them: those that lost them go on trying to write."""

    make: ClassVar = None  # set by the test: a job domain on an empty database of its own

    submitted = Bundle("submitted")
    attempts = Bundle("attempts")

    def __init__(self):
        super().__init__()
        self.folder, self.jobs = self.make()
        self.models = {}

    def teardown(self):
        self.jobs.database.close()
        shutil.rmtree(self.folder)

    def of(self, job):
        return self.models[job.job_id]

    def holds(self, claimed):
        model = self.of(claimed)
        return model.held and model.attempt == claimed.attempt

    @rule(target=submitted)
    def submit(self):
        job = self.jobs.submit()
        self.models[job.job_id] = _Model()
        return job

    @rule(target=attempts, job=submitted, worker=st.sampled_from(WORKERS))
    def deliver(self, job, worker):
        """A message arrives at a worker: the first, a duplicate, or one that is too early."""
        model = self.of(job)
        due = model.not_before is None or model.not_before <= self.jobs.now
        claimed = self.jobs.claim(job, worker)
        assert (claimed is not None) == (model.state is QUEUED and due)
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

    @rule(job=submitted)
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
        for job in self.jobs.listed(states=[SUCCEEDED]):
            assert self.jobs.result(job) == {"attempt": self.of(job).ends[0]}

    @invariant()
    def what_is_due_is_what_waits(self):
        due = {out.job_id for out in self.jobs.due()}
        assert due == {
            job_id
            for job_id, model in self.models.items()
            if model.state is QUEUED
            and (model.not_before is None or model.not_before <= self.jobs.now)
        }


@pytest.mark.timeout(60)
def test_whatever_happens_every_job_lives_a_legal_life(migrated_sqlite, jobs_on):
    def make():
        folder = tempfile.mkdtemp(prefix="harken-life-")
        file = Path(folder, "harken.db")
        shutil.copy(migrated_sqlite, file)
        return folder, jobs_on(Database(f"sqlite:///{file}"))

    machine = type("Life", (_Life,), {"make": staticmethod(make)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
