"""One pass over the samples, one over the mel frames, then the sums: how a result is made.

    decode ─ blocks of samples ─┬─ energies ─ loudness
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
from typing import Any

import numpy as np

from harken.audio.analysis import Analysis, Hears, Track
from harken.audio.blocks import FRAME_RATE, Floats
from harken.audio.chroma import chroma
from harken.audio.decode import Recording
from harken.audio.energy_stream import EnergyStream
from harken.audio.features import Feature
from harken.audio.limits import Limits
from harken.audio.listening import Listeners, OnFault
from harken.audio.mel import BANDS, MelSpool
from harken.audio.mono import MonoStream
from harken.audio.onset_envelope import OnsetEnvelope
from harken.audio.progress import Progress, ProgressCallback
from harken.audio.registry import ANALYSES, READINGS
from harken.audio.result import AnalysisResult
from harken.audio.spectrum import SpectrumStream
from harken.audio.spool import FrameSpool

SPECTRAL = Hears.SPECTRUM | Hears.CHROMA | Hears.MEL | Hears.ENVELOPE
SPOOLED = Hears.MEL | Hears.ENVELOPE


def run(
    path: str,
    features: tuple[Feature, ...],
    on_progress: ProgressCallback | None,
    on_decoded: Callable[[float], None] | None = None,
    *,
    descriptor: int | None = None,
    limits: Limits | None = None,
    listeners: Mapping[Feature, Analysis] | None = None,
    on_fault: OnFault | None = None,
) -> AnalysisResult:
    """Analyse the file at `path`; `harken.audio.analyze` documents it."""
    read = {f: READINGS[f](path, descriptor, limits) for f in features if f in READINGS}
    features = tuple(feature for feature in features if feature not in read)
    if read and not features and not listeners:
        return AnalysisResult(**_fields(read))
    with ExitStack() as cleanup:
        made = {feature: ANALYSES[feature]() for feature in features}
        heard = Listeners({**made, **(listeners or {})}, on_fault)
        for _, analysis in heard:
            cleanup.callback(analysis.close)
        progress = Progress(on_progress, _stages(features, heard.hears))
        recording = cleanup.enter_context(Recording(path, descriptor=descriptor, limits=limits))
        spooled = heard.hears & SPOOLED
        mel = MelSpool(cleanup.enter_context(FrameSpool(BANDS))) if spooled else None
        _decode(recording, heard, mel, progress)
        if on_decoded is not None:
            on_decoded(recording.decoded_s)
        envelope = _read_mel(recording, heard, mel, progress) if mel else _nothing()
        groups = _finish(recording, heard, envelope, progress)
        found = {feature: groups.get(feature) for feature in made}
        return AnalysisResult(**_fields({**found, **read}), errors=tuple(heard.errors))


def _fields(groups: Mapping[Feature, object]) -> dict[str, Any]:
    return {feature.value: group for feature, group in groups.items()}


def _stages(features: tuple[Feature, ...], hears: Hears) -> tuple[str, ...]:
    timbre = ("timbre",) if hears & SPOOLED else ()
    rhythm = ("rhythm",) if Feature.RHYTHM in features else ()
    return ("decode", *timbre, *rhythm, "summary")


def _decode(
    recording: Recording, heard: Listeners, mel: MelSpool | None, progress: Progress
) -> None:
    mono: MonoStream | None = None
    energies = EnergyStream()
    spectrum = SpectrumStream()
    makes_mono = heard.hears & (SPECTRAL | Hears.MONO)
    makes_spectrum = heard.hears & SPECTRAL

    def spread(samples: Floats, *, last: bool = False) -> None:
        heard.tell(Hears.MONO, lambda analysis: analysis.on_mono(samples))
        if not makes_spectrum:
            return
        for block in (*spectrum.push(samples), *(spectrum.finish() if last else ())):
            heard.tell(Hears.SPECTRUM, lambda analysis, block=block: analysis.on_spectrum(block))
            if heard.hears & Hears.CHROMA:
                classes = chroma(block.power)
                heard.tell(Hears.CHROMA, lambda analysis, found=classes: analysis.on_chroma(found))
            if mel is not None:
                mel.add(block.power)

    def report() -> None:
        total_s, share = recording.source.claimed_s, recording.share_done
        progress.seconds("decode", recording.decoded_s, total_s, share)

    report()
    for sound in recording.blocks(on_wait=report):
        heard.tell(Hears.SOUND, lambda analysis, sound=sound: analysis.on_sound(sound))
        if heard.hears & Hears.ENERGIES and (steps := energies.push(sound)) is not None:
            heard.tell(Hears.ENERGIES, lambda analysis, steps=steps: analysis.on_energies(steps))
        if makes_mono:
            mono = mono or MonoStream(sound.sample_rate)
            spread(mono.push(sound.samples))
        report()
    if mono is not None:
        spread(mono.finish(), last=True)
    progress.seconds("decode", recording.decoded_s, recording.decoded_s, 1.0)


def _read_mel(recording: Recording, heard: Listeners, mel: MelSpool, progress: Progress) -> Floats:
    envelope = OnsetEnvelope()
    total_s = recording.decoded_s
    for block in mel.blocks():
        envelope.on_mel(block)
        heard.tell(Hears.MEL, lambda analysis, block=block: analysis.on_mel(block))
        done = block.start + block.decibels.shape[0]
        progress.seconds("timbre", min(done / FRAME_RATE, total_s), total_s, done / block.total)
    return envelope.finish()


def _finish(
    recording: Recording, heard: Listeners, envelope: Floats, progress: Progress
) -> dict[Feature, object]:
    total_s = recording.decoded_s
    groups: dict[Feature, object] = {}
    # The rhythm first: it alone takes long enough to have a stage of its own.
    remaining = sorted(heard, key=lambda one: one[0] is not Feature.RHYTHM)
    for place, (feature, analysis) in enumerate(remaining):
        stage = "rhythm" if feature is Feature.RHYTHM else "summary"
        share = 0.0 if stage == "rhythm" else place / len(remaining)

        def done(seconds: float, stage: str = stage, share: float = share) -> None:
            part = seconds / total_s if stage == "rhythm" else share
            progress.seconds(stage, min(seconds, total_s), total_s, part)

        track = Track(recording=recording, duration_s=total_s, envelope=envelope, done=done)
        groups[feature] = heard.ask(feature, lambda: analysis.conclude(track))  # noqa: B023  # called at once
        done(total_s)
    progress.seconds("summary", total_s, total_s, 1.0)
    return groups


def _nothing() -> Floats:
    return np.zeros(0, dtype=np.float32)
