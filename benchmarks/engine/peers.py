"""The peers as they are used: librosa in three ways, each with pyloudnorm, and Essentia's extractor.

Each function here loads its libraries and gives back what analyses one file. All of them fill
harken's default groups as far as the library can; none has an embedding, beats come from all.
They are imported by name, since `make bench-engine` alone installs some of them.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

RATE: Final = 22_050  # Hz: librosa's default
MFCCS: Final = 20
KEPT: list[Any] = []  # what the last file gave: a result is held until the next one is made


def librosa_typical() -> Callable[[str], None]:
    """What a typical project calls: every feature from the samples."""
    loudness, librosa = _loudness(), import_module("librosa")

    def run(path: str) -> None:
        y, sr = librosa.load(path, sr=RATE)
        _keep(
            loudness(path),
            librosa.feature.chroma_cqt(y=y, sr=sr),
            librosa.feature.tonnetz(y=y, sr=sr),
            *_from_samples(librosa, y, sr),
        )

    return run


def librosa_without_cqt() -> Callable[[str], None]:
    """The same with the chroma of the STFT, and without the tonnetz: neither constant-Q transform."""
    loudness, librosa = _loudness(), import_module("librosa")

    def run(path: str) -> None:
        y, sr = librosa.load(path, sr=RATE)
        _keep(
            loudness(path),
            librosa.feature.chroma_stft(y=y, sr=sr),
            *_from_samples(librosa, y, sr),
        )

    return run


def librosa_shared() -> Callable[[str], None]:
    """The fastest that librosa offers: one spectrogram, made once, passed everywhere."""
    loudness, librosa = _loudness(), import_module("librosa")
    import numpy as np

    def run(path: str) -> None:
        y, sr = librosa.load(path, sr=RATE)
        magnitude = np.abs(librosa.stft(y))
        power = magnitude**2
        mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=sr))
        envelope = librosa.onset.onset_strength(S=mel, sr=sr)
        chroma = librosa.feature.chroma_stft(S=power, sr=sr)
        centroid = librosa.feature.spectral_centroid(S=magnitude, sr=sr)
        _keep(
            loudness(path),
            librosa.beat.beat_track(onset_envelope=envelope, sr=sr),
            librosa.onset.onset_detect(onset_envelope=envelope, sr=sr),
            librosa.feature.tonnetz(chroma=chroma, sr=sr),
            librosa.feature.mfcc(S=mel, sr=sr, n_mfcc=MFCCS),
            librosa.feature.spectral_bandwidth(S=magnitude, sr=sr, centroid=centroid),
            librosa.feature.spectral_rolloff(S=magnitude, sr=sr),
            librosa.feature.spectral_contrast(S=magnitude, sr=sr),
            librosa.feature.spectral_flatness(S=magnitude),
            librosa.feature.rms(S=magnitude),
            librosa.feature.zero_crossing_rate(y),
        )

    return run


def essentia_extractor() -> Callable[[str], None]:
    """Essentia's MusicExtractor with its defaults: a superset of the features."""
    essentia = import_module("essentia")
    essentia.log.infoActive = False
    essentia.log.warningActive = False
    standard = import_module("essentia.standard")

    def run(path: str) -> None:
        _keep(*standard.MusicExtractor()(path))

    return run


def _from_samples(librosa: Any, y: Any, sr: int) -> tuple[Any, ...]:
    feature = librosa.feature
    return (
        librosa.beat.beat_track(y=y, sr=sr),
        librosa.onset.onset_detect(y=y, sr=sr),
        feature.mfcc(y=y, sr=sr, n_mfcc=MFCCS),
        feature.spectral_centroid(y=y, sr=sr),
        feature.spectral_bandwidth(y=y, sr=sr),
        feature.spectral_rolloff(y=y, sr=sr),
        feature.spectral_contrast(y=y, sr=sr),
        feature.spectral_flatness(y=y),
        feature.rms(y=y),
        feature.zero_crossing_rate(y),
    )


def _loudness() -> Callable[[str], float]:
    pyloudnorm = import_module("pyloudnorm")
    soundfile = import_module("soundfile")

    def integrated(path: str) -> float:
        samples, rate = soundfile.read(path)
        return pyloudnorm.Meter(rate).integrated_loudness(samples)

    return integrated


def _keep(*values: Any) -> None:
    KEPT[:] = values
