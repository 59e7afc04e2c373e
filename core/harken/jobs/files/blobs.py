"""Which bytes are kept, and for whom: the same ones once for each owner, for as long as something refers to them.

The bytes are in the storage under a key that is never given twice, so deleting them cannot hit what somebody else has
just kept: whoever keeps bytes that were kept before is told the key that counts, and his own is an orphan.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, delete, exists, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from harken.jobs.store.schema import ARTIFACTS, BLOBS, UPLOAD_PARTS, UPLOADS

# Longer than any transaction that has found a blob and is about to refer to it.
UNUSED_FOR = timedelta(hours=1)
CHUNK = 500  # blobs that one transaction deletes, or one query asks for, so that others do not wait for long


class Bytes(Protocol):
    """Bytes that the storage has: under which key, their SHA-256 in hexadecimal digits, and how many."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class StoredBytes:
    """Bytes that are known here; a `Bytes`."""

    key: str
    sha256: str
    size: int


def keep(connection: Connection, content: Bytes, *, owner: str, now: datetime) -> str:
    """Notes bytes that are about to be referred to; returns the key under which they are from now on.

    With another key than that of `content` they were known already, and that of `content` is an orphan.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"sha256": content.sha256, "size": content.size, "key": content.key}
    statement: Any = insert(BLOBS).values(owner=owner, used_time=now, **values)
    statement = statement.on_conflict_do_update(
        index_elements=[BLOBS.c.owner, BLOBS.c.sha256], set_={"used_time": now}
    ).returning(BLOBS.c.key)
    return connection.execute(statement).scalar_one()


def use(connection: Connection, sha256: str, *, owner: str, now: datetime) -> StoredBytes | None:
    """Bytes that are about to be referred to, by their SHA-256; None where the owner has none such."""
    used = (
        update(BLOBS)
        .where(BLOBS.c.owner == owner, BLOBS.c.sha256 == sha256)
        .values(used_time=now)
        .returning(BLOBS.c.key, BLOBS.c.size)
    )
    row = connection.execute(used).one_or_none()
    return None if row is None else StoredBytes(key=row.key, sha256=sha256, size=row.size)


def find(connection: Connection, sha256: str, *, owner: str) -> StoredBytes | None:
    """Bytes by their SHA-256; None where the owner has none such."""
    query = select(BLOBS.c.key, BLOBS.c.size).where(
        BLOBS.c.owner == owner, BLOBS.c.sha256 == sha256
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else StoredBytes(key=row.key, sha256=sha256, size=row.size)


def delete_unused(connection: Connection, now: datetime) -> tuple[str, ...]:
    """Forgets up to `CHUNK` blobs to which nothing refers; returns their keys, whose bytes are orphans then."""
    referred = or_(
        *(
            exists().where(table.c.owner == BLOBS.c.owner, table.c.sha256 == BLOBS.c.sha256)
            for table in (UPLOADS, ARTIFACTS)
        )
    )
    # Asked of the row once more when it is deleted: who began to refer to it meanwhile has touched it.
    old = BLOBS.c.used_time < now - UNUSED_FOR
    found = connection.execute(
        select(BLOBS.c.owner, BLOBS.c.sha256).where(old, ~referred).limit(CHUNK)
    ).all()
    if not found:
        return ()
    gone = (
        delete(BLOBS)
        .where(tuple_(BLOBS.c.owner, BLOBS.c.sha256).in_([tuple(row) for row in found]), old)
        .returning(BLOBS.c.key)
    )
    return tuple(connection.execute(gone).scalars())


def known_keys(connection: Connection, keys: Collection[str]) -> frozenset[str]:
    """Those of the keys under which something is kept, or being received."""
    found: set[str] = set()
    for table in (BLOBS, UPLOAD_PARTS):
        found.update(connection.execute(select(table.c.key).where(table.c.key.in_(keys))).scalars())
    return frozenset(found)
