"""An export has a row for each analysis that its filter finds, with the columns of the contract."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from google.protobuf.descriptor import FieldDescriptor
from sqlalchemy import insert

from harken.audio.fingerprint_space import DIMENSIONS
from harken.jobs import cancellation, clock, export
from harken.jobs.export import Export, ExportFormat
from harken.jobs.files import artifacts
from harken.jobs.ids import new_id
from harken.jobs.job import JobKind
from harken.jobs.queries import JobFilter
from harken.jobs.state import JobState
from harken.jobs.store.schema import JOBS, RESULTS
from harken.media.storage import Storage
from harken.tasks.export import rows
from harken.tasks.export.columns import COLUMNS, EMBEDDING_SIZE, RESULT_COLUMNS, ColumnType
from harken.tasks.export.rows import next_limit
from harken.v1.analysis_result_pb2 import AnalysisResult

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

RESULT = {
    "media": {
        "duration_s": 1.5,
        "sample_rate_hz": 44100,
        "codec": "flac",
        "tags": {"title": 'a "quoted", title\nof two lines', "ärtist": "=1+1"},
    },
    "rhythm": {
        "tempo_bpm": 120.25,
        "tempo_candidates": [{"bpm": 120.25, "confidence": 0.75}, {"bpm": 60.125}],
        "beats_s": [0.5, 1.0],
        "beat_count": 2,
    },
    "loudness": {"integrated_lufs": -14.2},
    "embedding": {"vector": [0.125] * DIMENSIONS, "model": "test"},
}


def add_jobs(database, number, *, owner="local", result=None, **values):
    """Analyses that ended; returns their ids, the oldest first."""
    ids = sorted(new_id(START + timedelta(seconds=index)) for index in range(number))
    row = {
        "owner": owner,
        "state": JobState.SUCCEEDED.value,
        "revision": 3,
        "attempt": 1,
        "priority": 5,
        "queue": "default",
        "source_kind": "path",
        "source": "a song.flac",
        "features": ["media"],
        "labels": {},
        "create_time": START,
        "start_time": START,
        "end_time": START + timedelta(seconds=1),
        **values,
    }
    with database.write() as connection:
        connection.execute(insert(JOBS), [{**row, "job_id": job_id} for job_id in ids])
        if row["state"] == JobState.SUCCEEDED.value:
            results = [{"job_id": job_id, "result": result or {}} for job_id in ids]
            connection.execute(insert(RESULTS), results)
    return ids


def spec(kind=ExportFormat.PARQUET, **where):
    where = {"states": (JobState.SUCCEEDED,), **where}
    return Export(format=kind, where=JobFilter(**where)).to_spec()


def table_of(hands, **where):
    """The rows of an export."""
    job = hands.run(JobKind.EXPORT, spec(**where))
    assert job.state is JobState.SUCCEEDED, job.error
    return pq.read_table(io.BytesIO(hands.artifact(job)[1]))


def kept_bytes(hands):
    """What is in the storage."""
    storage = Storage(hands.settings.storage_url)
    return sum(one.size for some in storage.listed() for one in some)


def test_parquet_has_typed_columns_and_lists_as_lists(hands):
    (job_id,) = add_jobs(hands.database, 1, result=RESULT, labels={"a": "b"})
    job = hands.run(JobKind.EXPORT, spec())
    artifact, content = hands.artifact(job)
    assert (artifact.name, artifact.media_type) == (
        "results.parquet",
        "application/vnd.apache.parquet",
    )
    table = pq.read_table(io.BytesIO(content))
    assert str(table.schema.field("embedding.vector").type).startswith("fixed_size_list<")
    assert table.schema.field("embedding.vector").type.list_size == DIMENSIONS
    (row,) = table.to_pylist()
    assert row["job_id"] == job_id
    assert row["labels"] == [("a", "b")]
    assert row["end_time"] == START + timedelta(seconds=1)
    assert row["media.sample_rate_hz"] == 44100
    assert dict(row["media.tags"]) == RESULT["media"]["tags"]
    assert row["rhythm.tempo_candidates"] == [
        {"bpm": 120.25, "confidence": 0.75},
        {"bpm": 60.125, "confidence": None},
    ]
    assert row["rhythm.beats_s"] == [0.5, 1.0]
    assert row["embedding.vector"] == RESULT["embedding"]["vector"]
    assert row["tonal.key"] is None


def test_groups_within_groups_records_of_texts_and_partial_results_have_columns(hands):
    failed = {
        "feature": "FEATURE_PITCH",
        "kind": "KIND_INTERNAL",
        "reason": "UNEXPECTED_ERROR",
        "message": "a fault",
    }
    stem = {"name": "harmonic", "kind": "KIND_HARMONIC_PERCUSSIVE", "energy_share": 0.75}
    annotations = {
        "acid": {"one_shot": True, "beats": 8},
        "cues": [{"time_s": 0.5, "label": "A"}, {"time_s": 1.0}],
    }
    result = {"annotations": annotations, "stems": {"stems": [stem]}, "errors": [failed]}
    add_jobs(hands.database, 1, result=result)
    (row,) = table_of(hands).to_pylist()
    assert (row["annotations.acid.one_shot"], row["annotations.acid.beats"]) == (True, 8)
    assert row["annotations.sampler.root_note"] is None
    assert row["annotations.cues"] == [
        {"time_s": 0.5, "label": "A"},
        {"time_s": 1.0, "label": None},
    ]
    assert row["stems.stems"][0]["name"] == "harmonic"
    assert row["stems.stems"][0]["energy_share"] == 0.75
    assert row["errors"] == [failed]


def test_csv_has_lists_as_json_and_keeps_every_character(hands):
    add_jobs(hands.database, 1, result=RESULT)
    add_jobs(hands.database, 1)
    job = hands.run(JobKind.EXPORT, spec(ExportFormat.CSV))
    text = hands.artifact(job)[1].decode()
    found = list(csv.DictReader(io.StringIO(text)))
    assert [*found[0]] == [column.name for column in COLUMNS]
    first = next(row for row in found if row["media.codec"])
    assert json.loads(first["media.tags"]) == RESULT["media"]["tags"]
    assert json.loads(first["rhythm.beats_s"]) == [0.5, 1.0]
    assert json.loads(first["embedding.vector"]) == RESULT["embedding"]["vector"]
    assert float(first["loudness.integrated_lufs"]) == -14.2
    assert first["tonal.key"] == ""


def test_json_lines_leave_out_what_is_unset(hands):
    (job_id,) = add_jobs(hands.database, 1, result=RESULT)
    job = hands.run(JobKind.EXPORT, spec(ExportFormat.JSONL))
    (line,) = hands.artifact(job)[1].decode().splitlines()
    found = json.loads(line)
    assert found["job_id"] == job_id
    assert found["media.tags"] == RESULT["media"]["tags"]
    assert found["create_time"] == "2026-01-02T03:04:05.678901Z"
    assert not {"tonal.key", "batch_id", "error_kind"} & found.keys()


@pytest.mark.parametrize("kind", ExportFormat)
def test_an_export_of_nothing_is_a_file_without_rows(hands, kind):
    job = hands.run(JobKind.EXPORT, spec(kind))
    _, content = hands.artifact(job)
    match kind:
        case ExportFormat.PARQUET:
            assert len(pq.read_table(io.BytesIO(content))) == 0
        case ExportFormat.CSV:
            assert len(content.splitlines()) == 1
        case _:
            assert content == b""


def test_it_holds_what_its_filter_finds_and_nothing_of_another_owner(hands):
    plain = add_jobs(hands.database, 2)
    marked = add_jobs(hands.database, 2, labels={"set": "a b"})
    failed = add_jobs(hands.database, 1, state="FAILED", error_kind="INPUT", error_reason="NO")
    add_jobs(hands.database, 2, owner="another")
    hands.run(JobKind.EXPORT, spec())  # exports are no analyses

    def ids(**where):
        return table_of(hands, **where)["job_id"].to_pylist()

    assert ids() == sorted([*plain, *marked])
    assert ids(labels={"set": "a b"}) == marked
    assert ids(states=(JobState.FAILED,)) == failed
    assert ids(ended_before=START) == []
    assert len(ids(ended_after=START)) == 4


def test_a_failed_job_says_why_in_its_row(hands):
    why = {"error_kind": "INPUT", "error_reason": "NO_AUDIO", "error_message": "It has no sound."}
    add_jobs(hands.database, 1, state="FAILED", **why)
    (row,) = table_of(hands, states=(JobState.FAILED,)).to_pylist()
    assert {name: row[name] for name in why} == why


def test_all_rows_are_in_it_once_and_in_order_however_they_fall_into_pages(hands, monkeypatch):
    monkeypatch.setattr(rows, "FIRST_PAGE", 3)
    monkeypatch.setattr(rows, "LARGEST_PAGE", 7)
    ids = add_jobs(hands.database, 100)
    assert table_of(hands)["job_id"].to_pylist() == ids


def test_progress_counts_rows(hands, monkeypatch):
    monkeypatch.setattr(rows, "LARGEST_PAGE", 10)
    monkeypatch.setattr("harken.tasks.progress.FLUSH_EVERY_S", 0.0)
    add_jobs(hands.database, 500)
    hands.run(JobKind.EXPORT, spec())
    fractions = [tick["fraction"] for tick in hands.ticks]
    assert fractions == sorted(fractions)
    assert (fractions[-1], hands.ticks[-1]["message"]) == (1.0, "500 of 500 rows")


def test_a_cancelled_export_stops_and_leaves_no_file(hands, monkeypatch):
    add_jobs(hands.database, 5)
    job_id = hands.submit(JobKind.EXPORT, spec())
    page = export.page

    def endless(connection, *arguments, **options):
        with hands.database.write() as other:
            cancellation.cancel_job(other, job_id, owner="local", now=clock.now(other))
        return page(connection, *arguments, **{**options, "after_id": None})

    monkeypatch.setattr(export, "page", endless)
    assert hands.attempt(job_id).state is JobState.CANCELLED
    with hands.database.read() as connection:
        assert artifacts.of_job(connection, job_id, owner="local") == ()
    assert kept_bytes(hands) == 0


def test_pages_grow_and_shrink_with_the_results():
    assert next_limit(100, 100 * 1_000) == 200
    assert next_limit(5_000, 5_000 * 100) == rows.LARGEST_PAGE
    assert next_limit(100, 100 * 400_000) == 10
    assert next_limit(1, 50_000_000) == 1


def test_the_columns_are_the_fields_of_the_contract():
    """Names and types; an added field of the contract is a column of exports, or fails here."""
    expected = dict(columns_of(AnalysisResult.DESCRIPTOR, ""))
    assert {column.name: column.type for column in RESULT_COLUMNS} == expected
    assert EMBEDDING_SIZE == DIMENSIONS


def columns_of(message, above):
    for field in message.fields:
        name = above + field.name
        kind = field.message_type
        if kind is None or field.is_repeated:
            yield name, type_of(field)
        else:
            yield from columns_of(kind, f"{name}.")


def type_of(field):
    if field.message_type is not None:
        is_map = field.message_type.GetOptions().map_entry
        return ColumnType.MAP if is_map else ColumnType.RECORDS
    if field.is_repeated:
        single = field.type == FieldDescriptor.TYPE_FLOAT
        return ColumnType.VECTOR if single else ColumnType.NUMBERS
    return {
        FieldDescriptor.TYPE_DOUBLE: ColumnType.NUMBER,
        FieldDescriptor.TYPE_STRING: ColumnType.TEXT,
        FieldDescriptor.TYPE_INT32: ColumnType.INTEGER,
        FieldDescriptor.TYPE_INT64: ColumnType.INTEGER,
        FieldDescriptor.TYPE_BOOL: ColumnType.BOOLEAN,
        FieldDescriptor.TYPE_BYTES: ColumnType.TEXT,
        FieldDescriptor.TYPE_ENUM: ColumnType.TEXT,
    }[field.type]
