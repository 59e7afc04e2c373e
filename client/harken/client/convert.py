"""Messages of the contract to values, and back.

The fields of a value have the names of its message's, so one walk over the descriptor converts them
all: unset becomes None, a repeated field a tuple, a map a read-only mapping, a Timestamp an aware
datetime in UTC, a Duration a timedelta, an enum its member (UNKNOWN where this client has none).
Only events have a form of their own: `convert_update`.
"""

from collections.abc import Mapping
from datetime import UTC
from enum import StrEnum
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from harken.client import (
    action,
    analysis_result,
    batch,
    collection,
    enums,
    folder,
    insights_result,
    job,
    options,
    quality,
    sound,
    speech,
    upload,
    video_result,
    worker,
)
from harken.client.frozen_map import FrozenMap
from harken.v1 import (
    action_pb2,
    analysis_result_pb2,
    batch_pb2,
    collection_pb2,
    feature_pb2,
    insights_pb2,
    job_pb2,
    job_service_pb2,
    media_pb2,
    media_service_pb2,
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

V = TypeVar("V")
E = TypeVar("E", bound=StrEnum)

MESSAGES: Mapping[type[Any], type[Message]] = {
    action.Action: action_pb2.Action,
    action.JobOutcome: action_pb2.JobOutcome,
    analysis_result.AnalysisResult: analysis_result_pb2.AnalysisResult,
    analysis_result.Media: analysis_result_pb2.Media,
    analysis_result.Rhythm: analysis_result_pb2.Rhythm,
    analysis_result.TempoCandidate: analysis_result_pb2.TempoCandidate,
    analysis_result.Tonal: analysis_result_pb2.Tonal,
    analysis_result.Spectral: analysis_result_pb2.Spectral,
    analysis_result.Timbre: analysis_result_pb2.Timbre,
    analysis_result.Loudness: analysis_result_pb2.Loudness,
    analysis_result.Onsets: analysis_result_pb2.Onsets,
    analysis_result.Embedding: analysis_result_pb2.Embedding,
    analysis_result.Pitch: analysis_result_pb2.Pitch,
    analysis_result.Envelope: analysis_result_pb2.Envelope,
    analysis_result.Annotations: analysis_result_pb2.Annotations,
    analysis_result.SamplerInfo: analysis_result_pb2.SamplerInfo,
    analysis_result.SampleLoop: analysis_result_pb2.SampleLoop,
    analysis_result.AcidInfo: analysis_result_pb2.AcidInfo,
    analysis_result.CuePoint: analysis_result_pb2.CuePoint,
    analysis_result.BroadcastInfo: analysis_result_pb2.BroadcastInfo,
    analysis_result.Stems: analysis_result_pb2.Stems,
    analysis_result.Stem: analysis_result_pb2.Stem,
    analysis_result.Prepared: analysis_result_pb2.Prepared,
    video_result.Video: video_pb2.Video,
    video_result.VideoStream: video_pb2.VideoStream,
    video_result.Thumbnail: video_pb2.Thumbnail,
    video_result.ContactSheet: video_pb2.ContactSheet,
    video_result.Proxy: video_pb2.Proxy,
    analysis_result.Pictures: pictures_pb2.Pictures,
    analysis_result.Picture: pictures_pb2.Picture,
    speech.Speech: speech_pb2.Speech,
    speech.SpeechSegment: speech_pb2.SpeechSegment,
    speech.Transcript: transcript_pb2.Transcript,
    speech.TranscriptSegment: transcript_pb2.TranscriptSegment,
    speech.TranscriptWord: transcript_pb2.TranscriptWord,
    analysis_result.FeatureError: analysis_result_pb2.FeatureError,
    quality.ChannelQuality: quality_pb2.ChannelQuality,
    quality.Clipping: quality_pb2.Clipping,
    quality.Hum: quality_pb2.Hum,
    quality.Quality: quality_pb2.Quality,
    quality.QualityProblem: quality_pb2.QualityProblem,
    quality.Resolution: quality_pb2.Resolution,
    quality.Silence: quality_pb2.Silence,
    quality.StereoImage: quality_pb2.StereoImage,
    quality.Stretch: quality_pb2.Stretch,
    batch.Batch: batch_pb2.Batch,
    batch.FailedItem: job_service_pb2.FailedItem,
    collection.CollectionStatistics: collection_pb2.CollectionStatistics,
    collection.Distribution: collection_pb2.Distribution,
    collection.Bin: collection_pb2.Bin,
    collection.Breakdown: collection_pb2.Breakdown,
    collection.Share: collection_pb2.Share,
    job.Job: job_pb2.Job,
    job.JobError: job_pb2.JobError,
    job.Progress: job_pb2.Progress,
    job.Source: source_pb2.Source,
    options.Options: options_pb2.Options,
    options.StemsOptions: options_pb2.StemsOptions,
    options.PrepareOptions: options_pb2.PrepareOptions,
    options.VideoOptions: video_pb2.VideoOptions,
    options.PicturesOptions: pictures_pb2.PicturesOptions,
    options.TranscriptOptions: transcript_pb2.TranscriptOptions,
    insights_result.Insights: insights_pb2.Insights,
    insights_result.InsightTag: insights_pb2.InsightTag,
    insights_result.CompatibleKey: insights_pb2.CompatibleKey,
    options.InsightsOptions: insights_pb2.InsightsOptions,
    sound.SimilarSound: similarity_service_pb2.SimilarSound,
    sound.DuplicateSound: similarity_service_pb2.DuplicateSound,
    sound.DuplicateGroup: similarity_service_pb2.DuplicateGroup,
    folder.ListedSource: media_service_pb2.ListedSource,
    upload.Artifact: media_pb2.Artifact,
    upload.Upload: media_pb2.Upload,
    worker.ActiveTask: worker_pb2.ActiveTask,
    worker.Probe: worker_pb2.Probe,
    worker.Queue: worker_pb2.Queue,
    worker.RunningJob: worker_pb2.RunningJob,
    worker.Worker: worker_pb2.Worker,
}
"""The message of each value."""

ENUMS: Mapping[type[StrEnum], EnumDescriptor] = {
    enums.JobState: job_pb2.JobState.DESCRIPTOR,
    enums.JobKind: job_pb2.Job.Kind.DESCRIPTOR,
    enums.Feature: feature_pb2.Feature.DESCRIPTOR,
    enums.ErrorKind: job_pb2.JobError.Kind.DESCRIPTOR,
    enums.ActionKind: action_pb2.Action.Kind.DESCRIPTOR,
    enums.UploadState: media_pb2.Upload.State.DESCRIPTOR,
    enums.StemKind: options_pb2.StemsOptions.Kind.DESCRIPTOR,
    enums.AudioFormat: options_pb2.PrepareOptions.Format.DESCRIPTOR,
    enums.PreparedChannels: options_pb2.PrepareOptions.Channels.DESCRIPTOR,
    enums.VideoProduct: video_pb2.VideoOptions.Product.DESCRIPTOR,
    enums.ImageFormat: video_pb2.VideoOptions.ImageFormat.DESCRIPTOR,
    enums.PictureKind: pictures_pb2.PicturesOptions.Kind.DESCRIPTOR,
    enums.PictureTheme: pictures_pb2.PicturesOptions.Theme.DESCRIPTOR,
    enums.FaultKind: analysis_result_pb2.FeatureError.Kind.DESCRIPTOR,
    enums.ProblemKind: quality_pb2.QualityProblem.Kind.DESCRIPTOR,
    enums.Severity: quality_pb2.QualityProblem.Severity.DESCRIPTOR,
    enums.LoopKind: analysis_result_pb2.SampleLoop.Kind.DESCRIPTOR,
    enums.SoundClass: similarity_service_pb2.SoundClass.DESCRIPTOR,
    enums.InsightSource: insights_pb2.Insights.Source.DESCRIPTOR,
    enums.KeyRelation: insights_pb2.CompatibleKey.Relation.DESCRIPTOR,
    enums.WorkerStatus: worker_pb2.Worker.Status.DESCRIPTOR,
}
"""The contract's enum of each of the client's."""

_VALUES = {message.DESCRIPTOR.full_name: value for value, message in MESSAGES.items()}
_WORDS = {descriptor.full_name: enum for enum, descriptor in ENUMS.items()}


def _numbers(enum: type[StrEnum], descriptor: EnumDescriptor) -> dict[StrEnum, int]:
    """The contract's number of each member; UNKNOWN has that of PREFIX_UNSPECIFIED."""
    prefix = descriptor.values_by_number[0].name.removesuffix("UNSPECIFIED")
    numbers = {value.name.removeprefix(prefix): value.number for value in descriptor.values}
    return {word: numbers.get(word.name, 0) for word in enum}


_NUMBERS = {enum: _numbers(enum, descriptor) for enum, descriptor in ENUMS.items()}
_MEMBERS = {enum: {number: word for word, number in _NUMBERS[enum].items()} for enum in ENUMS}


def number_of(word: StrEnum) -> Any:
    """The contract's number of a member; Any, because each message wants a type of its own."""
    return _NUMBERS[type(word)][word]


def member_of(enum: type[E], number: int) -> E:
    """The member of the enum that the contract's number means, or UNKNOWN."""
    return cast(E, _MEMBERS[enum].get(number, enum["UNKNOWN"]))


def decode(value_type: type[V], message: Message) -> V:
    """The value that a message holds."""
    fields: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        raw: Any = getattr(message, field.name)
        if _is_map(field):
            fields[field.name] = FrozenMap(raw)
        elif field.is_repeated:
            fields[field.name] = tuple(_decode_one(field, one) for one in raw)
        else:
            fields[field.name] = _decode_one(field, raw)
    return value_type(**fields)


def encode(value: Any) -> Message:
    """The message that holds a value, which has to be one of `MESSAGES`' keys."""
    message = MESSAGES[type(value)]()
    _fill(message, value)
    return message


def _decode_one(field: Any, raw: Any) -> Any:
    if field.enum_type is not None:
        return member_of(_WORDS[field.enum_type.full_name], raw)
    kind: Any = field.message_type
    if kind is None:
        return raw
    if kind.full_name == "google.protobuf.Timestamp":
        return raw.ToDatetime(tzinfo=UTC)
    if kind.full_name == "google.protobuf.Duration":
        return raw.ToTimedelta()
    return decode(_VALUES[kind.full_name], raw)


def _fill(message: Message, value: Any) -> None:
    for field in message.DESCRIPTOR.fields:
        content: Any = getattr(value, field.name)
        if content is None:
            continue
        target: Any = getattr(message, field.name)
        kind: Any = field.message_type
        if _is_map(field):
            target.update(content)
        elif field.is_repeated:
            if kind is not None:
                for one in content:
                    _fill(target.add(), one)
            else:
                target.extend(map(number_of, content) if field.enum_type is not None else content)
        elif kind is None:
            is_enum = field.enum_type is not None
            setattr(message, field.name, number_of(content) if is_enum else content)
        elif kind.full_name == "google.protobuf.Timestamp":
            target.FromDatetime(content)
        elif kind.full_name == "google.protobuf.Duration":
            target.FromTimedelta(content)
        else:
            target.SetInParent()
            _fill(target, content)


def _is_map(field: Any) -> bool:
    kind: Any = field.message_type
    return kind is not None and bool(kind.GetOptions().map_entry)
