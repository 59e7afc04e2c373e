"""A watch goes on where it was, tells nothing twice, and knows when to give up."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.client import (
    BatchSnapshot,
    JobSnapshot,
    JobState,
    NotFound,
    ProgressTick,
    Reconnect,
    ResumeTokenRejected,
    ServerUnavailable,
    Transition,
)
from harken.client.follow import Follow
from harken.client.reconnect import Patience
from tests.client.scripted_server import (
    BATCH_ID,
    JOB_ID,
    a_job,
    bookmark,
    counts,
    events,
    moved,
    snapshot,
    tick,
    whole_run,
)

AWAY = ServerUnavailable("away")


def _taken(follow: Follow, *messages: Any) -> list[Any]:
    return [update for message in messages for update in follow.take(message)]


def test_a_watch_ends_with_its_job() -> None:
    follow = Follow.job(JOB_ID)
    updates = _taken(follow, *whole_run())
    kinds = [JobSnapshot, Transition, ProgressTick, ProgressTick, Transition]
    assert [type(update) for update in updates] == kinds
    assert updates[-1].to_state is JobState.SUCCEEDED
    assert follow.ended


def test_a_job_that_had_ended_is_one_snapshot() -> None:
    follow = Follow.job(JOB_ID)
    (update,) = _taken(follow, snapshot(a_job("FAILED")))
    assert update.job.state is JobState.FAILED
    assert follow.ended


def test_the_next_stream_asks_for_what_came_after_the_last_message() -> None:
    follow = Follow.job(JOB_ID, heartbeat_interval=2.5)
    assert not follow.request().HasField("resume_token")
    _taken(follow, snapshot(a_job(), "t0"), bookmark("t1"))
    request = follow.request()
    assert (request.job_id, request.resume_token) == (JOB_ID, "t1")
    assert request.heartbeat_interval.ToTimedelta().total_seconds() == 2.5


def test_what_comes_again_after_a_reconnect_is_told_once() -> None:
    follow = Follow.job(JOB_ID)
    running, half = events("t1", moved(2, "QUEUED", "RUNNING")), events("t1", tick(0.5))
    first = _taken(follow, snapshot(a_job()), running, half)
    assert len(first) == 3
    assert _taken(follow, snapshot(a_job("RUNNING", revision=2)), running, half) == []
    assert len(_taken(follow, events("t1", tick(0.6)))) == 1


def test_progress_never_goes_back_within_an_attempt() -> None:
    follow = Follow.job(JOB_ID)
    ticks = (tick(0.5), tick(0.4), tick(0.6), tick(0.1, attempt=2), tick(0.9, attempt=1))
    told = _taken(follow, snapshot(a_job()), *(events("t", one) for one in ticks))
    seen = [(t.attempt, t.progress.fraction) for t in told if isinstance(t, ProgressTick)]
    assert seen == [(1, 0.5), (1, 0.6), (2, 0.1)]


def test_nothing_is_told_after_the_end() -> None:
    follow = Follow.job(JOB_ID)
    end = events("t", moved(3, "RUNNING", "CANCELLED"), tick(0.9))
    assert [type(update) for update in _taken(follow, end)] == [Transition]


@given(cuts=st.lists(st.integers(0, 5), max_size=6))
def test_wherever_the_stream_breaks_the_same_story_is_told(cuts: list[int]) -> None:
    """The server replays from the last token; each token stands for the place of its message."""
    story = [
        snapshot(a_job(), "0"),
        events("1", moved(2, "QUEUED", "RUNNING")),
        events("2", moved(3, "RUNNING", "QUEUED")),
        events("3", moved(4, "QUEUED", "RUNNING")),
        events("4", moved(5, "RUNNING", "SUCCEEDED")),
    ]
    unbroken = _taken(Follow.job(JOB_ID), *story)
    follow = Follow.job(JOB_ID, reconnect=Reconnect(give_up_after=1e9))
    told: list[Any] = []
    for cut in [*cuts, len(story)]:
        if follow.ended:
            break
        token = follow.request().resume_token
        start = int(token) + 1 if token else 0
        told += _taken(follow, *story[start : start + cut])
        if not follow.ended:
            follow.lost(AWAY, 0.0)
    assert told == unbroken[: len(told)]
    assert follow.ended
    assert told == unbroken


def test_a_token_of_another_log_starts_the_watch_afresh() -> None:
    """A database restored from a backup is behind the token; what it says now is what counts."""
    follow = Follow.job(JOB_ID)
    _taken(follow, snapshot(a_job(), "t0"), events("t9", moved(7, "QUEUED", "RUNNING")))
    assert follow.lost(ResumeTokenRejected("ahead"), 0.0) == 0.0
    assert not follow.request().HasField("resume_token")
    (update,) = _taken(follow, snapshot(a_job("QUEUED", revision=1)))
    assert isinstance(update, JobSnapshot)


def test_a_server_that_rejects_even_no_token_is_an_error() -> None:
    with pytest.raises(ResumeTokenRejected):
        Follow.job(JOB_ID).lost(ResumeTokenRejected("ahead"), 0.0)


def test_what_no_reconnect_would_change_is_raised() -> None:
    with pytest.raises(NotFound):
        Follow.job(JOB_ID).lost(NotFound("gone"), 0.0)


def test_a_batch_is_followed_by_its_counts_to_its_end() -> None:
    follow = Follow.batch(BATCH_ID)
    same = counts("t1", total=2, queued=1, succeeded=1)
    told = _taken(
        follow, counts("t0", total=2, queued=2), same, same, counts("t2", total=2, succeeded=2)
    )
    assert [update.batch.succeeded for update in told if isinstance(update, BatchSnapshot)] == [
        0,
        1,
        2,
    ]
    assert follow.ended


def test_the_items_of_a_batch_are_followed_with_its_counts_to_its_end() -> None:
    follow = Follow.items(BATCH_ID)
    assert follow.request().include_items
    messages = [
        counts(total=1, queued=1),
        events("t1", moved(2, "QUEUED", "RUNNING")),
        events("t1", tick(0.5)),
        counts("t1", total=1, running=1),
        events("t2", moved(3, "RUNNING", "SUCCEEDED")),
    ]
    told = _taken(follow, *messages)
    assert [type(one) for one in told] == [
        BatchSnapshot,
        Transition,
        ProgressTick,
        BatchSnapshot,
        Transition,
    ]
    assert not follow.ended  # its job's end is not its own
    assert [type(one) for one in _taken(follow, counts("t2", total=1, succeeded=1))] == [
        BatchSnapshot
    ]
    assert follow.ended


def test_progress_of_an_item_that_comes_again_is_told_once() -> None:
    follow = Follow.items(BATCH_ID)
    _taken(follow, counts(total=1, queued=1), events("t1", moved(2, "QUEUED", "RUNNING")))
    assert len(_taken(follow, events("t1", tick(0.5)), events("t1", tick(0.5)))) == 1
    assert len(_taken(follow, events("t1", moved(2, "QUEUED", "RUNNING")))) == 0


def test_a_watch_outlives_any_number_of_servers_that_each_answer_once() -> None:
    """A reconnect that was answered costs nothing: the next one has all the time again."""
    follow = Follow.job(JOB_ID, reconnect=Reconnect(give_up_after=1.0))
    _taken(follow, snapshot(a_job()))
    now = 0.0
    for number in range(1_000):
        now += 100.0
        assert follow.lost(AWAY, now) <= 0.1
        _taken(follow, bookmark(f"t{number}"))


def test_who_watches_hears_that_the_server_is_away() -> None:
    heard: list[ServerUnavailable] = []
    follow = Follow.job(JOB_ID, on_lost=heard.append)
    follow.lost(AWAY, 0.0)
    assert heard == [AWAY]


def test_the_watch_gives_up_after_the_time_without_a_server() -> None:
    patience = Patience(Reconnect(give_up_after=10.0))
    patience.lost(AWAY, 100.0)
    patience.lost(AWAY, 109.9)
    with pytest.raises(ServerUnavailable):
        patience.lost(AWAY, 110.0)


def test_an_answer_in_between_gives_the_whole_time_again() -> None:
    patience = Patience(Reconnect(give_up_after=10.0))
    patience.lost(AWAY, 100.0)
    patience.answered()
    patience.lost(AWAY, 200.0)
    patience.lost(AWAY, 209.0)


def test_without_patience_the_first_failure_counts() -> None:
    with pytest.raises(ServerUnavailable):
        Patience(Reconnect(give_up_after=0.0)).lost(AWAY, 5.0)


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_pauses_grow_and_scatter_up_to_their_limit(failures: int, chance: float) -> None:
    policy = Reconnect(first_pause=0.1, max_pause=5.0)
    longest = min(5.0, 0.1 * 2 ** min(failures - 1, 30))
    assert longest / 2 <= policy.pause(failures, chance) <= longest


def test_the_last_pause_does_not_outlast_the_patience() -> None:
    patience = Patience(
        Reconnect(give_up_after=1.0, first_pause=50.0, max_pause=50.0), chance=random.Random(1)
    )
    assert patience.lost(AWAY, 0.0) == 1.0
