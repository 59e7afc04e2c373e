"""A process dies at each point that has a name, between two steps of a job: the job is done all the same, and once."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from harken.client import Job, JobState, ServerUnavailable
from harken.jobs.failpoint import VARIABLE, Point
from tests.conftest import eventually, new_postgresql_database
from tests.system.conftest import System, harken_up

# A part that ended is started again, and the worker's first job after that loads its engine.
DONE_WITHIN_S = 90.0
# The attempt that does it: these die with the job in hand, which is given to the next one.
ATTEMPT = {Point.CLAIMED: 2, Point.COMPUTED: 2, Point.RESULT: 2}


@pytest.fixture(scope="module")
def armoury(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which points are armed."""
    return tmp_path_factory.mktemp("failpoints")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def mortal(
    request: pytest.FixtureRequest,
    armoury: Path,
    media: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    """A system whose processes die at points that are armed."""
    given = {VARIABLE: str(armoury), "HARKEN_CONCURRENCY": "1"}
    data = tmp_path_factory.mktemp("mortal") / "harken"
    if request.param == "sqlite":
        with harken_up(data, media, **given) as running:
            yield running
        return
    with (
        new_postgresql_database(request.getfixturevalue("postgresql")) as url,
        harken_up(data, media, HARKEN_DATABASE_URL=url, **given) as running,
    ):
        yield running


def submitted(system: System, request_id: str) -> Job:
    """The job, asked for until there is an answer."""
    deadline = time.monotonic() + DONE_WITHIN_S
    while True:
        try:
            handle = system.client.submit(
                "piece.mp3",
                features=["media"],
                request_id=request_id,
                labels={"request": request_id},
                skip_cache=True,  # who has its result at once comes by no point of the work
            )
        except ServerUnavailable:
            assert time.monotonic() < deadline, "no server came back"
        else:
            return handle.job


@pytest.mark.timeout(240)
@pytest.mark.parametrize("point", list(Point))
def test_a_process_that_dies_there_loses_nothing_and_does_nothing_twice(
    mortal: System, armoury: Path, point: Point
) -> None:
    request_id = str(uuid.uuid4())
    (armoury / point).touch()

    job = submitted(mortal, request_id)
    done = mortal.client.wait(job.job_id, timeout=DONE_WITHIN_S)

    eventually(lambda: not (armoury / point).exists())  # somebody has died of it
    assert done.state is JobState.SUCCEEDED
    assert done.attempt == ATTEMPT.get(point, 1)
    assert done.revision == 1 + 2 * done.attempt
    made = mortal.client.list_jobs(labels={"request": request_id})
    assert [job.job_id for job in made] == [done.job_id]
