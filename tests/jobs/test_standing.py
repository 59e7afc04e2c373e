"""How jobs and batches stand, and counting on from there."""

from harken.jobs import log, standing


def stands(jobs, batch):
    """How the batch stands in the database."""
    return jobs.read(lambda c: standing.of_batches(c, [batch.batch_id], owner="local"))[
        batch.batch_id
    ]


def test_a_job_stands_at_the_position_of_its_newest_transition(jobs):
    waiting, running = jobs.submit("1.wav"), jobs.running(path="2.wav")
    ids = [waiting.job_id, running.job_id]

    found = jobs.read(lambda c: standing.of_jobs(c, ids, owner="local"))

    for job in (waiting, running):
        assert found[job.job_id].job == jobs.get(job)
        assert found[job.job_id].position == jobs.log(job)[-1].position


def test_what_another_owner_has_does_not_stand_anywhere(jobs):
    job = jobs.submit(owner="somebody")
    batch = jobs.submit_batch(jobs.new(), owner="somebody")
    assert jobs.read(lambda c: standing.of_jobs(c, [job.job_id], owner="local")) == {}
    assert jobs.read(lambda c: standing.of_batches(c, [batch.batch_id], owner="local")) == {}


def test_a_batch_stands_with_the_jobs_that_run(jobs):
    batch = jobs.submit_batch(*[jobs.new(f"{n}.wav") for n in range(3)])
    first, second, _ = jobs.listed()
    jobs.claim(first)
    jobs.succeed(jobs.claim(second))

    stood = stands(jobs, batch)

    assert [(job.job_id, job.revision, job.attempt) for job in stood.running] == [
        (first.job_id, 2, 1)
    ]
    assert stood.position == jobs.log(second)[-1].position


def test_counting_on_gives_what_counting_anew_gives(jobs):
    batch = jobs.submit_batch(*[jobs.new(f"{n}.wav") for n in range(5)])
    before = stands(jobs, batch)
    first, second, third, fourth, _ = jobs.listed()
    jobs.succeed(jobs.claim(first))
    jobs.fail(jobs.claim(second))
    jobs.claim(third)
    jobs.cancel(third)
    jobs.cancel(fourth)

    later = jobs.read(lambda c: log.of_batch(c, batch.batch_id, before.position))

    assert standing.counted_on(before.batch, later) == stands(jobs, batch).batch
