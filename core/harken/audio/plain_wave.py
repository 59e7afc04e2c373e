"""WAV files that hold plain numbers and nothing else, read without FFmpeg.

Most WAV files are that. FFmpeg takes a millisecond to open one, which for a single hit is a fifth of the whole
analysis, and copies each sample four times. Whatever is not just as expected is left to it.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final

import numpy as np

from harken.audio.blocks import Bytes, Floats
from harken.audio.chunks import Chunk, form_of, read_at
from harken.audio.container import UNNAMED
from harken.audio.kernel import kernel
from harken.audio.samples import split_stereo
from harken.audio.sound_source import BLOCK_S, BLOCK_SAMPLES
from harken.audio.source_file import SourceFile

_PCM, _EXTENSIBLE = 1, 0xFFFE
_PLAIN_BYTES, _EXTENSIBLE_BYTES = (16, 18), 40  # of the chunk "fmt "
_PCM_SUBTYPE: Final = bytes.fromhex("0100000000001000800000aa00389b71")
# Speakers by the number of channels and the mask; without one they have no names.
_SPEAKERS: Final = {
    (1, 0): (UNNAMED,),
    (1, 0x4): ("FC",),
    (2, 0): (UNNAMED, UNNAMED),
    (2, 0x3): ("FL", "FR"),
}
_CODECS: Final = {16: "pcm_s16le", 24: "pcm_s24le"}
_SAMPLE_FORMATS: Final = {16: "s16", 24: "s32"}
_RATES: Final = range(1_000, 768_001)  # Hz
# Chunks that say nothing of the sound's form or title; what they do say is read by `annotations`.
_SILENT_CHUNKS: Final = frozenset({"JUNK", "PAD ", "FLLR", "acid", "smpl", "inst"})
# 16-bit "samples" may be a coding in disguise, as on discs: FFmpeg looks whether they are. Silence may come before it.
_LOOKED_AT: Final = 16_384  # bytes
_HEADER_BYTES: Final = 4  # of a coding's frame
_DISGUISED: Final = (
    *(b"\x7f\xfe\x80\x01", b"\xfe\x7f\x01\x80"),  # DTS
    *(b"\x1f\xff\xe8\x00", b"\xff\x1f\x00\xe8"),
    *(b"\x72\xf8\x1f\x4e", b"\xf8\x72\x4e\x1f"),  # IEC 61937: AC-3 and others
)
_CODING_FIRST: Final = re.compile(
    rb"\xff[\xe2-\xff][\x10-\xef]|\x0b\x77|\x77\x0b|ID3"
)  # MPEG audio, AC-3


class PlainWave:
    """One or two channels of 16 or 24 bits (a SoundSource)."""

    formats = "wav"
    tags = ()
    picture_starts_s = ()
    first_pts_s = 0.0
    non_finite_samples = 0

    def __init__(
        self, file: SourceFile, body: Chunk, rate: int, bits: int, channels: tuple[str, ...]
    ) -> None:
        self._file = file
        self._start = body.start
        self._bits = bits
        self._count = body.size // (len(channels) * bits // 8)
        self._read = 0  # samples of each channel
        self.sample_rate = rate
        self.channels = channels
        self.codec = _CODECS[bits]
        self.sample_format = _SAMPLE_FORMATS[bits]
        self.claimed_s = self._count / rate

    @classmethod
    def of(cls, file: SourceFile) -> "PlainWave | None":
        """The sound of `file` if it is such a file; None is no judgement on any other."""
        form = form_of(file)
        file.raise_failure()
        if form is None or (form.outer, form.name) != ("RIFF", "WAVE"):
            return None
        if not {chunk.name for chunk in form.chunks} <= _SILENT_CHUNKS | {"fmt ", "data"}:
            return None
        heads = [chunk.read() for chunk in form.chunks if chunk.name == "fmt "]
        bodies = [chunk for chunk in form.chunks if chunk.name == "data"]
        if len(heads) != 1 or len(bodies) != 1:
            return None
        numbers = _numbers(heads[0])
        body = bodies[0]
        if numbers is None or not body.is_whole or body.size == 0:
            return None
        rate, bits, channels = numbers
        cut = body.size % (len(channels) * bits // 8)
        if cut or (bits == 16 and _may_be_coding(file, body.start)):
            return None
        return cls(file, body, rate, bits, channels)

    @property
    def coded_bytes(self) -> int:
        """Bytes of the samples so far."""
        return self._read * len(self.channels) * self._bits // 8

    @property
    def coded_s(self) -> float:
        """Seconds of the samples so far."""
        return self._read / self.sample_rate

    @property
    def bytes_done(self) -> int:
        """How far in the file the reading is."""
        return self._start + self.coded_bytes

    def pieces(self) -> Iterator[Floats]:
        """The samples in order, (channels, n)."""
        width = len(self.channels) * self._bits // 8
        most = min(BLOCK_SAMPLES, max(round(BLOCK_S * self.sample_rate), 1))
        room = np.empty(most * width, dtype=np.uint8)
        while self._read < self._count:
            wanted = min(most, self._count - self._read)
            read = self._file.read_into(room[: wanted * width], self.bytes_done) // width
            if read == 0:
                return  # the file has become shorter meanwhile
            self._read += read
            yield self._samples(room[: read * width], read)

    def _samples(self, data: Bytes, count: int) -> Floats:
        samples = np.empty((len(self.channels), count), dtype=np.float32)
        if self._bits == 24:
            split_24_bits(data, samples)
        elif len(self.channels) == 2:
            split_stereo(data.view("<i2"), samples[0], samples[1])
        else:
            np.multiply(data.view("<i2"), np.float32(1 / 32768), out=samples[0])
        return samples

    def close(self) -> None:
        """Nothing is held."""


def _numbers(head: bytes) -> tuple[int, int, tuple[str, ...]] | None:
    """Rate, bits and speakers out of the chunk "fmt ", if all of it agrees."""
    if len(head) not in (*_PLAIN_BYTES, _EXTENSIBLE_BYTES):
        return None
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", head)
    mask = 0
    if tag == _EXTENSIBLE and len(head) == _EXTENSIBLE_BYTES and head[24:] == _PCM_SUBTYPE:
        valid_bits, mask = struct.unpack_from("<HI", head, 18)
        if valid_bits != bits:
            return None
    elif tag != _PCM or len(head) == _EXTENSIBLE_BYTES:
        return None
    if bits not in _CODECS or rate not in _RATES or block != channels * bits // 8:
        return None
    speakers = _SPEAKERS.get((channels, mask))
    return (rate, bits, speakers) if speakers else None


def _may_be_coding(file: SourceFile, start: int) -> bool:
    first = read_at(file, start, _LOOKED_AT)
    sound = first.lstrip(b"\0")
    too_silent = len(first) == _LOOKED_AT and len(sound) < _HEADER_BYTES
    if too_silent or _CODING_FIRST.match(sound):
        return True
    return any(mark in first for mark in _DISGUISED)


@kernel
def split_24_bits(data: Bytes, samples: Floats) -> None:
    """Numbers of three bytes, channels in turn, as floats of full scale ±1."""
    channels, count = samples.shape
    scale = np.float32(2.0**-31)
    for channel in range(channels):
        line, bytes_of = samples[channel], data[3 * channel :]
        for at in range(count):
            place = 3 * channels * at
            low, middle, high = bytes_of[place], bytes_of[place + 1], bytes_of[place + 2]
            number = np.int32(low) << 8 | np.int32(middle) << 16 | np.int32(high) << 24
            line[at] = scale * np.float32(np.int32(number))
