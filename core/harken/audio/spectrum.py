"""The short-time spectrum of the mono signal: 2048-sample Hann windows every 512, centred.

The frames are those of `librosa.stft(y, n_fft=2048, hop_length=512)`: the signal is padded with
1024 zeros at both ends, so that frame t is centred on sample 512·t.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME, HOP, SAMPLE_RATE, Doubles, Floats, SpectrumBlock
from harken.audio.fourier import Transform
from harken.audio.padding import with_zeros

BLOCK_FRAMES: Final = 64  # 1.5 s of audio; a quarter of a megabyte of magnitudes stays in the cache
BINS: Final = 1 + FRAME // 2
SHARED: Final = FRAME - HOP  # samples that the frames of two blocks have in common
NEEDED: Final = BLOCK_FRAMES * HOP + SHARED  # samples under a block
FREQUENCIES_HZ: Final[Doubles] = np.arange(BINS, dtype=np.float64) * (SAMPLE_RATE / FRAME)


class SpectrumStream:
    """Cuts a signal that arrives in pieces into frames and transforms them block by block."""

    def __init__(self) -> None:
        self._signal: Floats = np.zeros(NEEDED, dtype=np.float32)
        self._filled = self._lead = FRAME // 2
        self._transform = Transform(FRAME, BLOCK_FRAMES)

    def push(self, signal: Floats) -> Iterator[SpectrumBlock]:
        """The blocks that `signal` of shape (n,) completes."""
        while signal.shape[0] > 0:
            taken = signal[: NEEDED - self._filled]
            signal = signal[taken.shape[0] :]
            self._signal[self._filled : self._filled + taken.shape[0]] = taken
            self._filled += taken.shape[0]
            if self._filled == NEEDED:
                yield self._block(self._signal.copy(), tail=0)
                self._signal[:SHARED] = self._signal[-SHARED:]
                self._filled = SHARED

    def finish(self) -> Iterator[SpectrumBlock]:
        """The blocks under the end of the signal."""
        padded = with_zeros(self._signal[: self._filled], 0, FRAME // 2)
        frames = 1 + (padded.shape[0] - FRAME) // HOP
        for start in range(0, frames, BLOCK_FRAMES):
            count = min(BLOCK_FRAMES, frames - start)
            end = start * HOP + (count - 1) * HOP + FRAME
            tail = max(0, end - self._filled)
            yield self._block(padded[start * HOP : end], tail=tail)

    def _block(self, signal: Floats, tail: int) -> SpectrumBlock:
        magnitude, power = self._transform.spectra(signal)
        lead, self._lead = self._lead, max(0, self._lead - power.shape[1] * HOP)
        return SpectrumBlock(magnitude=magnitude, power=power, signal=signal, lead=lead, tail=tail)
