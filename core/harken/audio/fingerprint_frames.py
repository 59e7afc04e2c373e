"""The fine spectrogram behind the fingerprint: 40 mel bands, 172 frames a second, no level.

Everything is relative to the loudest band of the recording, and whatever lies 45 dB below fades
into one floor: so neither gain nor the noise of a quiet recording is heard.
The windows are too short to resolve the harmonics of most voices: what remains is the shape that
the mouth, or the body of an instrument, gives the sound.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from harken.audio.blocks import SAMPLE_RATE, Doubles, Floats
from harken.audio.excerpts import FINE_FRAME, FINE_HOP, Excerpt
from harken.audio.fourier import Transform

BANDS: Final = 40
WIDE_BANDS: Final = 8  # five bands each, about 1 to 2 octaves
LOWEST_HZ: Final = 30.0
COEFFICIENTS: Final = 20  # cepstral, 1 to 20: 0 is the level
FLOOR_DB: Final = -45.0
FLOOR: Final = 10.0 ** (FLOOR_DB / 10)
BLOCK_FRAMES: Final = 128  # transformed at once: a quarter of a megabyte stays in the cache
BLOCK: Final = (BLOCK_FRAMES - 1) * FINE_HOP + FINE_FRAME  # samples under them
FINE_RATE: Final = SAMPLE_RATE / FINE_HOP  # frames a second


@dataclass(frozen=True, kw_only=True)
class FineFrames:
    """The excerpt, frame by frame."""

    energy: Floats  # (frames,), 1 at the loudest
    weight: Floats  # (frames,), how much a frame counts in means; the sum is 1
    cepstra: Floats  # (frames, 20), of the bands in dB
    wide_power: Floats  # (frames, 8), 1 at the loudest band of all 40
    wide_db: Floats  # the same in dB, not below the floor


def fine_frames(excerpt: Excerpt) -> FineFrames:
    """The frames of an excerpt that is not silent."""
    transform = Transform(FINE_FRAME, BLOCK_FRAMES)
    blocks = [
        mel_bands() @ transform.spectra(stretch[start : start + BLOCK])[1]
        for stretch in excerpt.around(FINE_FRAME)
        for start in range(0, stretch.shape[0] - FINE_FRAME + 1, BLOCK_FRAMES * FINE_HOP)
    ]
    power = np.ascontiguousarray(np.concatenate(blocks, axis=1).T)
    energy = power.mean(axis=1)
    energy /= energy.max()
    power /= power.max()
    weight = np.sqrt(energy)
    wide = power @ wide_bands()
    return FineFrames(
        energy=energy,
        weight=weight / weight.sum(),
        cepstra=decibels(power) @ fine_cosines(),
        wide_power=wide,
        wide_db=decibels(wide),
    )


def decibels(power: Floats) -> Floats:
    """Relative power in dB; the floor is added, not cut, so that nothing jumps there."""
    return np.float32(10.0) * np.log10(power + np.float32(FLOOR))


@cache
def mel_bands() -> Floats:
    """Triangles from 30 Hz to 11 kHz on O'Shaughnessy's mel scale, each of sum 1; (40, bins)."""
    edges = _hz(np.linspace(_mel(LOWEST_HZ), _mel(SAMPLE_RATE / 2), BANDS + 2))
    hertz = np.arange(FINE_FRAME // 2 + 1) * SAMPLE_RATE / FINE_FRAME
    widths = np.diff(edges)
    rising = (hertz[:, None] - edges[:-2]) / widths[:-1]
    falling = (edges[2:] - hertz[:, None]) / widths[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    # The lowest bands are narrower than a bin: those that miss every bin take the nearest.
    narrow = np.flatnonzero(triangles.sum(axis=0) < 0.5)
    triangles[np.abs(hertz[:, None] - edges[1:-1][narrow]).argmin(axis=0), narrow] = 1.0
    return np.ascontiguousarray((triangles / triangles.sum(axis=0)).T, dtype=np.float32)


@cache
def wide_bands() -> Floats:
    """The mean over each five neighbouring bands, (40, 8)."""
    each = BANDS // WIDE_BANDS
    return (np.kron(np.eye(WIDE_BANDS), np.ones((each, 1))) / each).astype(np.float32)


@cache
def fine_cosines() -> Floats:
    """Vectors 1 to 20 of the orthonormal DCT-II over the bands, (40, 20)."""
    angles = np.pi / BANDS * np.outer(np.arange(BANDS) + 0.5, np.arange(1, 1 + COEFFICIENTS))
    return (np.cos(angles) * np.sqrt(2.0 / BANDS)).astype(np.float32)


def _mel(hertz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hertz / 700.0))


def _hz(mels: Doubles) -> Doubles:
    return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
