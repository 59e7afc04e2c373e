"""Where the frames of MP3 begin and end.

bits of a header: 11 ones | version 2 | layer 2 | no check sum 1 |
                  bit rate 4 | sample rate 2 | padded 1 | private 1 | mode 2 | ...
"""

from dataclasses import dataclass
from typing import Final

HEADER_BYTES: Final = 4
LONGEST_FRAME: Final = 1_441  # bytes: 320 kbit/s at 32 kHz, padded

_LAYER_3, _MONO = 1, 3
_VERSION_1, _VERSION_2, _VERSION_2_5 = 3, 2, 0
# kbit/s by the number in a header; 0 stands for "free", and beyond the last is nothing
_BIT_RATES_1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES: Final = {
    _VERSION_1: (44_100, 48_000, 32_000),
    _VERSION_2: (22_050, 24_000, 16_000),
    _VERSION_2_5: (11_025, 12_000, 8_000),
}


@dataclass(frozen=True, slots=True)
class Form:
    """What all frames of a plain file have in common."""

    second_byte: int  # of a header, but for its last bit
    lengths: tuple[
        int, ...
    ]  # bytes of a frame by the third byte of its header; 0: it is of another form
    mono: bool
    sample_rate: int  # Hz
    samples: int  # of a frame, each channel

    @classmethod
    def of(cls, header: bytes) -> "Form | None":
        """Of a frame with this header; None for what is no layer III, or has a bit rate of its own."""
        if len(header) < HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
            return None
        version, layer, rate = header[1] >> 3 & 3, header[1] >> 1 & 3, header[2] >> 2 & 3
        if layer != _LAYER_3 or version not in _SAMPLE_RATES or rate > 2:
            return None
        sample_rate = _SAMPLE_RATES[version][rate]
        samples = 1_152 if version == _VERSION_1 else 576
        bit_rates = _BIT_RATES_1 if version == _VERSION_1 else _BIT_RATES_2
        lengths = [0] * 256
        for third in range(256):
            if third >> 2 & 3 == rate and 0 < third >> 4 < len(bit_rates):
                bits = samples * 1_000 * bit_rates[third >> 4] // sample_rate
                lengths[third] = bits // 8 + (third >> 1 & 1)
        mono = header[3] >> 6 == _MONO
        form = cls(header[1] | 1, tuple(lengths), mono, sample_rate, samples)
        return form if form.length(header, 0) else None

    def length(self, data: bytes, at: int) -> int:
        """Bytes of the frame that begins there; 0 where none of this form does."""
        if (
            at + HEADER_BYTES > len(data)
            or data[at] != 0xFF
            or data[at + 1] | 1 != self.second_byte
        ):
            return 0
        return self.lengths[data[at + 2]] if (data[at + 3] >> 6 == _MONO) == self.mono else 0

    def whole_frames(self, data: bytes, most: int) -> list[bytes]:
        """The whole frames that `data` begins with, `most` at most."""
        frames: list[bytes] = []
        at = 0
        while len(frames) < most and (length := self.length(data, at)):
            if at + length > len(data):
                break
            frames.append(data[at : at + length])
            at += length
        return frames
