"""The pieces of a recording that flow through an analysis, and the frame grid they share.

Where an array has frames and something else, the frames come last: a loop over them runs through
memory in order, so one instruction works on 8 or 16 of them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int32]
Bytes = NDArray[np.uint8]

SAMPLE_RATE: Final = 22_050  # Hz, of the mono signal behind every spectral feature
FRAME: Final = 2048  # samples under one window
HOP: Final = 512  # samples from one frame to the next
FRAME_RATE: Final = SAMPLE_RATE / HOP  # frames a second, about 43


@dataclass(frozen=True, kw_only=True)
class SoundBlock:
    """Consecutive samples at the recording's own rate."""

    samples: Floats  # (channels, n), full scale ±1, every value finite
    sample_rate: int  # Hz, the same in every block of a recording
    channels: tuple[str, ...]  # speaker names: "FL", "FR", "FC", "LFE", "BL", "SL", …


@dataclass(frozen=True, kw_only=True)
class SpectrumBlock:
    """Consecutive frames of the mono signal's spectrum; frame t is centred on sample t · HOP."""

    magnitude: Floats  # (1 + FRAME / 2, frames)
    power: Floats  # magnitude squared
    signal: (
        Floats  # the (frames - 1) · HOP + FRAME samples under the frames, zeros outside the track
    )
    lead: int  # how many of them lie before the first sample
    tail: int  # how many lie after the last


@dataclass(frozen=True, kw_only=True)
class MelBlock:
    """Consecutive frames of the mel spectrum, once the whole recording's peak is known.

    The one array with frames first: what reads it looks at whole frames.
    """

    decibels: Floats  # (frames, 128), nothing more than 80 dB below the recording's peak
    start: int  # number of the first frame
    total: int  # frames of the whole recording
