"""What is kept: some bytes under a key."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

FOLDER = "blobs"
OWNER_DIGITS = 32  # of the SHA-256 of an owner's name: 128 bits


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes that were kept: under which key, their SHA-256 in hexadecimal digits, and how many."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a listing of the storage shows of some bytes."""

    key: str
    size: int
    time: datetime


def folder_of(owner: str) -> str:
    """Below which all that an owner has is kept; a name is never a part of a path."""
    return f"{FOLDER}/{hashlib.sha256(owner.encode()).hexdigest()[:OWNER_DIGITS]}"


def new_key(owner: str) -> str:
    """A key that was never given before.

    Which bytes are known already is for the database to say. Were the key made of their SHA-256, what one process is
    about to delete could be what another one has just kept again.
    """
    name = uuid.uuid4().hex
    return f"{folder_of(owner)}/{name[:2]}/{name}"
