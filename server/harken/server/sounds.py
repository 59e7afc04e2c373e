"""Searches by sound in requests as values of the domain, and what they find as messages."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Final

from harken.jobs.similarity.duplicates import Member
from harken.jobs.similarity.embeddings import digest_of
from harken.jobs.similarity.search import Found, Sound, Vector
from harken.jobs.similarity.sound_class import SoundClass
from harken.jobs.similarity.wanted import DIMENSIONS, Key, SoundFilter, as_unit
from harken.server import convert, validate
from harken.server.errors import InvalidRequest, Violation
from harken.v1 import similarity_service_pb2 as pb
from harken.v1.job_service_pb2 import SubmitAnalysisRequest

# Published in similarity_service.proto and docs/limits.md.
DEFAULT_SOUNDS: Final = 10
MOST_SOUNDS: Final = 200
DEFAULT_GROUPS: Final = 50
MOST_GROUPS: Final = 200
LONGEST_MODEL: Final = 100

TONICS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES: Final = ("major", "minor")
MAJOR, MINOR = MODES
FIFTH: Final = 7  # semitones
MINOR_THIRD: Final = 3

_CLASS = "SOUND_CLASS_"


def page_size(wanted: int, default: int, most: int) -> int:
    """The size of a page. Raises InvalidRequest."""
    return min(validate.page_size(wanted) if wanted else default, most)


def vector(message: pb.QueryVector) -> Vector:
    """The vector of a request. Raises InvalidRequest."""
    violations: list[Violation] = []
    values = tuple(message.values)
    if len(values) != DIMENSIONS:
        description = f"{len(values)} numbers; send {DIMENSIONS}."
        violations.append(Violation("vector.values", "WRONG_DIMENSIONS", description))
    elif not all(map(math.isfinite, values)):
        description = "Each number has to be finite."
        violations.append(Violation("vector.values", "NOT_FINITE", description))
    elif not math.isfinite(length := math.fsum(value * value for value in values)) or not length:
        description = "Not all numbers may be 0, nor their squares' sum infinite."
        violations.append(Violation("vector.values", "NO_DIRECTION", description))
    if not message.model or len(message.model) > LONGEST_MODEL or "\0" in message.model:
        description = "Name the model that made the vector, as Embedding.model has it."
        violations.append(Violation("vector.model", "NO_MODEL", description))
    if violations:
        raise InvalidRequest(violations)
    return Vector(model=message.model, values=as_unit(values), digest=digest_of(values))


def query_job(request: pb.FindSimilarRequest) -> SubmitAnalysisRequest:
    """The submit that analyses the source of a query."""
    return SubmitAnalysisRequest(
        source=request.source, features=[convert.feature_number("embedding")], priority=9
    )


def sound_filter(message: pb.SoundFilter) -> SoundFilter:
    """The filter of a request. Raises InvalidRequest."""
    violations = list(_filter_violations(message))
    if violations:
        raise InvalidRequest(violations)
    return SoundFilter(
        labels=dict(message.labels),
        batch_id=message.batch_id.lower() if message.HasField("batch_id") else None,
        tempo_bpm=_range(message, "tempo_bpm"),
        duration_s=_range(message, "duration_s"),
        keys=keys(message),
        classes=frozenset(
            SoundClass(pb.SoundClass.Name(number).removeprefix(_CLASS))
            for number in message.classes
        ),
    )


def keys(message: pb.SoundFilter) -> frozenset[Key]:
    """The keys that a filter lets through; none for any."""
    if not message.HasField("key"):
        return frozenset()
    modes = (message.mode,) if message.HasField("mode") else MODES
    wanted = {(message.key, mode) for mode in modes}
    if message.related_keys:
        wanted |= {key for one in tuple(wanted) for key in related_keys(one)}
    return frozenset(wanted)


def related_keys(key: Key) -> frozenset[Key]:
    """A key, those a fifth above and below, and the relative of each: neighbours on the circle of fifths."""
    tonic = TONICS.index(key[0])
    found: set[Key] = set()
    for fifths in (-FIFTH, 0, FIFTH):
        near = tonic + fifths
        relative = near - MINOR_THIRD if key[1] == MAJOR else near + MINOR_THIRD
        found.add((TONICS[near % 12], key[1]))
        found.add((TONICS[relative % 12], MINOR if key[1] == MAJOR else MAJOR))
    return frozenset(found)


def bound_to(owner: str, request: pb.FindSimilarRequest) -> list[object]:
    """What a page token of this search is bound to."""
    same = pb.FindSimilarRequest()
    same.CopyFrom(request)
    same.ClearField("page_size")
    same.ClearField("page_token")
    return [owner, "similar", _digest(same.SerializeToString(deterministic=True))]


def duplicates_bound_to(owner: str, request: pb.FindDuplicatesRequest) -> list[object]:
    """What a page token of this look for duplicates is bound to."""
    labels = sorted(request.labels.items())
    return [owner, "duplicates", request.WhichOneof("scope"), request.batch_id.lower(), labels]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _filter_violations(message: pb.SoundFilter) -> Iterable[Violation]:
    yield from validate.label_violations("filter.labels", message.labels)
    if message.HasField("batch_id"):
        yield from validate.id_violations("filter.batch_id", message.batch_id)
    for name in ("tempo_bpm", "duration_s"):
        low, high = _range(message, name)
        for bound, value in (("min", low), ("max", high)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                description = "It has to be a number of at least 0."
                yield Violation(f"filter.{name}_{bound}", "OUT_OF_RANGE", description)
        if low is not None and high is not None and low > high:
            description = f"No sound has at least {low:g} and at most {high:g}."
            yield Violation(f"filter.{name}_max", "EMPTY_RANGE", description)
    if message.HasField("key") and message.key not in TONICS:
        description = f"{message.key[:20]!r} is no tonic. There are {', '.join(TONICS)}."
        yield Violation("filter.key", "UNKNOWN_KEY", description)
    if message.HasField("mode") and message.mode not in MODES:
        description = f"{message.mode[:20]!r} is neither major nor minor."
        yield Violation("filter.mode", "UNKNOWN_MODE", description)
    if (message.HasField("mode") or message.related_keys) and not message.HasField("key"):
        yield Violation(
            "filter.key", "NO_KEY", "Name the key that the mode or the relatives are of."
        )
    for index, number in enumerate(message.classes):
        if number not in pb.SoundClass.values() or not number:
            description = f"{number} is no class of sounds to filter by."
            yield Violation(f"filter.classes[{index}]", "UNKNOWN_CLASS", description)


def _range(message: pb.SoundFilter, name: str) -> tuple[float | None, float | None]:
    low, high = f"{name}_min", f"{name}_max"
    return (
        getattr(message, low) if message.HasField(low) else None,  # pyright: ignore[reportArgumentType] # a field
        getattr(message, high) if message.HasField(high) else None,  # pyright: ignore[reportArgumentType] # a field
    )


def sound_message(sound: Sound, similarity: float) -> pb.SimilarSound:
    """The message of a sound."""
    job = sound.job
    kind = sound.sound_class
    return pb.SimilarSound(
        job_id=job.job_id,
        similarity=max(-1.0, min(1.0, similarity)),
        source=convert.source_message(job.source),
        labels=job.labels,
        tempo_bpm=sound.tempo_bpm,
        key=sound.tonic,
        mode=sound.mode,
        duration_s=sound.duration_s,
        sound_class=pb.SoundClass.Value(_CLASS + (kind.value if kind else "UNSPECIFIED")),
        create_time=convert.timestamp(job.create_time),
    )


def found_message(found: Found) -> pb.SimilarSound:
    """The message of a sound that was found."""
    return sound_message(found.sound, found.similarity)


def group_message(group: Iterable[Member], known: Mapping[str, Sound]) -> pb.DuplicateGroup:
    """The message of a group, without jobs that are gone."""
    return pb.DuplicateGroup(
        sounds=[
            pb.DuplicateSound(
                sound=sound_message(known[member.job_id], member.similarity),
                bit_error_rate=member.match.bit_error_rate,
                offset_s=member.match.offset_s,
            )
            for member in group
            if member.job_id in known
        ]
    )
