"""What is measured on: composed music at 44.1 kHz, mastered loud, and half-second one-shots."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from demo.piece import SAMPLE_RATE as COMPOSED_RATE
from demo.piece import compose

Floats = NDArray[np.float32]

RATE: Final = 44_100  # Hz: what most music is sold at; the engine has to resample it
PEAK: Final = 10 ** (-1 / 20)  # -1 dBFS, as streaming services ask for
DRIVE: Final = 4.0  # into the limiter: about -9 LUFS, a loud master, dear to any true-peak meter
AIR: Final = 10 ** (-50 / 20)  # noise over the whole band, as every recording has some
SEED: Final = 20_240
FORMATS: Final = ("wav", "flac", "mp3")
MP3_LEVEL: Final = 0.45  # libsndfile's scale: 192 kbit/s when the bit rate is constant
ONE_SHOT_S: Final = 0.5
BLOCK_FRAMES: Final = RATE * 60  # a minute a write: a long file is never in memory
# Free space that ten hours need: 3 GB of FLAC, and room for what an engine may set aside on disk.
LONG_BYTES: Final = 8 << 30


@dataclass(frozen=True, kw_only=True)
class Music:
    """A piece, and where its files are to be."""

    folder: Path
    samples: Floats  # (n, 2) at RATE

    @property
    def duration_s(self) -> float:
        """Seconds of the piece."""
        return self.samples.shape[0] / RATE

    def file(self, extension: str) -> Path:
        """The piece as 16-bit WAV or FLAC, or as MP3 of 192 kbit/s; written when first asked for."""
        path = self.folder / f"piece.{extension}"
        if not path.exists():
            if extension == "mp3":
                soundfile.write(
                    *(path, self.samples, RATE),
                    subtype="MPEG_LAYER_III",
                    bitrate_mode="CONSTANT",
                    compression_level=MP3_LEVEL,
                )
            else:
                soundfile.write(path, self.samples, RATE, subtype="PCM_16")
        return path

    def repeated(self, extension: str, duration_s: float) -> Path:
        """The piece over and over, `duration_s` long, as 16-bit WAV or FLAC."""
        path = self.folder / f"{duration_s:.0f}-seconds.{extension}"
        left = round(duration_s * RATE)
        fastest = 0.0 if extension == "flac" else None
        with soundfile.SoundFile(
            path, "w", RATE, channels=2, subtype="PCM_16", compression_level=fastest
        ) as file:
            while left:
                for start in range(0, min(left, self.samples.shape[0]), BLOCK_FRAMES):
                    part = self.samples[start : start + min(BLOCK_FRAMES, left)]
                    file.write(part)
                    left -= part.shape[0]
        return path

    def room_for_hours(self) -> bool:
        """Whether the disk takes ten hours of music."""
        return shutil.disk_usage(self.folder).free > LONG_BYTES


def music(folder: Path, duration_s: float) -> Music:
    """A composed piece of `duration_s` seconds, resampled and mastered; the same every time."""
    piece = compose(duration_s=duration_s)
    samples = soxr.resample(piece.samples, COMPOSED_RATE, RATE, "HQ")
    rng = np.random.default_rng(SEED)
    air = rng.standard_normal(samples.shape, dtype=np.float32)
    loud = np.tanh(DRIVE * samples + AIR * air)
    loud *= PEAK / np.abs(loud).max()
    return Music(folder=folder, samples=loud.astype(np.float32))


def one_shots(folder: Path, count: int) -> list[Path]:
    """`count` half-second sounds as 16-bit WAV: drums, plucks and noises in turn, every other in stereo."""
    folder.mkdir()
    rng = np.random.default_rng(SEED)
    paths = [folder / f"one-shot-{number:04}.wav" for number in range(count)]
    for number, path in enumerate(paths):
        sound = _one_shot(rng, kind=number % 3)
        channels = 1 + number // 3 % 2
        if channels == 2:
            side = 0.1 * rng.standard_normal(sound.shape[0]) * sound
            sound = np.stack((sound + side, sound - side), axis=1)
        soundfile.write(path, PEAK * sound / np.abs(sound).max(), RATE, subtype="PCM_16")
    return paths


def _one_shot(rng: np.random.Generator, kind: int) -> NDArray[np.float64]:
    t = np.arange(round(ONE_SHOT_S * RATE)) / RATE
    decay = np.exp(-t * rng.uniform(6.0, 30.0))
    hertz = rng.uniform(80.0, 900.0)
    if kind == 0:  # a drum: a falling tone under a short burst
        fall = np.exp(-t / 0.03)
        burst = rng.standard_normal(t.shape[0]) * np.exp(-90.0 * t)
        return np.sin(2 * np.pi * (60.0 * t + 8.0 * (1.0 - fall))) * decay + 0.3 * burst
    if kind == 1:  # a plucked note
        partials = [np.sin(2 * np.pi * n * hertz * t) / n**1.4 for n in range(1, 9)]
        return np.sum(partials, axis=0) * decay
    return rng.standard_normal(t.shape[0]) * decay  # a cymbal or a clap
