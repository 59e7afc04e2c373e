"""One pass over the samples, one over the mel frames, then the sums: how a result is made.

    decode ─ blocks of samples ─┬─ loudness
                                └─ mono 22,050 Hz ─ spectrum ─┬─ spectral shape, tonality
                                                              └─ mel ─ spool
    timbre ─ mel frames below the peak ─┬─ MFCC, fingerprint
                                        └─ onset envelope
    rhythm ─ tempo and beats from the envelope
    summary ─ every other group

Only what the wanted analyses hear is made. Memory stays flat however long the recording is, but
for the onset envelope and energies (1 MB an hour).
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from harken.audio.analysis import Analysis, Hears, Track
from harken.audio.blocks import FRAME_RATE, Floats, SpectrumBlock
from harken.audio.decode import Recording
from harken.audio.features import Feature
from harken.audio.limits import Limits
from harken.audio.mel import BANDS, MelSpool
from harken.audio.mono import MonoStream
from harken.audio.onset_envelope import OnsetEnvelope
from harken.audio.progress import Progress, ProgressCallback
from harken.audio.registry import ANALYSES
from harken.audio.result import AnalysisResult
from harken.audio.spectrum import SpectrumStream
from harken.audio.spool import FrameSpool

SPECTRAL = Hears.SPECTRUM | Hears.MEL | Hears.ENVELOPE
SPOOLED = Hears.MEL | Hears.ENVELOPE


def run(
    path: str,
    features: tuple[Feature, ...],
    on_progress: ProgressCallback | None,
    on_decoded: Callable[[float], None] | None = None,
    *,
    descriptor: int | None = None,
    limits: Limits | None = None,
) -> AnalysisResult:
    """Analyse the file at `path`; `harken.audio.analyze` documents it."""
    with ExitStack() as cleanup:
        analyses = {feature: ANALYSES[feature]() for feature in features}
        for analysis in analyses.values():
            cleanup.callback(analysis.close)
        hears = reduce(or_, (analysis.hears for analysis in analyses.values()), Hears.NOTHING)
        progress = Progress(on_progress, _stages(features, hears))
        recording = cleanup.enter_context(Recording(path, descriptor=descriptor, limits=limits))
        mel = MelSpool(cleanup.enter_context(FrameSpool(BANDS))) if hears & SPOOLED else None
        listeners = tuple(analyses.values())
        _decode(recording, listeners, mel, hears, progress)
        if on_decoded is not None:
            on_decoded(recording.decoded_s)
        envelope = _read_mel(recording, listeners, mel, progress) if mel else _nothing()
        return _finish(recording, analyses, envelope, progress)


def _stages(features: tuple[Feature, ...], hears: Hears) -> tuple[str, ...]:
    timbre = ("timbre",) if hears & SPOOLED else ()
    rhythm = ("rhythm",) if Feature.RHYTHM in features else ()
    return ("decode", *timbre, *rhythm, "summary")


def _decode(
    recording: Recording,
    analyses: tuple[Analysis, ...],
    mel: MelSpool | None,
    hears: Hears,
    progress: Progress,
) -> None:
    of_sound = [analysis for analysis in analyses if Hears.SOUND in analysis.hears]
    of_spectrum = [analysis for analysis in analyses if Hears.SPECTRUM in analysis.hears]

    def spread(block: SpectrumBlock) -> None:
        for analysis in of_spectrum:
            analysis.on_spectrum(block)
        if mel is not None:
            mel.add(block.power)

    mono: MonoStream | None = None
    spectrum = SpectrumStream()
    progress.seconds("decode", 0.0, recording.claimed_s, 0.0)
    for sound in recording.blocks():
        for analysis in of_sound:
            analysis.on_sound(sound)
        if hears & SPECTRAL:
            mono = mono or MonoStream(sound.sample_rate)
            for block in spectrum.push(mono.push(sound.samples)):
                spread(block)
        progress.seconds("decode", recording.decoded_s, recording.claimed_s, recording.share_done)
    if mono is not None:
        for block in (*spectrum.push(mono.finish()), *spectrum.finish()):
            spread(block)
    progress.seconds("decode", recording.decoded_s, recording.decoded_s, 1.0)


def _read_mel(
    recording: Recording, analyses: tuple[Analysis, ...], mel: MelSpool, progress: Progress
) -> Floats:
    envelope = OnsetEnvelope()
    of_mel = [analysis for analysis in analyses if Hears.MEL in analysis.hears]
    total_s = recording.decoded_s
    for block in mel.blocks():
        envelope.on_mel(block)
        for analysis in of_mel:
            analysis.on_mel(block)
        done = block.start + block.decibels.shape[0]
        progress.seconds("timbre", min(done / FRAME_RATE, total_s), total_s, done / block.total)
    return envelope.finish()


def _finish(
    recording: Recording,
    analyses: Mapping[Feature, Analysis],
    envelope: Floats,
    progress: Progress,
) -> AnalysisResult:
    total_s = recording.decoded_s
    groups: dict[str, Any] = {}
    # The rhythm first: it alone takes long enough to have a stage of its own.
    for feature in sorted(analyses, key=lambda feature: feature is not Feature.RHYTHM):
        stage = "rhythm" if feature is Feature.RHYTHM else "summary"
        share = 0.0 if stage == "rhythm" else len(groups) / len(analyses)

        def done(seconds: float, stage: str = stage, share: float = share) -> None:
            part = seconds / total_s if stage == "rhythm" else share
            progress.seconds(stage, min(seconds, total_s), total_s, part)

        track = Track(recording=recording, duration_s=total_s, envelope=envelope, done=done)
        groups[feature.value] = analyses[feature].conclude(track)
        done(total_s)
    progress.seconds("summary", total_s, total_s, 1.0)
    return AnalysisResult(**groups)


def _nothing() -> Floats:
    return np.zeros(0, dtype=np.float32)
