"""Audio analysis: a recording in, frozen results out. Knows no job, no network, no database.

    from harken.audio import analyze

    result = analyze("song.mp3")
    print(result.rhythm.tempo_bpm, result.loudness.integrated_lufs)

Importing this is cheap; the numeric libraries load with the first `analyze`, or with `warm_up`.
"""

import os
from collections.abc import Callable, Iterable

from harken.audio.errors import AudioError, InputError
from harken.audio.features import Feature, wanted_features
from harken.audio.limits import Limits
from harken.audio.progress import ProgressCallback
from harken.audio.result import (
    MAX_TIMES,
    AnalysisResult,
    Embedding,
    Loudness,
    Media,
    Onsets,
    Rhythm,
    Spectral,
    TempoCandidate,
    Timbre,
    Tonal,
)

__all__ = [
    "MAX_TIMES",
    "AnalysisResult",
    "AudioError",
    "Embedding",
    "Feature",
    "InputError",
    "Limits",
    "Loudness",
    "Media",
    "Onsets",
    "ProgressCallback",
    "Rhythm",
    "Spectral",
    "TempoCandidate",
    "Timbre",
    "Tonal",
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
) -> AnalysisResult:
    """Analyse the sound of the audio or video file at `path`.

    `features` names the groups to fill, None all of them. `on_progress(stage, fraction, message)`
    is called every few seconds of audio: `fraction` is the share of the whole analysis done, 0 to
    1, never falling; whatever it raises ends the analysis and comes out here. `on_decoded` is told
    once how many seconds of audio there were. A file that is open as `descriptor` is read instead of
    opening `path`, which then is but its name; it stays open. `limits` are other than the default ones.

    Raises InputError when the file cannot be analysed, now or later, ValueError for an unknown
    feature, and OSError when reading fails for another reason than the path.
    """
    from harken.audio.engine import run

    return run(
        os.fspath(path),
        wanted_features(features),
        on_progress,
        on_decoded,
        descriptor=descriptor,
        limits=limits,
    )


def warm_up() -> None:
    """Load and prepare everything, so that the first analysis in this process is as fast as any.

    Call it before numpy is imported, and BLAS gets one thread (unless OPENBLAS_NUM_THREADS says
    otherwise): its matrices are small here, and two processes whose BLAS threads wait for each
    other on the same cores take several times as long.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from harken.audio.preparation import prepare

    prepare()
