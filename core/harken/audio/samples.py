"""FFmpeg's sample formats as float32 between -1 and 1."""

from typing import Any, Final, cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from numpy.typing import DTypeLike, NDArray

from harken.audio.blocks import Floats

# FFmpeg's name without its "p" for planar: the type in memory, the zero level, full scale.
FORMATS: Final[dict[str, tuple[DTypeLike, int, float]]] = {
    "u8": (np.uint8, 128, 2.0**7),
    "s16": (np.int16, 0, 2.0**15),
    "s32": (np.int32, 0, 2.0**31),
    "s64": (np.int64, 0, 2.0**63),
    "flt": (np.float32, 0, 1.0),
    "dbl": (np.float64, 0, 1.0),
}
# Finite numbers beyond this (+240 dBFS) are damage too: their squares leave float32.
LARGEST: Final = 1e12


def frame_samples(frame: AudioFrame) -> tuple[Floats, int]:
    """A frame's samples of shape (channels, n) and how many were not finite (they are zeros now).

    Reading the planes costs a fifth of what `frame.to_ndarray()` does.
    """
    count, channels = frame.samples, frame.layout.nb_channels
    name = frame.format.name
    planar = name.endswith("p")
    dtype, zero, full_scale = FORMATS[name.removesuffix("p")]
    if planar:
        raw = np.stack([_values(plane, dtype, count) for plane in frame.planes])
    else:
        raw = _values(frame.planes[0], dtype, count * channels).reshape(count, channels).T
    if full_scale == 1.0:
        return _finite(raw)
    scaled = raw.astype(np.float32)
    if zero:
        scaled -= zero
    scaled *= 1.0 / full_scale
    return np.ascontiguousarray(scaled), 0


def _values(plane: AudioPlane, dtype: DTypeLike, count: int) -> NDArray[Any]:
    # PyAV's stubs leave out that a plane is a buffer.
    return np.frombuffer(cast("memoryview", plane), dtype, count)


def _finite(raw: NDArray[Any]) -> tuple[Floats, int]:
    # NaN compares false with everything, so it is caught with the numbers that are too large.
    good = np.abs(raw) <= LARGEST
    bad = int(good.size - np.count_nonzero(good))
    if bad:
        raw = np.where(good, raw, 0)
    return np.ascontiguousarray(raw, dtype=np.float32), bad
