"""What harken hears frame by frame: its own parts, one after the other, as the engine calls them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import FRAME_RATE, Floats
from harken.audio.chroma import chroma
from harken.audio.contrast import BANDS as CONTRAST_BANDS
from harken.audio.contrast import RANGE_DB, peaks_and_valleys_db
from harken.audio.decode import Recording
from harken.audio.mel import BANDS, MelSpool
from harken.audio.mono import MonoStream
from harken.audio.onset_envelope import OnsetEnvelope
from harken.audio.spectral import shape, zero_crossing_rate
from harken.audio.spectrum import SpectrumStream
from harken.audio.spool import FrameSpool
from harken.audio.timbre import mfcc

SHAPES: Final[tuple[str, ...]] = ("centroid", "bandwidth", "rolloff", "flatness")
SHOWN_S: Final = (4.0, 10.0)  # of the piece


@dataclass(frozen=True, kw_only=True)
class Frames:
    """A recording's series, a column a frame."""

    mono: Floats
    series: dict[str, Floats]  # by the names of tests/audio/reference.py
    mel_db: Floats
    envelope: Floats


def listen(path: Path) -> Frames:
    """The frames behind the engine's means: its own parts, one after the other."""
    with Recording(str(path)) as recording, FrameSpool(BANDS) as spool:
        samples = np.concatenate([block.samples for block in recording.blocks()], axis=1)
        resampler, spectrum, mel = (
            MonoStream(recording.sample_rate),
            SpectrumStream(),
            MelSpool(spool),
        )
        mono = np.concatenate([resampler.push(samples), resampler.finish()])
        parts: dict[str, list[Floats]] = {}
        for block in (*spectrum.push(mono), *spectrum.finish()):
            mel.add(block.power)
            made: dict[str, Floats] = dict(
                zip(SHAPES, shape(block.magnitude, block.power), strict=True)
            )
            made["zero_crossing_rate"] = zero_crossing_rate(block.signal, block.lead, block.tail)
            made["chroma"] = chroma(block.power)
            made["contrast"] = peaks_and_valleys_db(block.magnitude)
            for name, values in made.items():
                parts.setdefault(name, []).append(values)
        envelope = OnsetEnvelope()
        heard = list(mel.blocks())
        for block in heard:
            envelope.on_mel(block)
    series = {name: np.concatenate(values, axis=-1) for name, values in parts.items()}
    peaks, valleys = series["contrast"][:CONTRAST_BANDS], series["contrast"][CONTRAST_BANDS:]
    series["contrast"] = np.maximum(peaks, peaks.max() - RANGE_DB) - np.maximum(
        valleys, valleys.max() - RANGE_DB
    )
    decibels = np.concatenate([block.decibels for block in heard])
    series["mfcc"] = mfcc(decibels)
    return Frames(mono=mono, series=series, mel_db=decibels.T, envelope=envelope.finish())


def shown(frames: Frames) -> tuple[NDArray[np.float64], slice]:
    """Times and numbers of the frames that are drawn."""
    first, last = (round(second * FRAME_RATE) for second in SHOWN_S)
    last = min(last, frames.envelope.shape[0])
    return np.arange(first, last) / FRAME_RATE, slice(first, last)
