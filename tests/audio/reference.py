"""What librosa makes of a file: the reference of every spectral feature."""

from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

from harken.audio.decode import Recording

RATE = 22_050


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One row a value, one column a frame."""

    centroid: NDArray[np.float64]
    bandwidth: NDArray[np.float64]
    rolloff: NDArray[np.float64]
    flatness: NDArray[np.float64]
    contrast: NDArray[np.float64]
    zero_crossing_rate: NDArray[np.float64]
    mfcc: NDArray[np.float64]
    chroma: NDArray[np.float64]
    onsets_s: NDArray[np.float64]


def mono_of(path: Path) -> NDArray[np.float32]:
    """The mean of all channels at 22,050 Hz.

    The file is decoded as harken does: two Vorbis decoders differ by more than is tested here.
    """
    with Recording(str(path)) as recording:
        samples = np.concatenate([block.samples for block in recording.blocks()], axis=1)
    return librosa.resample(
        samples.mean(axis=0), orig_sr=recording.sample_rate, target_sr=RATE, res_type="soxr_hq"
    )


def reference(path: Path) -> Reference:
    """Librosa's defaults on the mono mean at 22,050 Hz."""
    mono = mono_of(path)
    # librosa warns of a signal shorter than its window unless it is told the padded one is meant.
    padded = np.pad(mono, 1024)
    magnitude = np.abs(librosa.stft(padded, center=False))
    mel = librosa.feature.melspectrogram(S=magnitude**2, sr=RATE)
    envelope = librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=RATE)
    edges = np.pad(mono, 1024, mode="edge")
    values = {
        "centroid": librosa.feature.spectral_centroid(S=magnitude)[0],
        "bandwidth": librosa.feature.spectral_bandwidth(S=magnitude)[0],
        "rolloff": librosa.feature.spectral_rolloff(S=magnitude)[0],
        "flatness": librosa.feature.spectral_flatness(S=magnitude)[0],
        "contrast": librosa.feature.spectral_contrast(S=magnitude, sr=RATE),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(edges, center=False)[0],
        "mfcc": librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20),
        "chroma": librosa.feature.chroma_stft(S=magnitude**2, sr=RATE, tuning=0),
        "onsets_s": librosa.onset.onset_detect(onset_envelope=envelope, sr=RATE, units="time"),
    }
    return Reference(**{name: frames.astype(np.float64) for name, frames in values.items()})
