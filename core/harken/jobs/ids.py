"""Identifiers: UUIDs of version 7 (RFC 9562), whose order is the order in time, so that new rows land side by side."""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_NOISE_DIGITS: Final = 20  # an even number, of which an identifier takes the last 19
# The digit that names the variant of RFC 9562 in its upper two bits, and has chance in the others.
_VARIANT: Final = {f"{digit:x}": f"{0b1000 | digit & 0b11:x}" for digit in range(16)}
_USUAL: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def new_id(now: datetime, random: Callable[[int], bytes] = os.urandom) -> str:
    """A new identifier: 48 bits of milliseconds since 1970, then 74 random ones."""
    return new_ids(now, 1, random)[0]


def new_ids(now: datetime, count: int, random: Callable[[int], bytes] = os.urandom) -> list[str]:
    """New identifiers in their order: of one millisecond, only chance orders them."""
    time = f"{(now - _EPOCH) // _MILLISECOND:012x}"
    start = f"{time[:8]}-{time[8:]}-7"  # version 7
    noise = random(count * _NOISE_DIGITS // 2).hex()
    # By hand: a batch needs ten thousand, and uuid.UUID takes many times as long.
    return sorted(
        f"{start}{noise[at + 1 : at + 4]}"
        f"-{_VARIANT[noise[at + 4]]}{noise[at + 5 : at + 8]}-{noise[at + 8 : at + 20]}"
        for at in range(0, count * _NOISE_DIGITS, _NOISE_DIGITS)
    )


def lowest_id(moment: datetime) -> str:
    """The id below which all lie that were given before a moment, to the millisecond."""
    return new_id(moment, bytes)


def is_id(text: str) -> bool:
    """Whether `text` is a UUID in its usual spelling of 36 characters."""
    return _USUAL.fullmatch(text) is not None
