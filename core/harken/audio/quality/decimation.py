"""The mean of all channels at about 1 kHz, for what lies at the bottom of the spectrum."""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel

RATE: Final = 1_000  # Hz at least, where the recording has as many
TAPS: Final = 8  # of the low-pass for each sample that comes out: −80 dB above 600 Hz


class Decimation:
    """Keeps every n-th sample of the low-passed sound."""

    def __init__(self, sample_rate: int) -> None:
        self.step = max(sample_rate // RATE, 1)
        self.rate = sample_rate / self.step
        self._taps = _low_pass(self.step) if self.step > 1 else np.ones(1, dtype=np.float32)
        self._held = np.zeros(self._taps.shape[0] - 1, dtype=np.float32)

    def add(self, mono: Floats) -> Floats:
        """What `mono` makes ready."""
        joined = np.concatenate((self._held, mono))
        count = max((joined.shape[0] - self._taps.shape[0]) // self.step + 1, 0)
        self._held = joined[count * self.step :]
        return _filtered(joined, self._taps, self.step, count)


def _low_pass(step: int) -> Floats:
    """A windowed sinc that keeps what is below four fifths of the new Nyquist frequency."""
    size, share = TAPS * step + 1, 0.8 / step
    taps = np.sinc(share * (np.arange(size) - size // 2)) * np.kaiser(size, 8.0)
    return (taps / taps.sum()).astype(np.float32)


@kernel
def _filtered(samples: Floats, taps: Floats, step: int, count: int) -> Floats:
    out = np.empty(count, dtype=np.float32)
    for n in range(count):
        part = samples[n * step : n * step + taps.shape[0]]
        total = np.float32(0.0)
        for at in range(taps.shape[0]):
            total += part[at] * taps[at]
        out[n] = total
    return out
