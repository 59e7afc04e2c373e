"""The envelopes that the rhythm stage works on, for each file of the corpus."""

from pathlib import Path

import librosa
import numpy as np
import soundfile

from harken.audio.blocks import SAMPLE_RATE, Floats, MelBlock
from harken.audio.pulse_envelopes import PARTS, PulseEnvelopes
from harken.audio.spool import FrameSpool

BLOCK = 256  # frames


def pulses(path: Path) -> Floats:
    """Shape (5, frames): librosa's onset strength, then the engine's parts of the spectrum."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if rate != SAMPLE_RATE:
        mono = librosa.resample(mono, orig_sr=rate, target_sr=SAMPLE_RATE)
    power = librosa.feature.melspectrogram(y=mono, sr=SAMPLE_RATE)
    decibels = np.ascontiguousarray(librosa.power_to_db(power).T.astype(np.float32))
    strength = librosa.onset.onset_strength(S=decibels.T, sr=SAMPLE_RATE)
    total = decibels.shape[0]
    with FrameSpool(len(PARTS)) as spool:
        parts = PulseEnvelopes(spool)
        for start in range(0, total, BLOCK):
            block = decibels[start : start + BLOCK]
            parts.on_mel(MelBlock(decibels=block, start=start, total=total))
        strength = strength.astype(np.float32)
        return parts.between(strength, 0, strength.shape[0])
