import asyncio
import threading
import uuid
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from harken.jobs import log, queries
from harken.jobs.errors import BatchNotFound, JobNotFound, RequestIdReused
from harken.jobs.job import Batch, Job, RefusedItem
from harken.jobs.queries import get_batch, get_job
from harken.jobs.state import JobState
from harken.jobs.store.database import Database
from harken.jobs.store.writer import GroupWriter
from harken.jobs.submission import Submission, submit_jobs
from tests.conftest import eventually

REQUEST = "0197c0de-0000-7000-8000-000000000001"
OTHER_REQUEST = "0197c0de-0000-7000-8000-000000000002"
REFUSED = RefusedItem(index=7, reason="SOURCE_NOT_FOUND", message="'x.wav' does not exist.")


def test_a_submitted_job_is_queued_and_reads_back_as_it_was_given(jobs):
    labels = {"naïve": "ü", "a.b": 'say "x"', "🎵": ""}
    job = jobs.submit("höhle/a b.wav", features=("rhythm", "tonal"), priority=9, labels=labels)
    found = jobs.get(job)
    assert found == job
    assert found.state is JobState.QUEUED
    assert (found.source.kind, found.source.value) == ("path", "höhle/a b.wav")
    assert found.features == ("rhythm", "tonal")
    assert (found.priority, found.queue, dict(found.labels)) == (9, "audio_processing", labels)
    assert (found.revision, found.attempt, found.crashes, found.retries) == (1, 0, 0, 0)
    assert found.create_time == jobs.now
    assert (found.start_time, found.end_time, found.stopped_time) == (None, None, None)


def test_a_repeated_request_id_with_the_same_payload_finds_the_same_job(jobs):
    made = jobs.submit(request_id=REQUEST, labels={"a": "1", "b": "2"})
    jobs.advance(seconds=10)
    assert jobs.submit(request_id=REQUEST, labels={"b": "2", "a": "1"}) == made
    assert len(jobs.listed()) == 1
    assert len(jobs.log(made)) == 1


def test_a_repeated_request_shows_the_job_as_it_is_now(jobs):
    jobs.running(request_id=REQUEST)
    assert jobs.submit(request_id=REQUEST).state is JobState.RUNNING


@pytest.mark.parametrize(
    "other",
    [
        {"path": "b.wav"},
        {"features": ("tonal",)},
        {"priority": 6},
        {"labels": {"a": "1"}},
    ],
)
def test_a_request_id_with_another_payload_is_refused_and_names_the_first_job(jobs, other):
    made = jobs.submit(request_id=REQUEST)
    with pytest.raises(RequestIdReused) as caught:
        jobs.submit(request_id=REQUEST, **other)
    assert caught.value.request_id == REQUEST
    assert made.job_id in str(caught.value)
    assert jobs.listed() == [made]


def test_without_a_request_id_each_submit_makes_a_job(jobs):
    assert jobs.submit().job_id != jobs.submit().job_id


def test_two_owners_may_use_the_same_request_id(jobs):
    mine = jobs.submit(request_id=REQUEST)
    theirs = jobs.submit(request_id=REQUEST, owner="other")
    assert mine.job_id != theirs.job_id


def test_another_owners_job_is_not_found(jobs):
    job = jobs.submit(owner="other")
    with pytest.raises(JobNotFound) as caught:
        jobs.read(lambda c: get_job(c, job.job_id, owner="local"))
    assert caught.value.job_id == job.job_id


def test_the_same_request_from_many_clients_at_once_makes_one_job(jobs):
    made = jobs.at_once(*[lambda: jobs.submit(request_id=REQUEST)] * 8)
    assert len({job.job_id for job in made}) == 1
    assert len(jobs.listed()) == 1


def test_the_same_batch_from_many_clients_at_once_is_made_once(jobs):
    def submit() -> Batch:
        items = [jobs.new(f"{n}.wav", request_id=str(uuid.UUID(int=n))) for n in range(5)]
        return jobs.submit_batch(*items, request_id=REQUEST, request_hash="h")

    made = jobs.at_once(*[submit] * 6)
    assert {batch.batch_id for batch in made} == {made[0].batch_id}
    assert {batch.refused for batch in made} == {()}
    assert len(jobs.listed()) == 5


def test_batches_at_once_with_the_same_items_make_each_job_once(jobs):
    """Two batches race for the same items' request_ids: one gets each, the other refuses it."""

    def submit() -> Batch:
        return jobs.submit_batch(
            *[jobs.new(f"{n}.wav", request_id=str(uuid.UUID(int=n))) for n in range(20)]
        )

    made = jobs.at_once(*[submit] * 4)
    assert len(jobs.listed()) == 20
    assert sum(batch.total for batch in made) == 20
    assert sum(len(batch.refused) for batch in made) == 60


def test_a_batch_counts_its_jobs_and_keeps_its_refused_items(jobs):
    batch = jobs.submit_batch(jobs.new("a.wav"), jobs.new("b.wav"), refused=(REFUSED,))
    assert (batch.total, batch.queued, batch.running, batch.ended) == (2, 2, 0, False)
    assert batch.refused == (REFUSED,)
    assert batch.create_time == jobs.now
    assert batch.end_time is None
    assert {job.batch_id for job in jobs.listed()} == {batch.batch_id}


def test_a_batchs_jobs_stand_in_the_order_of_its_items(jobs):
    """The relay takes the oldest first, and a person expects the list to be in the order given."""
    paths = [f"{number:03}.wav" for number in range(50)]
    batch = jobs.submit_batch(*[jobs.new(path) for path in paths])
    listed = jobs.listed(batch_id=batch.batch_id)
    assert [job.source.value for job in reversed(listed)] == paths
    assert [out.job_id for out in jobs.due()] == [job.job_id for job in reversed(listed)]


def test_a_repeated_batch_gives_the_identical_answer_with_its_refused_items(jobs):
    def submit() -> Batch:
        return jobs.submit_batch(
            jobs.new("a.wav"), refused=(REFUSED,), request_id=REQUEST, request_hash="hash"
        )

    made = submit()
    jobs.advance(hours=1)
    assert submit() == made
    assert len(jobs.listed()) == 1


def test_a_batchs_request_id_with_another_payload_is_refused(jobs):
    made = jobs.submit_batch(jobs.new(), request_id=REQUEST, request_hash="one")
    with pytest.raises(RequestIdReused) as caught:
        jobs.submit_batch(jobs.new(), request_id=REQUEST, request_hash="two")
    assert made.batch_id in str(caught.value)
    assert len(jobs.listed()) == 1


def test_an_item_whose_request_id_made_a_job_before_is_refused_and_the_others_are_not(jobs):
    earlier = jobs.submit(request_id=REQUEST)
    batch = jobs.submit_batch(jobs.new("b.wav"), jobs.new("c.wav", request_id=REQUEST))
    (refused,) = batch.refused
    assert (refused.index, refused.reason) == (1, "REQUEST_ID_REUSED")
    assert earlier.job_id in refused.message
    assert batch.total == 1


def test_an_item_whose_request_id_stands_earlier_in_the_batch_is_refused(jobs):
    batch = jobs.submit_batch(
        jobs.new("a.wav", request_id=REQUEST),
        jobs.new("b.wav", request_id=OTHER_REQUEST),
        jobs.new("c.wav", request_id=REQUEST),
    )
    (refused,) = batch.refused
    assert (refused.index, refused.reason) == (2, "REQUEST_ID_REUSED")
    assert "index 0" in refused.message
    assert {job.source.value for job in jobs.listed()} == {"a.wav", "b.wav"}


def test_refused_items_are_listed_in_the_order_of_their_indices(jobs):
    batch = jobs.submit_batch(
        jobs.new(request_id=REQUEST), jobs.new(request_id=REQUEST), refused=(REFUSED,)
    )
    assert [item.index for item in batch.refused] == [1, 7]


def test_a_batch_of_which_every_item_is_refused_has_ended(jobs):
    batch = jobs.submit_batch(refused=(REFUSED,))
    assert (batch.total, batch.ended, batch.end_time) == (0, True, batch.create_time)


def test_a_batch_of_ten_thousand_is_taken(jobs):
    batch = jobs.submit_batch(
        *[jobs.new(f"{n}.wav", request_id=str(uuid.UUID(int=n))) for n in range(10_000)]
    )
    assert (batch.total, batch.refused) == (10_000, ())


def test_another_owners_batch_is_not_found(jobs):
    batch = jobs.submit_batch(jobs.new(), owner="other")
    with pytest.raises(BatchNotFound) as caught:
        jobs.read(lambda c: get_batch(c, batch.batch_id, owner="local"))
    assert caught.value.batch_id == batch.batch_id


def submissions(jobs, *new, owner="local"):
    return [Submission(new=one, owner=owner) for one in new]


@pytest.fixture(params=["transaction", "statement"])
def carry_out(request, jobs):
    """Runs work in a transaction, or as one statement where the database allows."""
    return jobs.write if request.param == "transaction" else jobs.statement


def test_many_submits_in_one_call_make_what_each_alone_would(jobs, carry_out):
    earlier = jobs.submit("a.wav", request_id=REQUEST)
    wanted = submissions(
        jobs,
        jobs.new("a.wav", request_id=REQUEST),
        jobs.new("other.wav", request_id=REQUEST),
        jobs.new("b.wav", request_id=OTHER_REQUEST, priority=9, labels={"a": "1"}),
        jobs.new("c.wav", schedule_timeout=timedelta(hours=1), run_timeout=timedelta(seconds=1.5)),
        jobs.new("b.wav", request_id=OTHER_REQUEST, priority=9, labels={"a": "1"}),
        jobs.new("d.wav", request_id=OTHER_REQUEST),
    )
    found, reused, first, second, again, other = carry_out(
        lambda c: submit_jobs(c, wanted, now=jobs.now)
    )
    assert found == earlier
    assert isinstance(reused, RequestIdReused)
    assert earlier.job_id in str(reused)
    assert again == first
    assert isinstance(other, RequestIdReused)
    assert first.job_id in str(other)
    assert {job.job_id for job in jobs.listed()} == {job.job_id for job in (earlier, first, second)}
    for job in (first, second):
        assert jobs.get(job) == job
        assert [row.after for row in jobs.log(job)] == [JobState.QUEUED]


def test_many_submits_in_one_call_are_of_several_owners(jobs, carry_out):
    new = jobs.new(request_id=REQUEST)
    wanted = submissions(jobs, new) + submissions(jobs, new, owner="other")
    made = carry_out(lambda c: submit_jobs(c, wanted, now=jobs.now))
    assert len({job.job_id for job in made}) == 2
    assert [job.owner for job in made] == ["local", "other"]
    assert [jobs.get(job) for job in made] == made


def test_many_submits_in_one_call_may_differ_in_everything(jobs, carry_out):
    new = [
        jobs.new(
            f"{n}.wav",
            features=("rhythm",) if n % 2 else ("tonal", "media"),
            queue="audio_processing" if n % 2 else "media_processing",
            priority=n,
            labels={"n": str(n)},
            schedule_timeout=timedelta(seconds=n, microseconds=123456) if n % 3 else None,
            run_timeout=timedelta(seconds=n + 0.5) if n % 4 else None,
            trace_parent=f"00-{n:032x}-{n:016x}-01",
            skip_cache=n % 2 == 1,
            retry_of=str(uuid.UUID(int=n)),
            filename=f"{n}.aif",
            spec={"stems": {"count": n}} if n % 2 else None,
        )
        for n in range(9)
    ]
    made = carry_out(lambda c: submit_jobs(c, submissions(jobs, *new), now=jobs.now))
    assert [jobs.get(job) for job in made] == made
    for job, wanted in zip(made, new, strict=True):
        assert (job.source, job.schedule_timeout) == (wanted.source, wanted.schedule_timeout)
        assert [(row.revision, row.after) for row in jobs.log(job)] == [(1, JobState.QUEUED)]


def test_a_submit_that_waits_for_another_does_not_hold_up_the_log(
    postgresql_jobs, emptied_postgresql
):
    """Two processes have the same request_id: the second waits for the first's commit, and nobody for the second."""
    jobs = postgresql_jobs
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
    other = Database(emptied_postgresql, pooled=False)
    same = submissions(jobs, jobs.new("new.wav"), jobs.new(request_id=REQUEST))
    found: list[Job] = []

    def submit() -> None:
        with other.statement() as connection:
            found.extend(submit_jobs(connection, same, now=jobs.now))

    submitting = threading.Thread(target=submit)
    with jobs.database.write() as connection:
        (first,) = submit_jobs(
            connection, submissions(jobs, jobs.new(request_id=REQUEST)), now=jobs.now
        )
        submitting.start()
        eventually(lambda: jobs.read(lambda c: c.exec_driver_sql(waiting).scalar()), within_s=5)
        jobs.submit("beside.wav")  # would wait for ever if the other one had its turn already
    submitting.join()
    new, again = found
    assert again == first
    assert {job.job_id for job in jobs.listed()} > {new.job_id, first.job_id}
    assert len(jobs.listed()) == 3


def test_what_is_made_stands_where_what_was_made_before_cannot_be_told(
    postgresql_jobs, monkeypatch
):
    """Who has no request_id would make another job by trying again."""
    jobs = postgresql_jobs
    jobs.submit(request_id=REQUEST)
    wanted = submissions(jobs, jobs.new("new.wav"), jobs.new(request_id=REQUEST))

    def broken(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the server is going down"))

    # The database that dies right between two statements cannot be had to order.
    with monkeypatch.context() as patch:
        patch.setattr(queries, "get_job", broken)
        new, error = jobs.statement(lambda c: submit_jobs(c, wanted, now=jobs.now))
    assert isinstance(error, OperationalError)
    assert jobs.get(new) == new


@pytest.mark.parametrize("one_statement", [False, True])
def test_many_submits_at_once_with_the_same_request_ids_make_each_job_once(
    database, jobs, one_statement
):
    """The group of one process races that of another; each alone finds the job that was first."""
    new = [jobs.new(f"{n}.wav", request_id=str(uuid.UUID(int=n))) for n in range(20)]

    def submit_all() -> list[str]:
        writer = GroupWriter(database)

        def write_all(connection, wanted):
            return submit_jobs(connection, wanted, now=jobs.now)

        async def run() -> list[str]:
            wanted = submissions(jobs, *new)
            made = await asyncio.gather(
                *[writer.run_among(write_all, one, one_statement=one_statement) for one in wanted]
            )
            return [job.job_id for job in made]

        try:
            return asyncio.run(run())
        finally:
            writer.close()

    made = jobs.at_once(*[submit_all] * 4)
    assert made == [made[0]] * 4
    assert len(jobs.listed()) == 20


def test_the_rows_of_a_batch_read_back_as_they_were_given(jobs):
    """Also where they hold what JSON and SQL write in their own ways."""
    items = [
        jobs.new(
            f'höhle/"{n}"\'\\n🎵{{}}%s:x.wav',
            features=("rhythm", "tonal") if n % 2 else ("media",),
            queue="audio_processing" if n % 2 else "media_processing",
            labels={"naïve": 'say "x"', str(n): ""} if n % 3 else {},
            request_id=str(uuid.UUID(int=n + 1)) if n % 2 else None,
            priority=8,
            schedule_timeout=timedelta(minutes=5),
            run_timeout=timedelta(seconds=1.25),
        )
        for n in range(7)
    ]
    batch = jobs.submit_batch(*items)
    listed = list(reversed(jobs.listed(batch_id=batch.batch_id)))
    for job, item in zip(listed, items, strict=True):
        assert (job.source, job.features, job.queue) == (item.source, item.features, item.queue)
        assert (dict(job.labels), job.priority) == (dict(item.labels), 8)
        assert (job.schedule_timeout, job.run_timeout) == (item.schedule_timeout, item.run_timeout)
        assert (job.state, job.revision, job.attempt) == (JobState.QUEUED, 1, 0)
        assert (job.create_time, job.owner) == (jobs.now, "local")
        (row,) = jobs.log(job)
        assert (row.before, row.after, row.revision, row.attempt) == (None, JobState.QUEUED, 1, 0)
        assert (row.batch_id, row.time) == (batch.batch_id, jobs.now)
        assert jobs.submit(item.source.value, **_fields(item)) == job or item.request_id is None


def _fields(item):
    """What `jobs.submit` takes beside the path to ask for the same."""
    names = ("features", "queue", "labels", "request_id", "priority")
    return {
        **{name: getattr(item, name) for name in names},
        "schedule_timeout": item.schedule_timeout,
        "run_timeout": item.run_timeout,
    }


def test_items_of_a_batch_may_differ_in_everything(jobs):
    batch = jobs.submit_batch(
        jobs.new("a.wav", priority=1),
        jobs.new("b.wav", priority=9, run_timeout=timedelta(seconds=5)),
    )
    listed = jobs.listed(batch_id=batch.batch_id)
    assert [(job.source.value, job.priority) for job in listed] == [("b.wav", 9), ("a.wav", 1)]
    assert [len(jobs.log(job)) for job in listed] == [1, 1]


def test_a_batch_stands_in_the_log_in_the_order_of_its_items(jobs):
    batch = jobs.submit_batch(*[jobs.new(f"{n}.wav") for n in range(30)])
    transitions = jobs.read(lambda c: log.after(c, 0))
    in_order = [job.job_id for job in reversed(jobs.listed(batch_id=batch.batch_id))]
    assert [row.job_id for row in transitions] == in_order


def test_a_batch_of_refused_items_only_is_made_without_jobs(jobs):
    batch = jobs.submit_batch(refused=(REFUSED,))
    assert (batch.total, batch.refused) == (0, (REFUSED,))
