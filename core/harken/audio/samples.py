"""FFmpeg's sample formats as float32 between -1 and 1."""

from typing import Any, Final, cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from numpy.typing import DTypeLike, NDArray

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel
from harken.audio.levels import largest_magnitude

# FFmpeg's name: the type in memory, the zero level, full scale.
FORMATS: Final[dict[str, tuple[DTypeLike, int, float]]] = {
    name + planar: form
    for planar in ("", "p")
    for name, form in {
        "u8": (np.uint8, 128, 2.0**7),
        "s16": (np.int16, 0, 2.0**15),
        "s32": (np.int32, 0, 2.0**31),
        "s64": (np.int64, 0, 2.0**63),
        "flt": (np.float32, 0, 1.0),
        "dbl": (np.float64, 0, 1.0),
    }.items()
}
# Finite numbers beyond this (+240 dBFS) are damage too: their squares leave float32.
LARGEST: Final = 1e12


def floats_of(frame: AudioFrame) -> tuple[Floats, int]:
    """A frame's samples, (channels, n), all finite, and how many were not and are 0 now."""
    samples = np.empty((frame.layout.nb_channels, frame.samples), dtype=np.float32)
    # A double may be infinite as a float: it is counted with what came so from the file. Some
    # processors call a NaN that becomes narrower invalid, which numpy would warn of.
    with np.errstate(over="ignore", invalid="ignore"):
        copy_samples(frame, samples)
    return samples, silence_non_finite(samples) if holds_floats(frame) else 0


def copy_samples(frame: AudioFrame, samples: Floats) -> None:
    """Write a frame into `samples`, (channels, n), as it is: NaN stays NaN.

    Reading the planes costs a fifth of what `frame.to_ndarray()` does.
    """
    name, count = frame.format.name, frame.samples
    dtype, zero, full_scale = FORMATS[name]
    if name.endswith("p"):
        for line, plane in zip(samples, frame.planes, strict=True):
            line[:] = _values(plane, dtype, count)
    else:
        values = _values(frame.planes[0], dtype, samples.shape[0] * count)
        if dtype is np.int16 and samples.shape[0] == 2:
            split_stereo(values, samples[0], samples[1])
            return
        samples[:] = values.reshape(-1, samples.shape[0]).T
    if zero:
        samples -= zero
    if full_scale != 1.0:
        samples *= 1.0 / full_scale


def holds_floats(frame: AudioFrame) -> bool:
    """Whether a frame's samples may be NaN or infinite."""
    return FORMATS[frame.format.name][2] == 1.0


def silence_non_finite(samples: Floats) -> int:
    """Put 0 for what is NaN, infinite or beyond ±10¹², and count it.

    Before any other compiled loop may take it for granted that every sample is a number.
    """
    if largest_magnitude(samples.reshape(-1)) <= LARGEST:  # which a NaN is not
        return 0
    bad = ~(np.abs(samples) <= LARGEST)
    samples[bad] = 0.0
    return int(np.count_nonzero(bad))


def _values(plane: AudioPlane, dtype: DTypeLike, count: int) -> NDArray[Any]:
    # PyAV's stubs leave out that a plane is a buffer.
    return np.frombuffer(cast("memoryview", plane), dtype, count)


@kernel
def split_stereo(interleaved: NDArray[np.int16], left: Floats, right: Floats) -> None:
    """What most files hold, 16-bit stereo, in a seventh of the time numpy's strides take."""
    scale = np.float32(1 / 32768)
    for at in range(left.shape[0]):
        left[at] = scale * interleaved[2 * at]
        right[at] = scale * interleaved[2 * at + 1]
