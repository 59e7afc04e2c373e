"""The K-weighted energies of a recording, which loudness and its picture share."""

from typing import Final

from harken.audio.blocks import Doubles, SoundBlock
from harken.audio.energies import EnergyMeter
from harken.audio.k_weighting import channel_weights

LEAST_RATE: Final = 8_000  # Hz; K-weighting's shelf has no meaning below


class EnergyStream:
    """Makes them from blocks of any rate and channels, the same in each."""

    def __init__(self) -> None:
        self._meter: EnergyMeter | None = None

    def push(self, block: SoundBlock) -> Doubles | None:
        """Those of the steps of 10 ms that the block completes; None for a rate below 8 kHz."""
        if block.sample_rate < LEAST_RATE:
            return None
        if self._meter is None:
            self._meter = EnergyMeter(block.sample_rate, channel_weights(block.channels))
        return self._meter.add(block.samples)
