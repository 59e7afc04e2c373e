"""The typed clients of harken: `Client`, and `AsyncClient` for asyncio.

    from harken.client import Client

    with Client() as client:
        for update in client.watch(client.submit("/music/song.flac")):
            print(update)

Values are frozen dataclasses that mirror the contract, `harken.v1`; errors are `HarkenError` and
its children. Names are imported when they are first used: `harken --help` needs no gRPC.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harken.client.action import Action as Action
    from harken.client.action import JobOutcome as JobOutcome
    from harken.client.aio import AsyncClient as AsyncClient
    from harken.client.analysis_result import AcidInfo as AcidInfo
    from harken.client.analysis_result import AnalysisResult as AnalysisResult
    from harken.client.analysis_result import Annotations as Annotations
    from harken.client.analysis_result import BroadcastInfo as BroadcastInfo
    from harken.client.analysis_result import CuePoint as CuePoint
    from harken.client.analysis_result import Embedding as Embedding
    from harken.client.analysis_result import Envelope as Envelope
    from harken.client.analysis_result import FeatureError as FeatureError
    from harken.client.analysis_result import Loudness as Loudness
    from harken.client.analysis_result import Media as Media
    from harken.client.analysis_result import Onsets as Onsets
    from harken.client.analysis_result import Picture as Picture
    from harken.client.analysis_result import Pictures as Pictures
    from harken.client.analysis_result import Pitch as Pitch
    from harken.client.analysis_result import Prepared as Prepared
    from harken.client.analysis_result import Rhythm as Rhythm
    from harken.client.analysis_result import SampleLoop as SampleLoop
    from harken.client.analysis_result import SamplerInfo as SamplerInfo
    from harken.client.analysis_result import Spectral as Spectral
    from harken.client.analysis_result import Stem as Stem
    from harken.client.analysis_result import Stems as Stems
    from harken.client.analysis_result import TempoCandidate as TempoCandidate
    from harken.client.analysis_result import Timbre as Timbre
    from harken.client.analysis_result import Tonal as Tonal
    from harken.client.async_handle import AsyncBatchHandle as AsyncBatchHandle
    from harken.client.async_handle import AsyncJobHandle as AsyncJobHandle
    from harken.client.batch import Batch as Batch
    from harken.client.batch import BatchItem as BatchItem
    from harken.client.batch import FailedItem as FailedItem
    from harken.client.collection import Bin as Bin
    from harken.client.collection import Breakdown as Breakdown
    from harken.client.collection import CollectionStatistics as CollectionStatistics
    from harken.client.collection import Distribution as Distribution
    from harken.client.collection import Share as Share
    from harken.client.enums import ActionKind as ActionKind
    from harken.client.enums import AudioFormat as AudioFormat
    from harken.client.enums import ErrorKind as ErrorKind
    from harken.client.enums import FaultKind as FaultKind
    from harken.client.enums import Feature as Feature
    from harken.client.enums import ImageFormat as ImageFormat
    from harken.client.enums import InsightSource as InsightSource
    from harken.client.enums import JobKind as JobKind
    from harken.client.enums import JobState as JobState
    from harken.client.enums import KeyRelation as KeyRelation
    from harken.client.enums import LoopKind as LoopKind
    from harken.client.enums import PictureKind as PictureKind
    from harken.client.enums import PictureTheme as PictureTheme
    from harken.client.enums import PreparedChannels as PreparedChannels
    from harken.client.enums import ProblemKind as ProblemKind
    from harken.client.enums import Severity as Severity
    from harken.client.enums import SoundClass as SoundClass
    from harken.client.enums import StemKind as StemKind
    from harken.client.enums import UploadState as UploadState
    from harken.client.enums import VideoProduct as VideoProduct
    from harken.client.enums import WorkerStatus as WorkerStatus
    from harken.client.errors import Aborted as Aborted
    from harken.client.errors import AlreadyExists as AlreadyExists
    from harken.client.errors import ClientClosed as ClientClosed
    from harken.client.errors import DeadlineExceeded as DeadlineExceeded
    from harken.client.errors import FieldViolation as FieldViolation
    from harken.client.errors import HarkenError as HarkenError
    from harken.client.errors import InvalidRequest as InvalidRequest
    from harken.client.errors import JobCancelled as JobCancelled
    from harken.client.errors import JobFailed as JobFailed
    from harken.client.errors import LimitExceeded as LimitExceeded
    from harken.client.errors import NotAuthenticated as NotAuthenticated
    from harken.client.errors import NotFound as NotFound
    from harken.client.errors import NotSupported as NotSupported
    from harken.client.errors import OutsideRoots as OutsideRoots
    from harken.client.errors import PermissionDenied as PermissionDenied
    from harken.client.errors import RequestRefused as RequestRefused
    from harken.client.errors import ResumeTokenRejected as ResumeTokenRejected
    from harken.client.errors import ServerError as ServerError
    from harken.client.errors import ServerUnavailable as ServerUnavailable
    from harken.client.export_format import ExportFormat as ExportFormat
    from harken.client.folder import ListedSource as ListedSource
    from harken.client.handle import BatchHandle as BatchHandle
    from harken.client.handle import JobHandle as JobHandle
    from harken.client.insights_result import CompatibleKey as CompatibleKey
    from harken.client.insights_result import Insights as Insights
    from harken.client.insights_result import InsightTag as InsightTag
    from harken.client.job import Job as Job
    from harken.client.job import JobError as JobError
    from harken.client.job import Progress as Progress
    from harken.client.job import Source as Source
    from harken.client.json_form import to_dict as to_dict
    from harken.client.options import InsightsOptions as InsightsOptions
    from harken.client.options import Options as Options
    from harken.client.options import PicturesOptions as PicturesOptions
    from harken.client.options import PrepareOptions as PrepareOptions
    from harken.client.options import StemsOptions as StemsOptions
    from harken.client.options import TranscriptOptions as TranscriptOptions
    from harken.client.options import VideoOptions as VideoOptions
    from harken.client.quality import ChannelQuality as ChannelQuality
    from harken.client.quality import Clipping as Clipping
    from harken.client.quality import Hum as Hum
    from harken.client.quality import Quality as Quality
    from harken.client.quality import QualityProblem as QualityProblem
    from harken.client.quality import Resolution as Resolution
    from harken.client.quality import Silence as Silence
    from harken.client.quality import StereoImage as StereoImage
    from harken.client.quality import Stretch as Stretch
    from harken.client.reconnect import Reconnect as Reconnect
    from harken.client.sound import DuplicateGroup as DuplicateGroup
    from harken.client.sound import DuplicateSound as DuplicateSound
    from harken.client.sound import SimilarSound as SimilarSound
    from harken.client.speech import Speech as Speech
    from harken.client.speech import SpeechSegment as SpeechSegment
    from harken.client.speech import Transcript as Transcript
    from harken.client.speech import TranscriptSegment as TranscriptSegment
    from harken.client.speech import TranscriptWord as TranscriptWord
    from harken.client.sync import Client as Client
    from harken.client.update import BatchSnapshot as BatchSnapshot
    from harken.client.update import BatchUpdate as BatchUpdate
    from harken.client.update import JobSnapshot as JobSnapshot
    from harken.client.update import JobUpdate as JobUpdate
    from harken.client.update import ProgressTick as ProgressTick
    from harken.client.update import Transition as Transition
    from harken.client.update import Update as Update
    from harken.client.upload import Artifact as Artifact
    from harken.client.upload import Upload as Upload
    from harken.client.video_result import ContactSheet as ContactSheet
    from harken.client.video_result import Proxy as Proxy
    from harken.client.video_result import Thumbnail as Thumbnail
    from harken.client.video_result import Video as Video
    from harken.client.video_result import VideoStream as VideoStream
    from harken.client.worker import ActiveTask as ActiveTask
    from harken.client.worker import Probe as Probe
    from harken.client.worker import Queue as Queue
    from harken.client.worker import RunningJob as RunningJob
    from harken.client.worker import Worker as Worker

_MODULES = {
    "action": "Action JobOutcome",
    "aio": "AsyncClient",
    "analysis_result": (
        "AcidInfo AnalysisResult Annotations BroadcastInfo CuePoint Embedding Envelope FeatureError "
        "Loudness Media Onsets Picture Pictures Pitch Prepared Rhythm SampleLoop SamplerInfo Spectral Stem Stems "
        "TempoCandidate Timbre Tonal"
    ),
    "async_handle": "AsyncBatchHandle AsyncJobHandle",
    "batch": "Batch BatchItem FailedItem",
    "collection": "Bin Breakdown CollectionStatistics Distribution Share",
    "enums": (
        "ActionKind AudioFormat ErrorKind FaultKind Feature ImageFormat InsightSource JobKind JobState "
        "KeyRelation LoopKind PictureKind PictureTheme PreparedChannels ProblemKind Severity SoundClass "
        "StemKind UploadState VideoProduct WorkerStatus"
    ),
    "errors": (
        "Aborted AlreadyExists ClientClosed DeadlineExceeded FieldViolation HarkenError InvalidRequest "
        "JobCancelled JobFailed LimitExceeded NotAuthenticated NotFound NotSupported OutsideRoots "
        "PermissionDenied RequestRefused ResumeTokenRejected ServerError ServerUnavailable"
    ),
    "export_format": "ExportFormat",
    "folder": "ListedSource",
    "handle": "BatchHandle JobHandle",
    "insights_result": "CompatibleKey Insights InsightTag",
    "job": "Job JobError Progress Source",
    "json_form": "to_dict",
    "options": (
        "InsightsOptions Options PicturesOptions PrepareOptions StemsOptions VideoOptions TranscriptOptions"
    ),
    "reconnect": "Reconnect",
    "quality": (
        "ChannelQuality Clipping Hum Quality QualityProblem Resolution Silence StereoImage Stretch"
    ),
    "sound": "DuplicateGroup DuplicateSound SimilarSound",
    "speech": "Speech SpeechSegment Transcript TranscriptSegment TranscriptWord",
    "sync": "Client",
    "update": "BatchSnapshot BatchUpdate JobSnapshot JobUpdate ProgressTick Transition Update",
    "upload": "Artifact Upload",
    "video_result": "ContactSheet Proxy Thumbnail Video VideoStream",
    "worker": "ActiveTask Probe Queue RunningJob Worker",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]  # a test compares them


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
