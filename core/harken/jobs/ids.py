"""Identifiers: UUIDs of version 7 (RFC 9562), whose order is the order in time, so that new rows land side by side."""

import os
import uuid
from collections.abc import Callable
from datetime import datetime


def new_id(now: datetime, random: Callable[[int], bytes] = os.urandom) -> str:
    """A new identifier: 48 bits of milliseconds since 1970, then 74 random ones."""
    milliseconds = int(now.timestamp() * 1000)
    noise = int.from_bytes(random(10), "big")
    number = milliseconds << 80 | noise
    number = number & ~(0xF << 76) | 0x7 << 76  # version 7
    number = number & ~(0x3 << 62) | 0x2 << 62  # variant of RFC 9562
    digits = f"{number:032x}"  # by hand: a batch needs ten thousand, and uuid.UUID takes five times as long
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def lowest_id(moment: datetime) -> str:
    """The id below which all lie that were given before a moment, to the millisecond."""
    return new_id(moment, bytes)


def is_id(text: str) -> bool:
    """Whether `text` is a UUID in its usual spelling of 36 characters."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
