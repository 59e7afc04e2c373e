"""What is held of an owner is handed out whole, and erased whole, and nothing of anybody else."""

import gzip
import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime

import pytest
from celery import Celery
from sqlalchemy import func, insert, select

from harken.jobs import cancellation, execution, submission
from harken.jobs.files import artifacts
from harken.jobs.ids import new_id
from harken.jobs.job import JobKind, NewBatch, NewJob, Source
from harken.jobs.owners import erasure
from harken.jobs.owners.holdings import HOLDINGS
from harken.jobs.state import JobState
from harken.jobs.store.schema import ACTIONS, BLOBS, DISMISSALS, JOBS, KEYS, UPLOAD_PARTS, UPLOADS
from harken.media.storage import Storage
from harken.redis.connections import connect
from harken.tasks.attempt import TASKS
from harken.tasks.owner import erase

ADMIN, ANN, BOB = "admin", "ann@example.org", "bob"
HASH = "f" * 64
SONG, PIECE = b"a song" * 1000, b"half of"


@pytest.fixture(autouse=True)
def results(hands, redis, monkeypatch):
    """Celery's results, in the test's Redis."""
    backend = Celery(backend=redis, set_as_current=False).backend
    for task in TASKS.values():
        monkeypatch.setattr(task, "_backend", backend)
    with connect(redis) as client:
        yield client


def now():
    return datetime.now(UTC)


def fill(hands, owner, results=None):
    """One of everything that can be held of an owner; returns the ids of the jobs."""
    storage = Storage(hands.settings.storage_url)

    def kept(content):
        with storage.new(owner) as writer:
            writer.write(content)
            return writer.finish()

    song, part = kept(SONG), kept(PIECE)
    kept(b"an orphan")
    new = NewJob(source=Source(kind="path", value="a.wav"), features=("media",), queue="default")
    with hands.database.write() as c:
        batch = submission.submit_batch(
            c, NewBatch(items=((0, new), (1, new))), owner=owner, now=now()
        )
    with hands.database.write() as c:
        ids = list(c.execute(select(JOBS.c.job_id).where(JOBS.c.owner == owner)).scalars())
        for job_id in ids:
            execution.claim(c, job_id, worker="w", pid=1, now=now())
        artifacts.keep(c, ids[0], 1, song, name="a.bin", media_type="x/y", now=now())
        execution.succeed(c, ids[0], 1, found_of(owner), now())
        execution.fail(c, ids[1], 1, erase_error(), now())
        c.execute(insert(DISMISSALS).values(job_id=ids[1], time=now()))
        c.execute(insert(ACTIONS).values(**action(owner)))
        c.execute(insert(KEYS).values(**key(owner)))
        upload_id = new_id(now())
        c.execute(insert(UPLOADS).values(**upload(owner, upload_id)))
        c.execute(
            insert(UPLOAD_PARTS).values(
                owner=owner, upload_id=upload_id, position=0, key=part.key, size=part.size
            )
        )
    if results is not None:
        for job_id in ids:
            results.set(f"celery-task-meta-{job_id}", "x")
    assert batch.total == 2
    return ids


def found_of(owner):
    """A result, with what is searched among."""
    vector = [1.0] + [0.0] * 127
    return {"media": {"codec": f"of {owner}"}, "embedding": {"vector": vector, "model": "m"}}


def erase_error():
    from harken.jobs.job import ErrorKind, JobError

    return JobError(kind=ErrorKind.INPUT, reason="NO", message="No.")


def action(owner):
    return {
        "action_id": new_id(now()),
        "owner": owner,
        "peer": "p",
        "kind": "RETRY_JOBS",
        "time": now(),
        "request": {"a": 1},
        "done": 0,
        "refused": 0,
        "outcomes": [],
    }


def key(owner):
    return {
        "key_id": f"of-{owner}"[:20],
        "owner": owner,
        "name": "laptop",
        "hash": HASH,
        "scopes": ["read"],
        "create_time": now(),
    }


def upload(owner, upload_id):
    return {
        "owner": owner,
        "upload_id": upload_id,
        "state": "RECEIVING",
        "filename": "song.wav",
        "received": len(PIECE),
        "resumable": True,
        "create_time": now(),
        "expire_time": now(),
    }


def held(hands, owner):
    """How many rows of each table, and how many bytes."""
    storage = Storage(hands.settings.storage_url)
    with hands.database.read() as c:
        rows = {
            holding.name: c.execute(
                holding.of(owner, func.count()).select_from(holding.table)
            ).scalar_one()
            for holding in HOLDINGS
        }
    of_owner = [one for some in storage.listed(owner=owner) for one in some]
    return {**rows, "bytes": sum(one.size for one in of_owner)}


def files_of(content):
    """The files of an archive."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {one.name: archive.extractfile(one).read() for one in archive.getmembers()}


def rows_of(files, name):
    lines = (files[file].splitlines() for file in sorted(files) if file.startswith(f"rows/{name}-"))
    return [json.loads(line) for some in lines for line in some]


def test_an_archive_has_every_row_and_every_byte(hands):
    ids = fill(hands, ANN)
    fill(hands, BOB)
    job = hands.run(JobKind.OWNER_EXPORT, {"owner": ANN}, ADMIN)
    assert job.state is JobState.SUCCEEDED, job.error
    artifact, content = hands.artifact(job)
    assert (artifact.name, artifact.owner) == ("owner.tar.gz", ADMIN)
    files = files_of(content)
    manifest = json.loads(files["manifest.json"])
    expected = {name: number for name, number in held(hands, ANN).items() if name != "bytes"}
    assert manifest["rows"] == expected
    assert all(manifest["rows"].values()), "a table without a row shows nothing"
    for name, number in manifest["rows"].items():
        assert len(rows_of(files, name)) == number
    assert {row["job_id"] for row in rows_of(files, "jobs")} == set(ids)
    assert rows_of(files, "results")[0]["result"] == found_of(ANN)
    assert rows_of(files, "actions")[0]["request"] == {"a": 1}
    assert files[f"bytes/{hashlib.sha256(SONG).hexdigest()}"] == SONG
    (part,) = [content for name, content in files.items() if name.startswith("parts/")]
    assert part == PIECE
    for file in manifest["files"]:
        assert hashlib.sha256(files[file["name"]]).hexdigest() == file["sha256"]
        assert len(files[file["name"]]) == file["size"]
    assert BOB.encode() not in gzip.decompress(content)
    assert HASH.encode() not in gzip.decompress(content)


def test_an_owner_of_whom_nothing_is_held_has_an_archive_without_rows(hands):
    job = hands.run(JobKind.OWNER_EXPORT, {"owner": "nobody"}, ADMIN)
    assert [*files_of(hands.artifact(job)[1])] == ["manifest.json"]


def test_bytes_that_are_gone_are_named_in_the_manifest(hands):
    fill(hands, ANN)
    with hands.database.read() as c:
        key, sha256 = c.execute(select(BLOBS.c.key, BLOBS.c.sha256)).one()
    Storage(hands.settings.storage_url).delete([key])
    job = hands.run(JobKind.OWNER_EXPORT, {"owner": ANN}, ADMIN)
    manifest = json.loads(files_of(hands.artifact(job)[1])["manifest.json"])
    assert manifest["missing_bytes"] == [f"bytes/{sha256}"]


def test_an_erasure_leaves_nothing_of_the_owner_and_all_of_the_others(hands, results):
    fill(hands, ANN, results)
    bobs_ids = fill(hands, BOB, results)
    before, bobs = held(hands, ANN), held(hands, BOB)
    job = hands.run(JobKind.OWNER_ERASE, {"owner": ANN}, ADMIN)
    assert job.state is JobState.SUCCEEDED, job.error
    assert set(held(hands, ANN).values()) == {0}
    assert held(hands, BOB) == bobs
    kept = {f"celery-task-meta-{job_id}" for job_id in bobs_ids}
    assert {key.decode() for key in results.keys("celery-task-meta-*")} == kept
    receipt = json.loads(hands.artifact(job)[1])
    assert receipt["requested_by"] == ADMIN
    before.pop("bytes")
    assert receipt["deleted_rows"] == before


def test_the_receipt_and_its_job_do_not_name_who_was_erased(hands):
    fill(hands, ANN)
    job = hands.run(JobKind.OWNER_ERASE, {"owner": ANN}, ADMIN)
    assert ANN.encode() not in hands.artifact(job)[1]
    assert ANN not in json.dumps(job.spec)
    assert ANN not in json.dumps(hands.ticks)


def test_an_erasure_goes_on_where_it_was_stopped(hands, monkeypatch):
    """As after a crash: another attempt, or the job's retry, deletes the rest; the receipt counts all."""
    fill(hands, ANN)
    before = held(hands, ANN)
    job_id = hands.submit(JobKind.OWNER_ERASE, {"owner": ANN}, ADMIN)
    erase_jobs = erasure.erase_jobs

    def crash(*_):
        raise MemoryError

    monkeypatch.setattr(erasure, "erase_jobs", crash)
    failed = hands.attempt(job_id, ADMIN)
    assert failed.state is JobState.FAILED
    left = held(hands, ANN)
    assert (left["blobs"], left["jobs"]) == (0, 2)
    monkeypatch.setattr(erasure, "erase_jobs", erase_jobs)
    again = hands.run(JobKind.OWNER_ERASE, dict(failed.spec), ADMIN)
    assert again.state is JobState.SUCCEEDED
    assert set(held(hands, ANN).values()) == {0}
    before.pop("bytes")
    assert json.loads(hands.artifact(again)[1])["deleted_rows"] == before


def test_open_jobs_are_stopped_first_and_running_ones_waited_for(hands, monkeypatch):
    monkeypatch.setattr(erase, "LOOK_EVERY_S", 0.01)
    new = NewJob(source=Source(kind="path", value="a.wav"), features=("media",), queue="default")
    with hands.database.write() as c:
        queued = submission.submit_job(c, new, owner=ANN, now=now()).job_id
        running = submission.submit_job(c, new, owner=ANN, now=now()).job_id
        execution.claim(c, running, worker="w", pid=1, now=now())
    cancel_open, seen = erasure.cancel_open, []

    def look(connection, owner, **options):
        left = cancel_open(connection, owner, **options)
        states = dict(
            connection.execute(select(JOBS.c.job_id, JOBS.c.state).where(JOBS.c.owner == ANN)).all()
        )
        seen.append((left, states.get(queued), states.get(running)))
        if len(seen) == 3:  # its worker has stopped
            execution.stop(connection, running, 1, now())
        return left

    monkeypatch.setattr(erasure, "cancel_open", look)
    job = hands.run(JobKind.OWNER_ERASE, {"owner": ANN}, ADMIN)
    assert job.state is JobState.SUCCEEDED
    assert seen[:3] == [(1, "CANCELLED", "CANCELLING")] * 3
    assert set(held(hands, ANN).values()) == {0}


def test_who_erases_himself_keeps_the_job_that_did_it(hands):
    fill(hands, ADMIN)
    job = hands.run(JobKind.OWNER_ERASE, {"owner": ADMIN}, ADMIN)
    assert job.state is JobState.SUCCEEDED, job.error
    left = held(hands, ADMIN)
    assert (left["jobs"], left["artifacts"], left["blobs"]) == (1, 1, 1)
    assert (left["results"], left["batches"], left["uploads"], left["actions"]) == (0, 0, 0, 0)
    assert json.loads(hands.artifact(job)[1])["requested_by"] == ADMIN


def test_an_erasure_that_was_cancelled_deletes_no_more(hands, monkeypatch):
    fill(hands, ANN)
    job_id = hands.submit(JobKind.OWNER_ERASE, {"owner": ANN}, ADMIN)
    count = erasure.count

    def cancelling(connection, *arguments, **options):
        with hands.database.write() as other:
            cancellation.cancel_job(other, job_id, owner=ADMIN, now=now())
        return count(connection, *arguments, **options)

    monkeypatch.setattr(erasure, "count", cancelling)
    assert hands.attempt(job_id, ADMIN).state is JobState.CANCELLED
    assert held(hands, ANN)["jobs"] == 2


def test_an_owner_who_goes_on_submitting_is_not_erased_for_ever(hands, monkeypatch):
    new = NewJob(source=Source(kind="path", value="a.wav"), features=("media",), queue="default")
    count = erasure.count

    def submitting(connection, *arguments, **options):
        with hands.database.write() as other:
            submission.submit_job(other, new, owner=ANN, now=now())
        return count(connection, *arguments, **options) + 1

    monkeypatch.setattr(erasure, "count", submitting)
    job = hands.run(JobKind.OWNER_ERASE, {"owner": ANN}, ADMIN)
    assert (job.state, job.error.reason) == (JobState.FAILED, "OWNER_ACTIVE")


def test_more_rows_than_a_transaction_deletes(hands, monkeypatch):
    monkeypatch.setattr(erasure, "CHUNK", 3)
    new = NewJob(source=Source(kind="path", value="a.wav"), features=("media",), queue="default")
    items = tuple(enumerate([new] * 10))
    with hands.database.write() as c:
        submission.submit_batch(c, NewBatch(items=items), owner=ANN, now=now())
    job = hands.run(JobKind.OWNER_ERASE, {"owner": ANN}, ADMIN)
    assert json.loads(hands.artifact(job)[1])["deleted_rows"]["jobs"] == 10
    assert set(held(hands, ANN).values()) == {0}
