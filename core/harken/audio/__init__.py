"""Audio analysis: a recording in, frozen results out. Knows no job, no network, no database.

    from harken.audio import analyze

    result = analyze("song.mp3")
    print(result.rhythm.tempo_bpm, result.loudness.integrated_lufs)

Importing this is cheap; the numeric libraries load with the first `analyze`, or with `warm_up`.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from harken.audio.errors import AudioError, InputError
from harken.audio.features import DEFAULT_FEATURES, IN_FILES, Feature, wanted_features
from harken.audio.insights.result import (
    CompatibleKey,
    Insights,
    InsightSource,
    InsightTag,
    KeyRelation,
)
from harken.audio.limits import Limits
from harken.audio.pictures.result import Picture, PictureKind, Pictures
from harken.audio.progress import ProgressCallback
from harken.audio.quality.result import (
    ChannelQuality,
    Clipping,
    Hum,
    ProblemKind,
    Quality,
    QualityProblem,
    Resolution,
    Severity,
    Silence,
    StereoImage,
    Stretch,
)
from harken.audio.result import (
    MAX_TIMES,
    AcidInfo,
    AnalysisResult,
    Annotations,
    BroadcastInfo,
    CuePoint,
    Embedding,
    Envelope,
    FaultKind,
    FeatureError,
    LoopKind,
    Loudness,
    Media,
    Onsets,
    Pitch,
    Prepared,
    Rhythm,
    SampleLoop,
    SamplerInfo,
    Spectral,
    Stem,
    StemKind,
    Stems,
    TempoCandidate,
    Timbre,
    Tonal,
)
from harken.audio.speech.result import Speech, SpeechSegment
from harken.audio.transcription.result import Transcript, TranscriptSegment, TranscriptWord
from harken.audio.video.result import ContactSheet, Proxy, Thumbnail, Video, VideoStream

if TYPE_CHECKING:
    from harken.audio.analysis import Analysis
    from harken.audio.listening import OnFault

__all__ = [
    "DEFAULT_FEATURES",
    "IN_FILES",
    "MAX_TIMES",
    "AcidInfo",
    "AnalysisResult",
    "Annotations",
    "AudioError",
    "BroadcastInfo",
    "ChannelQuality",
    "Clipping",
    "CompatibleKey",
    "ContactSheet",
    "CuePoint",
    "Embedding",
    "Envelope",
    "FaultKind",
    "Feature",
    "FeatureError",
    "Hum",
    "InputError",
    "InsightSource",
    "InsightTag",
    "Insights",
    "KeyRelation",
    "Limits",
    "LoopKind",
    "Loudness",
    "Media",
    "Onsets",
    "Picture",
    "PictureKind",
    "Pictures",
    "Pitch",
    "Prepared",
    "ProblemKind",
    "ProgressCallback",
    "Proxy",
    "Quality",
    "QualityProblem",
    "Resolution",
    "Rhythm",
    "SampleLoop",
    "SamplerInfo",
    "Severity",
    "Silence",
    "Spectral",
    "Speech",
    "SpeechSegment",
    "Stem",
    "StemKind",
    "Stems",
    "StereoImage",
    "Stretch",
    "TempoCandidate",
    "Thumbnail",
    "Timbre",
    "Tonal",
    "Transcript",
    "TranscriptSegment",
    "TranscriptWord",
    "Video",
    "VideoStream",
    "analyze",
    "warm_up",
]


def analyze(
    path: str | os.PathLike[str],
    features: Iterable[Feature | str] | None = None,
    *,
    on_progress: ProgressCallback | None = None,
    on_decoded: Callable[[float], None] | None = None,
    descriptor: int | None = None,
    limits: Limits | None = None,
    listeners: "Mapping[Feature, Analysis] | None" = None,
    on_fault: "OnFault | None" = None,
) -> AnalysisResult:
    """Analyse the sound of the audio or video file at `path`.

    `features` names the groups to fill, None the default ones. `on_progress(stage, fraction, message)`
    is called every few seconds of audio: `fraction` is the share of the whole analysis done, 0 to
    1, never falling; whatever it raises ends the analysis and comes out here. `on_decoded` is told
    once how many seconds of audio there were. A file that is open as `descriptor` is read instead of
    opening `path`, which then is but its name; it stays open. `limits` are other than the default ones.
    `listeners` hear the same blocks for features of their own, and keep what they conclude. `on_fault`
    says what an error in one analysis means; the others then go on, and it stands in `errors`. Without it
    such an error is raised.

    Raises InputError when the file cannot be analysed, now or later, ValueError for an unknown
    feature or one whose result is in files, and OSError when reading fails for another reason than the path.
    """
    from harken.audio.engine import run

    wanted = wanted_features(features)
    if in_files := IN_FILES.intersection(wanted):
        names = ", ".join(sorted(in_files))
        raise ValueError(f"The result of {names} is in files: submit it as a job.")

    def heard(features: tuple[Feature, ...]) -> AnalysisResult:
        return run(
            os.fspath(path),
            features,
            on_progress,
            on_decoded,
            descriptor=descriptor,
            limits=limits,
            listeners=listeners,
            on_fault=on_fault,
        )

    if Feature.INSIGHTS not in wanted:
        return heard(wanted)
    from harken.audio.insights import addition

    return addition.with_insights(heard(addition.heard_for(wanted)), wanted)


def warm_up() -> None:
    """Load and prepare everything, so that the first analysis in this process is as fast as any.

    Call it before numpy is imported, and BLAS gets one thread (unless OPENBLAS_NUM_THREADS says
    otherwise): its matrices are small here, and two processes whose BLAS threads wait for each
    other on the same cores take several times as long. The process also keeps up to 32 MiB that it
    has let go of, where the C library is glibc.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from harken.audio.memory import keep_what_is_freed
    from harken.audio.preparation import prepare

    keep_what_is_freed()
    prepare()
