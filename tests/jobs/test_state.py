import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.jobs.state import (
    HELD,
    LEGAL,
    TERMINAL,
    JobState,
    after_cancel,
    after_loss,
    after_transient_error,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "state-machine.md"

states = st.sampled_from(JobState)
held = st.sampled_from(sorted(HELD))
counts = st.integers(0, 20)


@given(states)
def test_cancel_leads_to_a_legal_state_or_changes_nothing(state):
    after = after_cancel(state)
    assert after is state or after in LEGAL[state]


def test_cancel_changes_only_what_waits_or_runs():
    assert {state: after_cancel(state) for state in JobState} == {
        JobState.QUEUED: JobState.CANCELLED,
        JobState.RUNNING: JobState.CANCELLING,
        JobState.CANCELLING: JobState.CANCELLING,
        JobState.SUCCEEDED: JobState.SUCCEEDED,
        JobState.FAILED: JobState.FAILED,
        JobState.CANCELLED: JobState.CANCELLED,
    }


@given(held, counts, counts)
def test_a_loss_and_a_transient_error_lead_to_a_legal_state(state, spent, most):
    assert after_loss(state, spent, most) in LEGAL[state]
    assert after_transient_error(state, spent, most) in LEGAL[state]


@given(counts, st.integers(1, 20))
def test_a_job_survives_one_crash_less_than_its_limit(crashes, most):
    expected = JobState.QUEUED if crashes < most else JobState.FAILED
    assert after_loss(JobState.RUNNING, crashes, most) is expected


@given(counts, counts)
def test_a_job_is_tried_again_as_often_as_its_limit_says(retries, most):
    expected = JobState.QUEUED if retries < most else JobState.FAILED
    assert after_transient_error(JobState.RUNNING, retries, most) is expected


@given(counts, counts)
def test_a_job_being_cancelled_ends_cancelled_however_its_attempt_ends(spent, most):
    assert after_loss(JobState.CANCELLING, spent, most) is JobState.CANCELLED
    assert after_transient_error(JobState.CANCELLING, spent, most) is JobState.CANCELLED


@pytest.mark.parametrize("state", JobState)
def test_exactly_the_terminal_states_lead_nowhere(state):
    assert state.terminal == (state in TERMINAL) == (not LEGAL[state])


def test_the_document_lists_exactly_the_legal_transitions():
    rows = re.findall(r"^\| `([A-Z]+)` \| `([A-Z]+)` \|", DOCUMENT.read_text(), re.MULTILINE)
    legal = {(before.value, after.value) for before in JobState for after in LEGAL[before]}
    assert len(rows) == len(set(rows))
    assert set(rows) == legal


def test_the_documents_picture_draws_exactly_the_legal_transitions():
    arrows = re.findall(r"^ +([A-Z]+) --> ([A-Z]+)", DOCUMENT.read_text(), re.MULTILINE)
    legal = {(before.value, after.value) for before in JobState for after in LEGAL[before]}
    assert set(arrows) == legal
