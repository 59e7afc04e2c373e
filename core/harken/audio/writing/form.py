"""What a file of sound is written as, and how samples become its numbers."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Floats, Integers

FLAC, WAV = "flac", "wav"
FLOAT_BITS: Final = 32
MEDIA_TYPES: Final = {FLAC: "audio/flac", WAV: "audio/wav"}
# (format, bits): FFmpeg's encoder, its sample format, the type in memory, bits that samples are shifted up by.
_CODECS: Final[dict[tuple[str, int], tuple[str, str, type, int]]] = {
    (FLAC, 16): ("flac", "s16", np.int16, 0),
    (FLAC, 24): ("flac", "s32", np.int32, 8),
    (WAV, 16): ("pcm_s16le", "s16", np.int16, 0),
    (WAV, 24): ("pcm_s24le", "s32", np.int32, 8),
    (WAV, FLOAT_BITS): ("pcm_f32le", "flt", np.float32, 0),
}
DITHERED_BITS: Final = 16  # and fewer; the noise of 24 bits is below that of any converter


@dataclass(frozen=True, kw_only=True)
class Form:
    """A format of files and its bits a sample; 32 are floating point."""

    format: str = FLAC
    bits: int = 24

    @property
    def codec(self) -> str:
        """FFmpeg's name of the encoder."""
        return _CODECS[self.format, self.bits][0]

    @property
    def sample_format(self) -> str:
        """FFmpeg's name of the form in which the encoder takes samples."""
        return _CODECS[self.format, self.bits][1]

    @property
    def media_type(self) -> str:
        """The media type of the file."""
        return MEDIA_TYPES[self.format]

    @property
    def is_float(self) -> bool:
        """Whether samples may be of any size."""
        return self.bits == FLOAT_BITS

    @property
    def full_scale(self) -> int:
        """How many steps there are from 0 to 1."""
        return 1 << (self.bits - 1)

    def frames(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Numbers of shape (channels, n), side by side and shifted as the encoder takes them."""
        *_, dtype, shift = _CODECS[self.format, self.bits]
        frames = np.ascontiguousarray(numbers.T, dtype=dtype)
        return frames << shift if shift else frames


class Quantiser:
    """Samples to whole numbers of a form, clipped at full scale; 16 bits with dither, where they are not whole already.

    The dither is triangular and two steps wide: what is rounded away becomes a steady noise instead of a distortion. It
    is the same each time, so that the same sound becomes the same file.
    """

    def __init__(self, form: Form) -> None:
        self._scale = np.float64(form.full_scale)
        self._dithers = form.bits <= DITHERED_BITS
        self._random = np.random.default_rng(0)

    def numbers(self, samples: Floats) -> Integers:
        """The numbers of `samples`, (channels, n)."""
        scaled = samples * self._scale
        numbers = np.rint(scaled)
        if self._dithers and (numbers != scaled).any():
            scaled += self._random.random(scaled.shape) - self._random.random(scaled.shape)
            numbers = np.rint(scaled)
        return np.clip(numbers, -self._scale, self._scale - 1).astype(np.int32)
