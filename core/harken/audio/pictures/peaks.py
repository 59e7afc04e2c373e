"""Peaks for players in the web: what peaks.js and wavesurfer.js read, in 8 bits.

Version 2 of the format of BBC's audiowaveform (its doc/DataFormat.md): a header, then the lowest and
the highest sample of each stretch, channel by channel.
"""

import json
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.pictures.extremes import Extremes

VERSION: Final = 2
EIGHT_BITS: Final = 1  # flag
FULL_SCALE: Final = 128.0
LEAST_SAMPLES: Final = 16  # a stretch: no player shows fewer on a pixel


def peaks_dat(found: Extremes) -> bytes:
    """The binary form."""
    data, samples_each = _points(found)
    length, lanes, _ = data.shape
    header = struct.pack(
        "<iIiiIi", VERSION, EIGHT_BITS, found.sample_rate, samples_each, length, lanes
    )
    return header + data.tobytes()


def peaks_json(found: Extremes) -> bytes:
    """The same as JSON."""
    data, samples_each = _points(found)
    whole = {
        "version": VERSION,
        "channels": data.shape[1],
        "sample_rate": found.sample_rate,
        "samples_per_pixel": samples_each,
        "bits": 8,
        "length": data.shape[0],
        "data": data.ravel().tolist(),
    }
    return json.dumps(whole, separators=(",", ":")).encode()


def _points(found: Extremes) -> tuple[NDArray[np.int8], int]:
    """Lowest and highest, shape (stretches, lanes, 2), and how many samples a stretch has."""
    joined = max(LEAST_SAMPLES // found.samples_each, 1)
    starts = np.arange(0, found.low.shape[1], joined)
    low = np.minimum.reduceat(found.low, starts, axis=1)
    high = np.maximum.reduceat(found.high, starts, axis=1)
    both = np.stack([low, high], axis=2).transpose(1, 0, 2)
    numbers = np.clip(np.rint(both * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    return np.ascontiguousarray(numbers.astype(np.int8)), found.samples_each * joined
