import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, text

import harken.jobs.store
from harken.jobs import submission
from harken.jobs.errors import SchemaMismatch
from harken.jobs.job import NewJob, Source
from harken.jobs.similarity import vector_index
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import VERSION_TABLE, check, downgrade, migrate
from harken.jobs.store.schema import METADATA, UPLOADS


@pytest.fixture
def empty(empty_database_url):
    """A database without tables, of each kind in turn."""
    opened = Database(empty_database_url)
    yield opened
    opened.close()


def newest():
    return ScriptDirectory(
        str(Path(harken.jobs.store.__file__).with_name("migrations"))
    ).get_current_head()


def tables(database):
    return set(inspect(database.engine).get_table_names())


def columns(database, table):
    return {column["name"] for column in inspect(database.engine).get_columns(table)}


def test_the_migrated_schema_is_the_one_the_code_works_with(empty):
    migrate(empty)
    with empty.read() as connection:
        options = {
            "version_table": VERSION_TABLE,
            "compare_type": True,
            # What SQLite tells of an empty default looks like another one.
            "compare_server_default": empty.dialect == "postgresql",
            # It is there with pgvector alone, so it is no part of the schema.
            "include_name": lambda name, *_: name != vector_index.NAME,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []


def test_all_tables_are_prefixed(empty):
    migrate(empty)
    assert {name for name in tables(empty) if not name.startswith(("harken_", "sqlite_"))} == set()


def test_migrating_twice_changes_nothing(empty, jobs_on):
    migrate(empty)
    jobs = jobs_on(empty)
    job = jobs.running()
    migrate(empty)
    assert jobs.get(job) == job
    check(empty)


def test_two_that_migrate_at_once_do_it_one_after_the_other(empty_database_url, empty, jobs_on):
    databases = [Database(empty_database_url, pooled=False) for _ in range(2)]
    jobs_on(empty).at_once(*[lambda database=database: migrate(database) for database in databases])
    check(empty)


def test_two_processes_that_migrate_at_once_both_succeed(empty_database_url, empty, python):
    program = (
        "import sys; from harken.jobs.store.database import Database; from harken.jobs.store.migrate import migrate;"
        "migrate(Database(sys.argv[1], pooled=False))"
    )
    processes = [
        subprocess.Popen([python, "-c", program, empty_database_url], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [process.communicate()[1].decode() for process in processes] == ["", ""]
    check(empty)


def test_down_and_up_again_with_jobs_in_it(empty, jobs_on):
    migrate(empty)
    jobs = jobs_on(empty)
    jobs.submit_batch(jobs.new(), jobs.new())
    jobs.succeed(jobs.running(), {"a": 1})
    downgrade(empty, "base")
    assert tables(empty) - {"sqlite_sequence"} == {VERSION_TABLE}
    migrate(empty)
    check(empty)
    assert jobs.listed() == []
    jobs.succeed(jobs.running(), {"a": 1})


def test_jobs_outlive_the_relays_schema_down_and_up_again(empty, jobs_on):
    migrate(empty)
    jobs = jobs_on(empty)
    waiting = jobs.submit(schedule_timeout=timedelta(minutes=1))
    done = jobs.running()
    jobs.succeed(done, {"a": 1})
    downgrade(empty, "0001")
    assert "schedule_deadline" not in columns(empty, "harken_jobs")
    migrate(empty)
    check(empty)
    assert jobs.result(done) == {"a": 1}
    assert jobs.get(waiting).schedule_deadline is None
    assert [out.job_id for out in jobs.due()] == [waiting.job_id]


def test_one_step_down_and_up_again_keeps_jobs_results_and_logs(empty, jobs_on):
    """The newest schema's own rows are lost; nothing of the older ones' is."""
    migrate(empty)
    jobs = jobs_on(empty)
    done = jobs.running()
    jobs.succeed(done, {"a": 1})
    failed = jobs.running()
    jobs.fail(failed, jobs.transient_error())
    batch = jobs.submit_batch(jobs.new(), jobs.new())
    before = jobs.listed()
    downgrade(empty, "-1")
    with pytest.raises(SchemaMismatch):
        check(empty)
    migrate(empty)
    check(empty)
    assert jobs.listed() == before
    assert jobs.result(done) == {"a": 1}
    assert len(jobs.log(failed)) == 3
    assert jobs.batch(batch).queued == 2


def test_other_tables_of_a_shared_database_are_left_alone(empty):
    with empty.write() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    migrate(empty)
    downgrade(empty, "base")
    with empty.read() as connection:
        assert connection.execute(text("SELECT * FROM alembic_version")).scalar() == "theirs"


def test_a_database_of_this_schema_passes_the_check(empty):
    migrate(empty)
    check(empty)


def test_an_empty_database_is_refused_with_the_way_out(empty):
    with pytest.raises(
        SchemaMismatch, match=r"schema none.*needs \d{4}.*`harken migrate`"
    ) as caught:
        check(empty)
    assert caught.value.found is None


def test_a_database_of_another_schema_is_refused(empty):
    migrate(empty)
    with empty.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match="schema 9999") as caught:
        check(empty)
    assert (caught.value.found, caught.value.wanted) == ("9999", newest())


def test_checking_makes_no_table(empty):
    with pytest.raises(SchemaMismatch):
        check(empty)
    assert tables(empty) == set()


def test_harken_may_be_installed_below_a_folder_with_a_percent_sign(tmp_path, python):
    """Alembic's settings would read it as the name of another setting."""
    shutil.copytree(Path(harken.jobs.__file__).parent, tmp_path / "100%d" / "harken" / "jobs")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / '100%d')!r});"
        "import harken; harken.__path__ = [sys.path[0] + '/harken'];"
        "from harken.jobs.store.database import Database; from harken.jobs.store import migrate;"
        "assert '100%d' in migrate.__file__;"
        f"migrate.migrate(Database('sqlite:///{tmp_path}/harken.db', pooled=False))"
    )
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_down_to_the_first_schema_and_up_again_keeps_results_and_log(empty, jobs_on):
    """SQLite deletes what refers to a table's rows when the table is made anew."""
    migrate(empty)
    jobs = jobs_on(empty)
    job = jobs.running()
    jobs.succeed(job, {"a": 1})
    before = jobs.log(job)
    downgrade(empty, "0001")
    assert "pid" not in {
        column["name"] for column in inspect(empty.engine).get_columns("harken_jobs")
    }
    migrate(empty)
    assert (jobs.result(job), jobs.log(job)) == ({"a": 1}, before)


def test_down_to_the_schema_without_redrives_and_up_again_keeps_results_and_logs(empty, jobs_on):
    migrate(empty)
    jobs = jobs_on(empty)
    waiting = jobs.submit(trace_parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    done = jobs.running()
    jobs.succeed(done, {"a": 1})
    downgrade(empty, "0003")
    assert "trace_parent" not in columns(empty, "harken_jobs")
    migrate(empty)
    check(empty)
    assert jobs.result(done) == {"a": 1}
    assert len(jobs.log(done)) == 3
    assert [(out.job_id, out.trace_parent) for out in jobs.due()] == [(waiting.job_id, None)]


def test_jobs_of_uploads_that_are_still_there_get_their_names(empty, jobs_on):
    migrate(empty)
    jobs = jobs_on(empty)
    upload_id = "0197c0de-0000-7000-8000-00000000000a"
    source = Source(kind="upload_id", value=upload_id)
    new = NewJob(source=source, features=(), queue="default")
    of_upload = jobs.write(lambda c: submission.submit_job(c, new, owner="local", now=jobs.now))
    of_path = jobs.submit()
    with empty.write() as connection:
        connection.execute(
            insert(UPLOADS).values(
                upload_id=upload_id,
                owner=of_upload.owner,
                state="COMPLETE",
                filename="drums.wav",
                received=1,
                resumable=False,
                create_time=jobs.now,
                expire_time=jobs.now,
            )
        )
    downgrade(empty, "-1")
    assert "filename" not in columns(empty, "harken_jobs")
    migrate(empty)
    assert jobs.get(of_upload).filename == "drums.wav"
    assert jobs.get(of_path).filename is None
