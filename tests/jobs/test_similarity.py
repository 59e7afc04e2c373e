"""What is kept of sounds with their results, and the search among them, on both databases."""

import random
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text

from harken.jobs import known_results, queries
from harken.jobs.errors import NoEmbedding
from harken.jobs.job import Job
from harken.jobs.owners import erasure
from harken.jobs.similarity import exact, postgresql, vector_index
from harken.jobs.similarity.embeddings import QUERY
from harken.jobs.similarity.exact import ExactSearch
from harken.jobs.similarity.search import Found, Place, find, search_of, vector_of
from harken.jobs.similarity.sound_class import SoundClass, sound_class
from harken.jobs.similarity.wanted import DIMENSIONS, Search, SoundFilter, Wanted, as_unit
from harken.jobs.store.database import Database
from harken.jobs.store.schema import EMBEDDINGS
from harken.jobs.upkeep import retention
from tests.conftest import new_postgresql_database
from tests.jobs.conftest import ON_POSTGRESQL, ON_SQLITE, OWNER, Jobs
from tests.jobs.sounds import MODEL, result, towards


@pytest.fixture
def search(jobs: Jobs) -> Search:
    """The search of the database's kind."""
    return search_of(jobs.database.dialect)


def done(jobs: Jobs, found: dict[str, Any], **fields: Any) -> Job:
    """A job that has ended with a result."""
    job = jobs.running(**fields)
    assert jobs.succeed(job, found) is not None
    return job


def near(
    jobs: Jobs,
    search: Search,
    vector: tuple[float, ...] = towards(0),
    *,
    owner: str = OWNER,
    model: str = MODEL,
    size: int = 100,
    after: Place | None = None,
    **where: Any,
) -> tuple[list[Found], Place | None]:
    """A page of what is found."""
    wanted = Wanted(owner=owner, model=model, vector=vector, where=SoundFilter(**where))
    return jobs.read(lambda c: find(c, search, wanted, size=size, after=after))


def ids(jobs: Jobs, search: Search, *arguments: Any, **where: Any) -> list[str]:
    """The jobs that are found, the likest first."""
    return [one.sound.job.job_id for one in near(jobs, search, *arguments, **where)[0]]


def kept(jobs: Jobs) -> int:
    return jobs.read(lambda c: c.execute(select(func.count()).select_from(EMBEDDINGS)).scalar_one())


def test_the_likest_come_first_with_their_cosine(jobs: Jobs, search: Search) -> None:
    made = {degrees: done(jobs, result(towards(degrees))) for degrees in (60, 10, 90, 30)}
    found, place = near(jobs, search)
    assert [one.sound.job.job_id for one in found] == [made[d].job_id for d in (10, 30, 60, 90)]
    assert [one.similarity for one in found] == pytest.approx([0.98481, 0.86603, 0.5, 0], abs=1e-4)
    assert place is None


def test_what_is_added_after_a_search_is_found_by_the_next(jobs: Jobs, search: Search) -> None:
    first = done(jobs, result(towards(20)))
    assert ids(jobs, search) == [first.job_id]
    second = done(jobs, result(towards(10)))
    assert ids(jobs, search) == [second.job_id, first.job_id]


def test_a_refused_end_keeps_no_vector(jobs: Jobs, search: Search) -> None:
    job = jobs.running()
    jobs.hand_back(job)
    jobs.claim(job)
    assert jobs.succeed(job, result(towards(0))) is None  # the attempt before
    assert kept(jobs) == 0


def test_without_a_vector_nothing_is_kept(jobs: Jobs, search: Search) -> None:
    done(jobs, {"media": {"duration_s": 1.0}})
    done(jobs, {"embedding": {"model": MODEL}})  # of silence
    assert kept(jobs) == 0


def test_a_job_made_for_a_search_is_not_searched_and_can_be_searched_by(
    jobs: Jobs, search: Search
) -> None:
    job = done(jobs, result(towards(0)), spec={QUERY: True})
    assert kept(jobs) == 0
    vector = jobs.read(lambda c: vector_of(c, queries.get_job(c, job.job_id, owner=OWNER)))
    assert vector.values == pytest.approx(towards(0))


def test_a_job_with_the_result_of_an_earlier_one_is_found_by_its_own_labels(
    jobs: Jobs, search: Search
) -> None:
    first = jobs.running(labels={"take": "1"})
    jobs.advance(seconds=1)
    found = result(towards(5))
    jobs.write(
        lambda c: jobs_execution().succeed(
            c, first.job_id, first.attempt, found, jobs.now, content_key="k"
        )
    )
    second = jobs.running(labels={"take": "2"})
    jobs.write(
        lambda c: known_results.succeed_as(
            c, second.job_id, second.attempt, first.job_id, "k", jobs.now
        )
    )
    assert ids(jobs, search, labels={"take": "1"}) == [first.job_id]
    assert ids(jobs, search, labels={"take": "2"}) == [second.job_id]
    assert ids(jobs, search) == [second.job_id]  # the same samples once, as the newest job


def jobs_execution() -> Any:
    from harken.jobs import execution

    return execution


def test_what_is_anothers_is_not_found(jobs: Jobs, search: Search) -> None:
    done(jobs, result(towards(0)), owner="ann")
    mine = done(jobs, result(towards(40)))
    assert ids(jobs, search) == [mine.job_id]
    assert len(ids(jobs, search, owner="ann")) == 1


def test_models_do_not_mix(jobs: Jobs, search: Search) -> None:
    old = done(jobs, result(towards(0), model="old"))
    new = done(jobs, result(towards(40)))
    assert ids(jobs, search) == [new.job_id]
    assert ids(jobs, search, model="old") == [old.job_id]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"tempo_bpm": (100, 130)}, "b"),
        ({"tempo_bpm": (None, 130)}, "ab"),
        ({"tempo_bpm": (90, None)}, "abc"),
        ({"tempo_bpm": (90, 90)}, "a"),
        ({"duration_s": (None, 3)}, "ad"),
        ({"duration_s": (3, 50)}, "b"),
        ({"keys": frozenset({("A", "minor")})}, "a"),
        ({"keys": frozenset({("A", "minor"), ("C", "major")})}, "ab"),
        ({"classes": frozenset({SoundClass.LOOP})}, "b"),
        ({"classes": frozenset({SoundClass.TRACK, SoundClass.ONE_SHOT})}, "acd"),
        ({"labels": {"kit": "909"}}, "cd"),
        ({"labels": {"kit": "909", "mood": 'a"b'}}, "d"),
        ({"labels": {"kit": "909"}, "tempo_bpm": (100, 200)}, "c"),
        ({"labels": {"kit": "707"}}, ""),
    ],
)
def test_filters_let_through_what_they_say(
    jobs: Jobs, search: Search, where: dict[str, Any], expected: str
) -> None:
    made = {
        "a": done(jobs, result(towards(10), tempo_bpm=90, key="A", mode="minor")),
        "b": done(jobs, result(towards(20), tempo_bpm=120, duration_s=8, key="C", mode="major")),
        "c": done(jobs, result(towards(30), tempo_bpm=140, duration_s=200), labels={"kit": "909"}),
        "d": done(jobs, result(towards(40)), labels={"kit": "909", "mood": 'a"b'}),
    }
    assert ids(jobs, search, **where) == [made[name].job_id for name in expected]


def test_a_batch_can_be_searched_alone(jobs: Jobs, search: Search) -> None:
    done(jobs, result(towards(0)))
    batch = jobs.submit_batch(jobs.new("x.wav"))
    (job,) = jobs.listed(batch_id=batch.batch_id)
    claimed = jobs.claim(job)
    assert claimed is not None
    jobs.succeed(claimed, result(towards(50)))
    assert ids(jobs, search, batch_id=batch.batch_id) == [job.job_id]


def test_pages_have_every_sound_once_in_order(jobs: Jobs, search: Search) -> None:
    made = [done(jobs, result(towards(degrees))) for degrees in range(1, 24)]
    found: list[str] = []
    place: Place | None = None
    while True:
        page, place = near(jobs, search, size=5, after=place)
        found += [one.sound.job.job_id for one in page]
        if place is None:
            break
    assert found == [job.job_id for job in made]


def test_what_comes_in_between_two_pages_puts_nothing_twice(jobs: Jobs, search: Search) -> None:
    made = [done(jobs, result(towards(degrees))) for degrees in range(10, 20)]
    first, place = near(jobs, search, size=5)
    done(jobs, result(towards(1)))
    second, _ = near(jobs, search, size=4, after=place)
    found = [one.sound.job.job_id for one in (*first, *second)]
    assert found == [job.job_id for job in made[:9]]


def test_jobs_about_the_same_samples_are_one_sound_however_many(jobs: Jobs, search: Search) -> None:
    same: list[Job] = []
    for _ in range(30):
        jobs.advance(seconds=1)
        same.append(done(jobs, result(towards(10))))
    other = done(jobs, result(towards(20)))
    assert ids(jobs, search, size=2) == [same[-1].job_id, other.job_id]


def test_deleted_jobs_are_gone_from_searches(jobs: Jobs, search: Search) -> None:
    gone = [done(jobs, result(towards(degrees))) for degrees in (1, 2, 3)]
    assert len(ids(jobs, search)) == 3
    jobs.advance(days=2)
    stays = done(jobs, result(towards(50)))
    before = jobs.now.replace(hour=0)
    assert jobs.write(lambda c: retention.delete_ended_before(c, before)) == len(gone)
    assert ids(jobs, search) == [stays.job_id]
    assert kept(jobs) == 1


def test_a_vector_that_is_taken_out_is_not_found_though_its_job_stays(
    jobs: Jobs, search: Search
) -> None:
    """As re-embedding takes it out."""
    old, other = done(jobs, result(towards(1))), done(jobs, result(towards(2)))
    assert ids(jobs, search) == [old.job_id, other.job_id]
    jobs.write(lambda c: c.execute(delete(EMBEDDINGS).where(EMBEDDINGS.c.job_id == old.job_id)))
    assert ids(jobs, search) == [other.job_id]


def test_an_erased_owner_has_no_sounds_left(jobs: Jobs, search: Search) -> None:
    done(jobs, result(towards(0)), owner="ann")
    eraser = jobs.running(owner="admin")
    assert jobs.read(lambda c: erasure.count(c, "ann", but=eraser.job_id)) > 3
    jobs.write(lambda c: erasure.erase_jobs(c, eraser, "ann", lambda _: None))
    assert kept(jobs) == 0


def test_a_job_that_cannot_be_searched_by_says_why(jobs: Jobs) -> None:
    for job, why in (
        (jobs.running(), "has not ended"),
        (done(jobs, {"media": {}}), "not asked for"),
        (done(jobs, {"embedding": {"model": MODEL}}), "silent"),
    ):
        with pytest.raises(NoEmbedding, match=why):
            jobs.read(lambda c, job=job: vector_of(c, queries.get_job(c, job.job_id, owner=OWNER)))


def random_vectors(number: int, seed: int = 3) -> list[tuple[float, ...]]:
    chance = random.Random(seed)
    return [as_unit([chance.gauss(0, 1) for _ in range(DIMENSIONS)]) for _ in range(number)]


def likest(vector: tuple[float, ...], made: dict[str, tuple[float, ...]]) -> list[str]:
    def likeness(job_id: str) -> float:
        return sum(a * b for a, b in zip(vector, made[job_id], strict=True))

    return sorted(made, key=likeness, reverse=True)


@ON_POSTGRESQL
def test_along_the_index_filters_find_as_many_as_there_are(
    jobs: Jobs, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index knows no filters: it is gone on with until enough has come through, and then left for all rows."""
    monkeypatch.setattr(postgresql, "FEW", 0)
    vectors = random_vectors(150)
    made = {
        done(jobs, result(vector, tempo_bpm=60 + place)).job_id: vector
        for place, vector in enumerate(vectors)
    }
    assert jobs.read(vector_index.stands)
    (query,) = random_vectors(1, seed=4)
    assert ids(jobs, search, query, size=10) == likest(query, made)[:10]
    chosen = dict(list(made.items())[100:112])
    found = ids(jobs, search, query, size=10, tempo_bpm=(160, 171))
    assert found == likest(query, chosen)[:10]
    assert len(ids(jobs, search, query, size=100, tempo_bpm=(160, 171))) == len(chosen)


def test_postgresql_without_pgvector_searches_all_the_same(postgresql: str) -> None:
    """And once the extension is there, the index is made by a command."""
    from harken.jobs.store.migrate import migrate

    with new_postgresql_database(postgresql) as url:
        database = Database(url)
        migrate(database)
        with database.bare() as connection:
            connection.execute("DROP EXTENSION vector CASCADE")
        try:
            jobs = Jobs(database)
            assert not jobs.read(vector_index.stands)
            made = [done(jobs, result(towards(degrees))) for degrees in (30, 10, 20)]
            expected = [made[1].job_id, made[2].job_id, made[0].job_id]
            found, _ = near(jobs, search_of("postgresql"))
            assert [one.sound.job.job_id for one in found] == expected
            assert found[0].similarity == pytest.approx(0.98481, abs=1e-4)
            vector_index.build(database, memory_mb=64, workers=0)
            assert jobs.read(vector_index.stands)
            assert ids(jobs, search_of("postgresql")) == expected
        finally:
            database.close()


@ON_POSTGRESQL
def test_who_may_not_make_the_extension_is_told_what_to_do(jobs: Jobs, postgresql: str) -> None:
    with new_postgresql_database(postgresql) as url:
        admin = Database(url)
        role = "harken_plain"
        with admin.bare() as connection:
            connection.execute(f"DROP ROLE IF EXISTS {role}")
            connection.execute(f"CREATE ROLE {role} LOGIN")
            connection.execute(f"GRANT ALL ON SCHEMA public TO {role}")
        plain = Database(
            admin.engine.url.set(username=role).render_as_string(hide_password=False), pooled=False
        )
        from harken.jobs.errors import NoVectorIndex
        from harken.jobs.store.migrate import migrate

        migrate(plain)  # all else works
        assert not Jobs(plain).read(vector_index.stands)
        with pytest.raises(NoVectorIndex, match="superuser run CREATE EXTENSION vector"):
            vector_index.build(plain, memory_mb=64, workers=0)
        with admin.bare() as connection:
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")
        admin.close()


@ON_SQLITE
def test_memory_is_bounded_over_all_owners(jobs: Jobs) -> None:
    search = ExactSearch(most_vectors=10)
    for owner in ("ann", "bob", "cid"):
        for degrees in range(6):
            done(jobs, result(towards(degrees)), owner=owner)
    for owner in ("ann", "bob", "cid", "ann"):
        assert len(ids(jobs, search, owner=owner)) == 6
    assert search._total() <= 12  # the one that was searched, and no more than fits beside it


@ON_SQLITE
def test_many_are_loaded_in_portions_and_all_are_found(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "FIRST_LOOK", 2)
    made = [done(jobs, result(towards(degrees))) for degrees in range(1, 40)]
    search = ExactSearch()
    found = ids(jobs, search, labels={})
    assert found == [job.job_id for job in made]


@pytest.mark.parametrize(
    ("duration_s", "tempo_bpm", "expected"),
    [
        (None, 120, None),
        (0.2, None, SoundClass.ONE_SHOT),
        (4.0, None, SoundClass.ONE_SHOT),
        (4.0, 120, SoundClass.LOOP),  # 8 beats
        (3.693, 130, SoundClass.LOOP),  # 8.002 beats
        (1.0, 120, SoundClass.ONE_SHOT),  # 2 beats
        (4.25, 120, SoundClass.PHRASE),  # 8.5 beats
        (12.0, None, SoundClass.PHRASE),
        (30.1, 120, SoundClass.TRACK),
    ],
)
def test_the_class_of_a_sound_is_by_its_length_and_beats(duration_s, tempo_bpm, expected) -> None:
    assert sound_class(duration_s, tempo_bpm) is expected


def test_a_schema_step_down_and_up_with_sounds_in_it(empty_database_url: str) -> None:
    from harken.jobs.similarity import re_embedding
    from harken.jobs.store.migrate import downgrade, migrate

    database = Database(empty_database_url)
    migrate(database)
    jobs = Jobs(database)
    job = done(jobs, result(towards(0)))
    downgrade(database, "0009")
    migrate(database)
    assert kept(jobs) == 0
    page = jobs.write(lambda c: re_embedding.bring_in(c, None))
    assert (page.brought_in, kept(jobs)) == (1, 1)
    assert ids(jobs, search_of(database.dialect)) == [job.job_id]
    with database.read() as connection:
        assert connection.execute(text("SELECT digest FROM harken_embeddings")).scalar_one() > 0
    database.close()
