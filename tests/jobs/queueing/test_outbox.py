from harken.jobs.queueing import outbox
from harken.jobs.state import JobState


def ids(outgoing):
    return [out.job_id for out in outgoing]


def publish(jobs, outgoing):
    """The broker has taken the messages."""
    jobs.write(lambda c: outbox.mark_published(c, outgoing, jobs.now))


def test_the_most_urgent_goes_first_and_of_the_same_priority_the_oldest(jobs):
    submitted = []
    for priority in (5, 9, 0, 5, 9):
        submitted.append(jobs.submit(priority=priority))
        jobs.advance(milliseconds=1)
    order = [submitted[number].job_id for number in (1, 4, 0, 3, 2)]
    assert ids(jobs.due()) == order
    assert ids(jobs.due(limit=2)) == order[:2]


def test_a_message_needs_the_queue_and_the_priority(jobs):
    jobs.submit(queue="embeddings", priority=7)
    (out,) = jobs.due()
    assert (out.queue, out.priority) == ("embeddings", 7)


def test_what_is_published_is_not_due_again(jobs):
    jobs.submit()
    publish(jobs, jobs.due())
    assert jobs.due() == ()


def test_what_was_not_marked_is_due_again(jobs):
    """A crash between the broker and the mark publishes twice; the claim lets one through."""
    job = jobs.submit()
    assert ids(jobs.due()) == ids(jobs.due()) == [job.job_id]


def test_only_queued_jobs_are_due(jobs):
    jobs.running()
    jobs.cancel(jobs.submit())
    assert jobs.due() == ()


def test_a_retry_is_due_when_its_time_has_come(jobs):
    job = jobs.submit()
    publish(jobs, jobs.due())
    jobs.retry(jobs.claim(job))
    assert jobs.due() == ()
    jobs.advance(minutes=10)
    assert ids(jobs.due()) == [job.job_id]


def test_a_job_that_was_put_back_is_due_at_once(jobs):
    job = jobs.submit()
    publish(jobs, jobs.due())
    jobs.hand_back(jobs.claim(job))
    assert ids(jobs.due()) == [job.job_id]
    publish(jobs, jobs.due())
    jobs.lose(jobs.claim(job))
    assert ids(jobs.due()) == [job.job_id]


def test_a_mark_that_comes_after_the_job_was_run_and_put_back_is_void(jobs):
    """Its message is used up by then: with the mark nobody would ever send another one."""
    job = jobs.submit()
    sent = jobs.due()
    jobs.hand_back(jobs.claim(job))
    publish(jobs, sent)
    assert ids(jobs.due()) == [job.job_id]


def test_a_mark_changes_no_state(jobs):
    job = jobs.submit()
    publish(jobs, jobs.due())
    assert jobs.get(job) == job
    assert len(jobs.log(job)) == 1


def test_marking_nothing_is_no_error(jobs):
    job = jobs.submit()
    publish(jobs, ())
    assert ids(jobs.due()) == [job.job_id]


def test_all_that_waits_is_due_again_once_the_broker_has_lost_it(jobs):
    waiting, running = jobs.submit(), jobs.submit()
    publish(jobs, jobs.due())
    jobs.claim(running)
    lost = jobs.read(outbox.published)
    assert jobs.write(lambda c: outbox.forget_published(c, lost)) == 1
    assert ids(jobs.due()) == [waiting.job_id]
    assert jobs.get(running).state is JobState.RUNNING


def test_a_waiting_job_whose_message_died_is_published_again(jobs):
    job = jobs.submit()
    sent = jobs.due()
    jobs.write(lambda c: outbox.mark_published(c, sent, jobs.now))
    assert jobs.due() == ()
    assert jobs.write(lambda c: outbox.publish_again(c, job.job_id))
    assert [out.job_id for out in jobs.due()] == [job.job_id]
    assert not jobs.write(lambda c: outbox.publish_again(c, job.job_id))


def test_a_job_that_runs_is_not_published_again(jobs):
    job = jobs.submit()
    sent = jobs.due()
    jobs.write(lambda c: outbox.mark_published(c, sent, jobs.now))
    jobs.claim(job)
    assert not jobs.write(lambda c: outbox.publish_again(c, job.job_id))


TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_trace_of_a_submit_goes_along_to_the_broker_each_time(jobs):
    job = jobs.submit(trace_parent=TRACE_PARENT)
    batch = jobs.submit_batch(jobs.new(trace_parent=TRACE_PARENT))
    assert batch.total == 1
    assert [out.trace_parent for out in jobs.due()] == [TRACE_PARENT, TRACE_PARENT]
    publish(jobs, jobs.due())
    jobs.lose(jobs.claim(job))
    assert [out.trace_parent for out in jobs.due()] == [TRACE_PARENT]


def test_a_job_without_a_trace_has_none(jobs):
    jobs.submit()
    assert [out.trace_parent for out in jobs.due()] == [None]


def test_a_submit_that_is_repeated_in_another_trace_finds_the_same_job(jobs):
    """The trace is not part of what was asked for."""
    wanted = {"request_id": "0197c0de-0000-7000-8000-000000000001"}
    first = jobs.submit(trace_parent=TRACE_PARENT, **wanted)
    assert jobs.submit(trace_parent=TRACE_PARENT.replace("b7", "c8"), **wanted) == first
