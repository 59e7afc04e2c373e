"""API keys on both databases: what is kept of them, who they are of, and when they no longer hold."""

from datetime import timedelta

import pytest

from harken.jobs.errors import InvalidKey, KeyNotFound
from harken.jobs.owners import keys
from harken.jobs.owners.scope import ALL_SCOPES, Scope
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import downgrade, migrate
from harken.jobs.store.schema import KEYS

REVISION_BEFORE = "0007"


def make(jobs, **fields):
    wanted = {"owner": "ann", "scopes": {Scope.READ}, "now": jobs.now, **fields}
    return jobs.write(lambda c: keys.create_key(c, **wanted))


def test_a_key_is_opened_by_its_own_secret_alone(jobs):
    key, text = make(jobs)
    other, others_text = make(jobs)
    key_id, secret = keys.parts_of(text)
    assert key_id == key.key_id != other.key_id
    assert key.opened_by(secret)
    assert not key.opened_by(keys.parts_of(others_text)[1])
    assert not key.opened_by("")


def test_the_text_of_a_key_is_not_in_the_database(jobs):
    _, text = make(jobs)
    with jobs.database.read() as connection:
        row = connection.execute(KEYS.select()).one()
    assert keys.parts_of(text)[1] not in str(tuple(row))


def test_a_key_reads_as_it_was_made(jobs):
    made, _ = make(jobs, name="ci", scopes=ALL_SCOPES, lifetime=timedelta(days=1))
    (found,) = jobs.read(keys.list_keys)
    assert found == made
    assert found.expire_time == jobs.now + timedelta(days=1)


def test_keys_are_listed_by_owner(jobs):
    anns, _ = make(jobs)
    make(jobs, owner="bob")
    assert jobs.read(lambda c: keys.list_keys(c, owner="ann")) == (anns,)


def test_a_revoked_key_stays_revoked_since_the_first_time(jobs):
    key, _ = make(jobs)
    first = jobs.write(lambda c: keys.revoke_key(c, key.key_id, now=jobs.now))
    again = jobs.write(lambda c: keys.revoke_key(c, key.key_id, now=jobs.now + timedelta(hours=1)))
    assert first.revoke_time == again.revoke_time == jobs.now


def test_a_key_that_does_not_exist_cannot_be_revoked(jobs):
    with pytest.raises(KeyNotFound, match="no key 'nope'"):
        jobs.write(lambda c: keys.revoke_key(c, "nope", now=jobs.now))


@pytest.mark.parametrize(
    "fields",
    [
        {"owner": ""},
        {"owner": " ann"},
        {"owner": "a\nb"},
        {"owner": "a" * 201},
        {"name": "n" * 101},
        {"name": "\x1b[31m"},
        {"scopes": set()},
        {"lifetime": timedelta(0)},
    ],
    ids=str,
)
def test_what_cannot_be_a_key_is_refused(jobs, fields):
    with pytest.raises(InvalidKey):
        make(jobs, **fields)
    assert jobs.read(keys.list_keys) == ()


@pytest.mark.parametrize(
    "text",
    ["", "hk", "hk__", "hk_0123456789_", "hk_0123456789_" + "0" * 42, "xx_0123456789_" + "0" * 43],
)
def test_what_does_not_look_like_a_key_has_no_parts(text):
    assert keys.parts_of(text) is None


def test_keys_look_the_same_until_one_is_made_or_revoked(jobs):
    shapes = [jobs.read(keys.shape)]
    key, _ = make(jobs)
    shapes.append(jobs.read(keys.shape))
    make(jobs, owner="bob")  # within the same moment
    shapes.append(jobs.read(keys.shape))
    jobs.write(lambda c: keys.revoke_key(c, key.key_id, now=jobs.now))
    shapes.append(jobs.read(keys.shape))
    assert len(set(shapes)) == 4
    jobs.write(lambda c: keys.note_use(c, [key.key_id], now=jobs.now))
    assert jobs.read(keys.shape) == shapes[-1]


def test_down_and_up_again_with_keys_in_it(empty_database_url, jobs_on):
    database = Database(empty_database_url)
    migrate(database)
    jobs = jobs_on(database)
    job = jobs.submit()
    make(jobs)
    downgrade(database, REVISION_BEFORE)
    migrate(database)
    assert jobs.read(keys.list_keys) == ()
    assert jobs.get(job) == job
    make(jobs)
    database.close()
