"""Values mirror the contract, field by field, and lose nothing on the way."""

import copy
import dataclasses
import pickle
import types
import typing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from harken.client import (
    AnalysisResult,
    ErrorKind,
    Feature,
    Job,
    JobState,
    Media,
    Progress,
    ProgressTick,
    Source,
    Transition,
    Worker,
    to_dict,
)
from harken.client.convert import ENUMS, MESSAGES, decode, encode, member_of, number_of
from harken.client.convert_update import message_of, updates_in
from harken.v1 import (
    action_pb2,
    analysis_result_pb2,
    batch_pb2,
    event_pb2,
    feature_pb2,
    insights_pb2,
    job_pb2,
    job_service_pb2,
    media_pb2,
    options_pb2,
    pictures_pb2,
    quality_pb2,
    similarity_service_pb2,
    source_pb2,
    speech_pb2,
    transcript_pb2,
    video_pb2,
    worker_pb2,
)
from tests.client.scripted_server import events, moved, tick

RESOURCES = [
    message
    for module in (
        *(action_pb2, analysis_result_pb2, batch_pb2, insights_pb2, job_pb2),
        *(media_pb2, options_pb2, pictures_pb2, quality_pb2, source_pb2, video_pb2, worker_pb2),
        *(speech_pb2, transcript_pb2),
    )
    for message in module.DESCRIPTOR.message_types_by_name.values()
]
TIMES = {"google.protobuf.Timestamp": datetime, "google.protobuf.Duration": timedelta}
SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: str,
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_DOUBLE: float,
    FieldDescriptor.CPPTYPE_FLOAT: float,
    FieldDescriptor.CPPTYPE_INT32: int,
    FieldDescriptor.CPPTYPE_INT64: int,
}


def test_every_resource_of_the_contract_has_its_value() -> None:
    mirrored = {message.DESCRIPTOR.full_name for message in MESSAGES.values()}
    assert {resource.full_name for resource in RESOURCES} <= mirrored


@pytest.mark.parametrize("value", MESSAGES, ids=lambda value: value.__name__)
def test_every_field_of_the_contract_has_its_counterpart_with_the_right_type(
    value: type[Any],
) -> None:
    descriptor = MESSAGES[value].DESCRIPTOR
    hints = typing.get_type_hints(value)
    assert {field.name for field in dataclasses.fields(value)} == {
        f.name for f in descriptor.fields
    }
    for field in descriptor.fields:
        assert hints[field.name] == _expected(field), field.full_name


def _expected(field: Any) -> Any:
    """The annotation that a field of the contract asks for."""
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return typing.get_type_hints(Media)["tags"]
    if kind is not None:
        values = {message.DESCRIPTOR.full_name: value for value, message in MESSAGES.items()}
        one: Any = TIMES.get(kind.full_name) or values[kind.full_name]
    elif field.enum_type is not None:
        one = {d.full_name: enum for enum, d in ENUMS.items()}[field.enum_type.full_name]
    else:
        one = bytes if field.type == FieldDescriptor.TYPE_BYTES else SCALARS[field.cpp_type]
    if field.is_repeated:
        return types.GenericAlias(tuple, (one, ...))
    return one | None if field.has_presence else one


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_word_of_the_contract_has_its_member(enum: Any) -> None:
    numbers = {value.number for value in ENUMS[enum].values}
    assert {number_of(word) for word in enum} == numbers
    assert all(number_of(member_of(enum, number)) == number for number in numbers)


def test_all_enums_of_the_contract_are_known() -> None:
    known = {descriptor.full_name for descriptor in ENUMS.values()}
    modules = (feature_pb2, job_pb2, media_pb2, worker_pb2, event_pb2, similarity_service_pb2)
    top = [e for m in modules for e in m.DESCRIPTOR.enum_types_by_name.values()]
    nested = [e for resource in RESOURCES for e in resource.enum_types]
    assert {enum.full_name for enum in [*top, *nested]} == known


def _messages(kind: type[Message]) -> st.SearchStrategy[Any]:
    """Messages of a kind with any content that the contract allows."""
    fields = {field.name: _contents(field) for field in kind.DESCRIPTOR.fields}
    return st.fixed_dictionaries({}, optional=fields).map(lambda content: kind(**content))


def _contents(field: Any) -> st.SearchStrategy[Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return st.dictionaries(_TEXTS, _TEXTS, max_size=3)
    one = _one(field)
    return st.lists(one, max_size=3) if field.is_repeated else one


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_NUMBERS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_STRING: _TEXTS,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(allow_nan=False, width=32),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
}


def _one(field: Any) -> st.SearchStrategy[Any]:
    if field.message_type is None:
        if field.enum_type is not None:
            return st.sampled_from([value.number for value in field.enum_type.values])
        if field.type == FieldDescriptor.TYPE_BYTES:
            return st.binary(max_size=8)
        return _NUMBERS[field.cpp_type]
    name = field.message_type.full_name
    if name == "google.protobuf.Timestamp":
        return st.datetimes(timezones=st.just(UTC))
    if name == "google.protobuf.Duration":
        return st.timedeltas(timedelta(days=-9999), timedelta(days=9999))
    return _messages({m.DESCRIPTOR.full_name: m for m in MESSAGES.values()}[name])


@pytest.mark.parametrize("value", MESSAGES, ids=lambda value: value.__name__)
@given(data=st.data())
def test_a_message_comes_back_from_its_value_as_it_was(value: type[Any], data: Any) -> None:
    message = data.draw(_messages(MESSAGES[value]))
    there = decode(value, message)
    assert encode(there) == message
    assert pickle.loads(pickle.dumps(there)) == copy.deepcopy(there) == there
    hash(there)


def test_what_is_unset_is_none_and_never_zero() -> None:
    result = decode(AnalysisResult, analysis_result_pb2.AnalysisResult(loudness={}))
    assert result.rhythm is None
    assert result.loudness is not None
    assert result.loudness.integrated_lufs is None
    job = decode(Job, job_pb2.Job(job_id="x"))
    assert (job.batch_id, job.source, job.progress, job.create_time) == (None, None, None, None)


def test_zero_that_was_measured_stays_zero() -> None:
    message = analysis_result_pb2.AnalysisResult(loudness={"integrated_lufs": 0.0})
    loudness = decode(AnalysisResult, message).loudness
    assert loudness is not None
    assert loudness.integrated_lufs == 0.0


def test_times_are_aware_and_in_utc() -> None:
    message = job_pb2.Job()
    message.create_time.FromJsonString("2026-01-02T03:04:05.678901Z")
    assert decode(Job, message).create_time == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    worker = worker_pb2.Worker()
    worker.age.FromTimedelta(timedelta(milliseconds=1500))
    assert decode(Worker, worker).age == timedelta(milliseconds=1500)


def test_a_value_that_a_newer_server_sends_is_unknown_rather_than_an_error() -> None:
    job = decode(Job, job_pb2.Job.FromString(b"\x18\x63"))  # state = 99
    assert job.state is JobState.UNKNOWN
    assert not job.state.is_terminal


def test_states_features_and_kinds_are_their_texts() -> None:
    assert JobState.QUEUED == "QUEUED"
    assert Feature.RHYTHM == "rhythm"
    assert ErrorKind.INPUT == "INPUT"


def test_values_cannot_be_changed() -> None:
    job = Job(labels={"a": "b"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        job.state = JobState.FAILED  # type: ignore[misc]
    tags = decode(Media, analysis_result_pb2.Media(tags={"title": "Song"})).tags
    assert tags == {"title": "Song"}
    with pytest.raises(TypeError):
        tags["title"] = "Other"  # type: ignore[index]


def test_a_value_as_a_dict_for_ones_own_use() -> None:
    job = Job(job_id="x", source=Source(path="/a.wav"), features=(Feature.MEDIA,))
    assert dataclasses.asdict(job)["source"] == {"path": "/a.wav", "upload_id": None, "uri": None}
    assert job.path == "/a.wav"


def test_json_has_the_names_of_the_contract() -> None:
    job = Job(job_id="x", state=JobState.RUNNING, progress=Progress(stage="decode", fraction=0.5))
    assert to_dict(job) == {
        "job_id": "x",
        "state": "JOB_STATE_RUNNING",
        "progress": {"stage": "decode", "fraction": 0.5},
    }


def test_events_become_updates_and_json_gives_them_back_as_the_stream_sent_them() -> None:
    error = job_pb2.JobError(kind=job_pb2.JobError.KIND_INPUT, reason="EMPTY_FILE", message="empty")
    event = moved(3, "RUNNING", "FAILED", error)
    event.time.FromJsonString("2026-01-02T03:04:05Z")
    for message in (events("t9", event), events("t9", tick(0.5, message="1 of 2 s"))):
        (update,) = updates_in(message, "")
        assert message_of(update) == message
        assert to_dict(update) == MessageToDict(message, preserving_proto_field_name=True)


def test_every_field_of_an_event_has_its_counterpart_in_the_updates() -> None:
    fields = {field.name for field in event_pb2.Event.DESCRIPTOR.fields} - {
        "transition",
        "progress",
    }
    change = {f.name for f in event_pb2.Transition.DESCRIPTOR.fields} - {"from", "to"}
    names = {f.name for f in dataclasses.fields(Transition)}
    assert names == fields | change | {"from_state", "to_state", "resume_token"}
    assert {f.name for f in dataclasses.fields(ProgressTick)} == fields | {
        "progress",
        "resume_token",
    }


def test_only_the_last_event_of_a_message_carries_its_token() -> None:
    """Who resumes after the first of two events must be sent the second again."""
    message = events("t2", moved(2, "QUEUED", "RUNNING"), tick(0.5))
    assert [update.resume_token for update in updates_in(message, "t1")] == ["t1", "t2"]


def test_an_event_of_a_kind_not_known_yet_is_passed_over() -> None:
    message = job_service_pb2.StreamProgressResponse(
        events=job_service_pb2.Events(events=[event_pb2.Event(job_id="x")])
    )
    assert list(updates_in(message, "")) == []
