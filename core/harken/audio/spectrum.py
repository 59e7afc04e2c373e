"""The short-time spectrum of the mono signal: 2048-sample Hann windows every 512, centred.

The frames are those of `librosa.stft(y, n_fft=2048, hop_length=512)`: the signal is padded with
1024 zeros at both ends, so that frame t is centred on sample 512·t.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME, HOP, SAMPLE_RATE, Doubles, Floats, SpectrumBlock

BLOCK_FRAMES: Final = 128  # 3 s of audio; half a megabyte of spectrum stays in the cache
BINS: Final = 1 + FRAME // 2
FREQUENCIES_HZ: Final[Doubles] = np.arange(BINS, dtype=np.float64) * (SAMPLE_RATE / FRAME)
# Periodic, not symmetric: what librosa and every STFT with overlapping frames uses.
WINDOW: Final[Doubles] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


class SpectrumStream:
    """Cuts a signal that arrives in pieces into frames and transforms them block by block."""

    def __init__(self) -> None:
        self._held: Floats = np.zeros(FRAME // 2, dtype=np.float32)
        self._lead = FRAME // 2

    def push(self, signal: Floats) -> Iterator[SpectrumBlock]:
        """The blocks that `signal` of shape (n,) completes."""
        self._held = np.concatenate([self._held, signal])
        needed = (BLOCK_FRAMES - 1) * HOP + FRAME
        while self._held.shape[0] >= needed:
            yield self._block(self._held[:needed], tail=0)
            self._held = self._held[BLOCK_FRAMES * HOP :]

    def finish(self) -> Iterator[SpectrumBlock]:
        """The blocks under the end of the signal."""
        padded = np.pad(self._held, (0, FRAME // 2))
        frames = 1 + (padded.shape[0] - FRAME) // HOP
        for start in range(0, frames, BLOCK_FRAMES):
            count = min(BLOCK_FRAMES, frames - start)
            end = start * HOP + (count - 1) * HOP + FRAME
            tail = max(0, end - self._held.shape[0])
            yield self._block(padded[start * HOP : end], tail=tail)

    def _block(self, signal: Floats, tail: int) -> SpectrumBlock:
        frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP]
        # In float64, as librosa: float32's rounding would fill the valleys beside a pure tone,
        # which moves contrast by 2 %.
        magnitude = np.abs(np.fft.rfft(frames * WINDOW, axis=1))
        magnitude = magnitude.astype(np.float32)
        lead, self._lead = self._lead, max(0, self._lead - frames.shape[0] * HOP)
        return SpectrumBlock(
            magnitude=magnitude, power=magnitude**2, signal=signal, lead=lead, tail=tail
        )
