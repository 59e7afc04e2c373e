"""API keys: made, listed, revoked. The text of a key is known to its holder alone; the database has a hash of it."""

import hashlib
import hmac
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from harken.jobs.errors import InvalidKey, KeyNotFound
from harken.jobs.owners.scope import Scope
from harken.jobs.store.schema import KEYS

PREFIX = "hk"
ID_DIGITS = 10  # 59 bits: no secret, but no two keys have the same
SECRET_BYTES = 32
SECRET_DIGITS = 43  # of 32 bytes in base 62
LONGEST_OWNER = 200  # characters
LONGEST_NAME = 100
USE_NOTED_EVERY = timedelta(minutes=10)

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key as the database has it. `hash` is of the secret part of its text."""

    key_id: str
    owner: str
    name: str
    hash: bytes
    scopes: frozenset[Scope]
    create_time: datetime
    expire_time: datetime | None
    revoke_time: datetime | None
    last_used_time: datetime | None  # to USE_NOTED_EVERY

    def opened_by(self, secret: str) -> bool:
        """Whether the secret is this key's; takes as long for a wrong one."""
        return hmac.compare_digest(self.hash, hash_of(secret))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What all keys together look like: when it stays the same, so have they."""

    number: int
    revoked: int
    newest: datetime | None
    last_revoked: datetime | None


def create_key(
    connection: Connection,
    *,
    owner: str,
    name: str = "",
    scopes: Collection[Scope],
    lifetime: timedelta | None = None,
    now: datetime,
    random: Callable[[int], bytes] = os.urandom,
) -> tuple[Key, str]:
    """Makes a key; its text, which comes with it, is not to be had again. Raises InvalidKey."""
    check_owner(owner)
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidKey(f"A name has at most {LONGEST_NAME} characters, all printable.")
    if not scopes:
        raise InvalidKey(f"A key needs a scope: {', '.join(Scope)}.")
    if lifetime is not None and lifetime <= timedelta(0):
        raise InvalidKey("A key has to expire later than now.")
    key_id = _digits(random(8), ID_DIGITS)
    secret = _digits(random(SECRET_BYTES), SECRET_DIGITS)
    row = {
        "key_id": key_id,
        "owner": owner,
        "name": name,
        "hash": hash_of(secret).hex(),
        "scopes": sorted(scopes),
        "create_time": now,
        "expire_time": now + lifetime if lifetime else None,
    }
    connection.execute(insert(KEYS).values(row))
    key = _key({**row, "revoke_time": None, "last_used_time": None})
    return key, f"{PREFIX}_{key_id}_{secret}"


def list_keys(connection: Connection, *, owner: str | None = None) -> tuple[Key, ...]:
    """The keys of an owner, or of all, the oldest first."""
    query = select(KEYS).order_by(KEYS.c.create_time, KEYS.c.key_id)
    if owner is not None:
        query = query.where(KEYS.c.owner == owner)
    return tuple(_key(row) for row in connection.execute(query).mappings())


def revoke_key(connection: Connection, key_id: str, *, now: datetime) -> Key:
    """The key, which holds no longer; one that was revoked before stays as it is. Raises KeyNotFound."""
    connection.execute(
        update(KEYS)
        .where(KEYS.c.key_id == key_id, KEYS.c.revoke_time.is_(None))
        .values(revoke_time=now)
    )
    row = connection.execute(select(KEYS).where(KEYS.c.key_id == key_id)).mappings().one_or_none()
    if row is None:
        raise KeyNotFound(key_id)
    return _key(row)


def shape(connection: Connection) -> Shape:
    """What the keys look like now: cheap to ask for again and again."""
    row = connection.execute(
        select(
            func.count().label("number"),
            func.count(KEYS.c.revoke_time).label("revoked"),
            func.max(KEYS.c.create_time).label("newest"),
            func.max(KEYS.c.revoke_time).label("last_revoked"),
        )
    ).one()
    return Shape(
        number=row.number,
        revoked=row.revoked,
        newest=row.newest,
        last_revoked=row.last_revoked,
    )


def note_use(connection: Connection, key_ids: Iterable[str], *, now: datetime) -> None:
    """Notes that keys are in use."""
    connection.execute(
        update(KEYS).where(KEYS.c.key_id.in_(list(key_ids))).values(last_used_time=now)
    )


def parts_of(text: str) -> tuple[str, str] | None:
    """The id and the secret in a key's text; None when it does not look like one."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != PREFIX or len(key_id) != ID_DIGITS or len(secret) != SECRET_DIGITS:
        return None
    return key_id, secret


def hash_of(secret: str) -> bytes:
    """What is kept of a secret. It is random and long, so that a quick hash tells nobody anything."""
    return hashlib.sha256(secret.encode()).digest()


def check_owner(owner: str) -> None:
    """Raises InvalidKey when this cannot be the name of an owner."""
    if not 0 < len(owner) <= LONGEST_OWNER or not owner.isprintable() or owner != owner.strip():
        raise InvalidKey(
            f"{owner!r} cannot be an owner: 1 to {LONGEST_OWNER} printable characters,"
            " without spaces around them."
        )


def _key(row: Mapping[Any, Any]) -> Key:
    return Key(
        key_id=row["key_id"],
        owner=row["owner"],
        name=row["name"],
        hash=bytes.fromhex(row["hash"]),
        # One that this version does not know gives nothing.
        scopes=frozenset(scope for scope in Scope if scope in row["scopes"]),
        create_time=row["create_time"],
        expire_time=row["expire_time"],
        revoke_time=row["revoke_time"],
        last_used_time=row["last_used_time"],
    )


def _digits(random: bytes, number: int) -> str:
    """Random bytes in base 62."""
    value = int.from_bytes(random, "big")
    digits = ""
    for _ in range(number):
        value, digit = divmod(value, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
