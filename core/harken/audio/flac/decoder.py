"""The packets of a FLAC file, in place of FFmpeg's decoder."""

from typing import Final, cast

import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from harken.audio.blocks import Bytes, Floats
from harken.audio.flac.bits import PADDING
from harken.audio.flac.frame import MOST_SAMPLES, read_frame, scale_samples
from harken.audio.flac.residual import BEFORE, BROKEN

_LAYOUTS: Final = {"mono": 1, "stereo": 2}
_MOST_BITS: Final = 24
_STREAM_INFO_BYTES: Final = 34


class FlacDecoder:
    """Decodes the frames of one FLAC stream, one or two channels of up to 24 bits."""

    def __init__(self, layout: str, sample_rate: int, width: int) -> None:
        """width: bits of a sample."""
        self.layout = layout
        self.sample_rate = sample_rate
        self._width = width
        self._lines = np.zeros((_LAYOUTS[layout], BEFORE + MOST_SAMPLES), dtype=np.int32)
        self._data = np.zeros(0, dtype=np.uint8)

    @classmethod
    def of(cls, container: InputContainer, stream: AudioStream) -> "FlacDecoder | None":
        """The decoder of a plain FLAC file's sound; None for any other, whose packets say more than their bytes."""
        if container.format.name != "flac":
            return None
        info = stream.codec_context.extradata or b""
        layout = stream.codec_context.layout.name
        if len(info) < _STREAM_INFO_BYTES or layout not in _LAYOUTS:
            return None
        form = int.from_bytes(info[10:14], "big")  # 20 bits of rate, 3 of channels, 5 of width, …
        rate, width = form >> 12, ((form >> 4) & 31) + 1
        return cls(layout, rate, width) if rate > 0 and width <= _MOST_BITS else None

    def decode(self, packet: "Packet[AudioStream]") -> Floats | None:
        """The packet's samples, (channels, n); None if it is no whole frame of the stream's form: ask FFmpeg."""
        size = packet.size
        data = self._padded(packet)
        count = read_frame(data, size, self.sample_rate, self._width, self._lines)
        if count == BROKEN:
            return None
        samples = np.empty((self._lines.shape[0], count), dtype=np.float32)
        fits = scale_samples(self._lines[:, BEFORE:], self._width, samples)
        return samples if fits else None

    def _padded(self, packet: "Packet[AudioStream]") -> Bytes:
        size = packet.size
        if self._data.shape[0] < size + PADDING:
            self._data = np.zeros(2 * size + PADDING, dtype=np.uint8)
        self._data[:size] = np.frombuffer(cast("memoryview", packet), np.uint8)
        self._data[size : size + PADDING] = 0
        return self._data
