"""Random messages of any type of the contract, and bytes that are almost such messages."""

import random
import struct
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

DEEPEST = 4
MOST_REPEATED = 4
KNOWN_TEXTS = (
    *("", "a", "piece.flac", "../../etc/passwd", "/", "\0", "a\nb", "ä" * 300, "x" * 10_000),
    *("0197c0de-0000-7000-8000-000000000000", "0197C0DE00007000800000000000000", "https://x/y"),
    *("s3://b/k", "file:///etc/passwd", "�", "💥", "eyJhIjoxfQ", "=1+1", "local", "%s%n", "'--"),
)
EDGES = (0, 1, -1, 2, 9, 10, 127, 1_000, 10_001, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 2**32)
FLOATS = (0.0, -0.0, 1.0, float("inf"), float("-inf"), float("nan"), 1e308, 5e-324)

_RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}


def random_message(kind: Descriptor, chance: random.Random, depth: int = 0) -> Message:
    """A message of a type, with some of its fields set."""
    message: Any = message_factory.GetMessageClass(kind)()
    for field in kind.fields:
        if chance.random() < 0.35 or (depth >= DEEPEST and field.message_type is not None):
            continue
        _fill(message, field, chance, depth)
    return message


def mutated(valid: bytes, chance: random.Random) -> bytes:
    """Bytes like those of a message, in some places others."""
    data = bytearray(valid or b"\n\x00")
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                data[place:place] = chance.randbytes(chance.randint(1, 16))
            case 2:
                del data[place : place + chance.randint(1, 16)]
            case 3:  # a length or a number as large as can be
                data[place:place] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
            case _:
                data[place:place] = struct.pack("<q", chance.choice(EDGES))
    return bytes(data)


def case(kind: Descriptor, chance: random.Random) -> bytes:
    """One request: a message, one that was changed, or noise."""
    roll = chance.random()
    if roll < 0.05:
        return chance.randbytes(chance.randint(0, 200))
    valid = random_message(kind, chance).SerializeToString(deterministic=True)
    return valid if roll < 0.55 else mutated(valid, chance)


def _fill(message: Any, field: FieldDescriptor, chance: random.Random, depth: int) -> None:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        entries = getattr(message, field.name)
        for _ in range(chance.randrange(MOST_REPEATED)):
            entry: Any = random_message(kind, chance, depth + 1)
            if kind.fields_by_name["value"].message_type is None:
                entries[entry.key] = entry.value
    elif field.is_repeated:
        values = getattr(message, field.name)
        for _ in range(chance.randrange(MOST_REPEATED)):
            if kind is not None:
                values.add().CopyFrom(random_message(kind, chance, depth + 1))
            else:
                values.append(_scalar(field, chance))
    elif kind is not None:
        getattr(message, field.name).CopyFrom(random_message(kind, chance, depth + 1))
    else:
        setattr(message, field.name, _scalar(field, chance))


def _scalar(field: FieldDescriptor, chance: random.Random) -> Any:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return chance.choice(KNOWN_TEXTS)
        case FieldDescriptor.TYPE_BYTES:
            return chance.randbytes(chance.choice((0, 1, 100, 5_000)))
        case FieldDescriptor.TYPE_BOOL:
            return chance.random() < 0.5
        case FieldDescriptor.TYPE_ENUM:
            numbers = [value.number for value in field.enum_type.values]
            return chance.choice([*numbers, *numbers, 77, -1])
        case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
            return chance.choice(FLOATS)
        case _:
            low, high = _RANGES[field.type]
            return max(low, min(chance.choice(EDGES), high))
