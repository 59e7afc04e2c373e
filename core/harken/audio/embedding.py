"""A fingerprint of how a sound sounds: 128 numbers whose dot product measures likeness.

A plain sketch, no learnt model: what the timbre is, how much and how fast it changes, how it
unfolds in time, the shape of the envelope, and the speed of its modulation. Each part is brought
to a like size by fixed constants, and the whole to unit length. Gain leaves it as it is: the level
of a frame only weighs it against the others.

    parts: 20 mean MFCC · 20 spread · 20 change · 4 slices of 10 MFCC · 16 envelope · 12 modulation
"""

from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import FRAME_RATE, Doubles, Floats, MelBlock
from harken.audio.mel import SILENCE_DB
from harken.audio.result import Embedding
from harken.audio.timbre import cosines

MODEL: Final = "harken-mfcc-1"
COEFFICIENTS: Final = 20  # MFCC 1 to 20; 0 is the level, which must not matter
SLICES: Final = 4
SLICE_COEFFICIENTS: Final = 10
ENVELOPE_STEPS: Final = 16
FLOOR_DB: Final = -60.0  # of the envelope, below its loudest step
MODULATION_EDGES_HZ: Final[Doubles] = np.geomspace(0.3, 20.0, 13)
MODULATION_WINDOW: Final = 256  # frames, 6 s
# What is usual in music, speech and single sounds, rounded: centre and spread of every part. They
# bring numbers of different nature to one scale; likeness depends little on them.
MEAN_CENTRE: Final[Doubles] = np.array(
    [73, -17, 19, -6, 6, -6, 0, -7, -1, -5, -1, -2, -1, -2, 0, -1, 1, -4, -2, -3], dtype=np.float64
)
MEAN_SPREAD: Final[Doubles] = np.array(
    [94, 52, 34, 25, 18, 16, 15, 12, 10, 11, 11, 10, 8, 8, 11, 12, 9, 7, 9, 8], dtype=np.float64
)
SPREAD_CENTRE: Final[Doubles] = 5.5 + 20.0 * np.exp(-np.arange(COEFFICIENTS) / 3.5)
SPREAD_SPREAD: Final[Doubles] = 4.3 + 12.0 * np.exp(-np.arange(COEFFICIENTS) / 3.0)
CHANGE_CENTRE: Final[Doubles] = 1.3 + 0.9 * np.exp(-np.arange(COEFFICIENTS) / 4.0)
CHANGE_SPREAD: Final[Doubles] = 0.3 + 0.3 * np.exp(-np.arange(COEFFICIENTS) / 5.0)
SLICE_SPREAD: Final[Doubles] = np.array([22, 19, 13, 9.5, 8.5, 8, 6, 6, 4.5, 5])
ENVELOPE_CENTRE: Final[Doubles] = np.linspace(0.85, 0.15, ENVELOPE_STEPS)
ENVELOPE_SPREAD: Final = 0.55
MODULATION_CENTRE: Final[Doubles] = np.linspace(0.4, 0.1, MODULATION_EDGES_HZ.shape[0] - 1)
MODULATION_SPREAD: Final = 0.13
# Low coefficients carry the gross shape: each counts as its rank to the power of -1/2.
RANKS: Final[Doubles] = np.arange(1.0, 1 + COEFFICIENTS) ** -0.5
# How much each part counts in the whole.
SHARES: Final = {
    "mean": 1.5,
    "spread": 0.7,
    "change": 0.8,
    "slices": 0.3,
    "envelope": 0.7,
    "modulation": 0.3,
}


class Fingerprint(Analysis):
    """Weighted sums over the mel frames, made into the vector at the end."""

    hears = Hears.MEL

    def __init__(self) -> None:
        self._sums = np.zeros((4, COEFFICIENTS))  # of weights, values, squares, changes
        self._slices = np.zeros((SLICES, 1 + SLICE_COEFFICIENTS))
        self._envelope = np.zeros((2, ENVELOPE_STEPS))  # energy, frames
        self._levels: list[Floats] = []
        self._last: Doubles = np.zeros((0, COEFFICIENTS))
        self._silent = True

    def on_mel(self, block: MelBlock) -> None:
        """Take in the next frames."""
        self._silent = self._silent and bool((block.decibels <= SILENCE_DB).all())
        cepstra = block.decibels.astype(np.float64) @ cosines(1 + COEFFICIENTS)[:, 1:]
        energy = np.sum(10.0 ** (block.decibels.astype(np.float64) / 10.0), axis=1)
        weight = np.sqrt(energy)
        changes = np.abs(np.diff(np.concatenate([self._last, cepstra]), axis=0))
        self._last = cepstra[-1:]
        self._sums[0] += weight.sum()
        self._sums[1] += weight @ cepstra
        self._sums[2] += weight @ cepstra**2
        # The recording's first frame follows none and so has no change.
        self._sums[3] += weight[weight.shape[0] - changes.shape[0] :] @ changes
        frames = block.start + np.arange(cepstra.shape[0])
        weighted = np.concatenate(
            [weight[:, None], weight[:, None] * cepstra[:, :SLICE_COEFFICIENTS]], axis=1
        )
        np.add.at(self._slices, frames * SLICES // block.total, weighted)
        steps = frames * ENVELOPE_STEPS // block.total
        self._envelope[0] += np.bincount(steps, energy, minlength=ENVELOPE_STEPS)
        self._envelope[1] += np.bincount(steps, minlength=ENVELOPE_STEPS)
        self._levels.append((10.0 * np.log10(energy)).astype(np.float32))

    def finish(self) -> Embedding:
        """The group; silence sounds like nothing and has no vector."""
        if self._silent:
            return Embedding(model=MODEL)
        weights, values, squares, changes = self._sums
        mean = values / weights
        spread = np.sqrt(np.maximum(squares / weights - mean**2, 0.0))
        whole = mean[:SLICE_COEFFICIENTS]
        heard = self._slices[:, :1] > 0
        slices = np.where(
            heard, self._slices[:, 1:] / np.where(heard, self._slices[:, :1], 1), whole
        )
        changes = np.log1p(changes / weights)
        envelope = envelope_shape(*self._envelope)
        modulation = modulation_shape(np.concatenate(self._levels))
        parts = {
            "mean": (mean - MEAN_CENTRE) / MEAN_SPREAD,
            "spread": (spread - SPREAD_CENTRE) / SPREAD_SPREAD,
            "change": (changes - CHANGE_CENTRE) / CHANGE_SPREAD,
            "slices": ((slices - whole) / SLICE_SPREAD).ravel(),
            "envelope": (envelope - ENVELOPE_CENTRE) / ENVELOPE_SPREAD,
            "modulation": (modulation - MODULATION_CENTRE) / MODULATION_SPREAD,
        }
        vector = np.concatenate([part_weights(name) * part for name, part in parts.items()])
        length = float(np.sqrt(vector @ vector))
        return Embedding(vector=tuple((vector / length).tolist()), model=MODEL)


def part_weights(part: str) -> Doubles:
    """What each number of a part counts; the squares sum to the square of the part's share."""
    weights = {
        "slices": np.tile(RANKS[:SLICE_COEFFICIENTS], SLICES),
        "envelope": np.ones(ENVELOPE_STEPS),
        "modulation": np.ones(MODULATION_CENTRE.shape[0]),
    }.get(part, RANKS)
    return SHARES[part] * weights / np.sqrt(weights @ weights)


def envelope_shape(energy: Doubles, frames: Doubles) -> Doubles:
    """16 steps of the level over time, 1 at the loudest and -1 at 60 dB below."""
    level = energy / np.maximum(frames, 1)
    # A sound of fewer frames than steps leaves holes: each takes the step before it.
    filled = np.maximum.accumulate(np.where(frames > 0, np.arange(ENVELOPE_STEPS), 0))
    decibels = 10.0 * np.log10(np.maximum(level[filled] / level.max(), 10.0 ** (FLOOR_DB / 10)))
    return 1.0 - 2.0 * decibels / FLOOR_DB


def modulation_shape(levels_db: Floats) -> Doubles:
    """Share of the level's movement in 12 bands from 0.3 to 20 Hz; zeros when it stands still."""
    clipped = np.maximum(levels_db, levels_db.max() + FLOOR_DB).astype(np.float64)
    padded = np.pad(clipped, (0, max(0, MODULATION_WINDOW - clipped.shape[0])), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, MODULATION_WINDOW)
    frequencies = np.fft.rfftfreq(MODULATION_WINDOW, 1 / FRAME_RATE)
    power = np.zeros(frequencies.shape[0])
    for window in windows[:: MODULATION_WINDOW // 2]:
        centred = (window - window.mean()) * np.hanning(MODULATION_WINDOW)
        power += np.abs(np.fft.rfft(centred)) ** 2
    bands = np.digitize(frequencies, MODULATION_EDGES_HZ) - 1
    inside = (bands >= 0) & (bands < MODULATION_EDGES_HZ.shape[0] - 1)
    shares = np.bincount(bands[inside], power[inside], minlength=MODULATION_EDGES_HZ.shape[0] - 1)
    total = shares.sum()
    return np.sqrt(shares / total) if total > 1e-9 else np.zeros(shares.shape[0])
