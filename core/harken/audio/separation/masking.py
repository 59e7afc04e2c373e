"""Separation by a mask: which share of each bin of each frame is the first stem's; the second is the rest."""

from abc import ABC, abstractmethod

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel
from harken.audio.separation.separator import DelayLine, Parts, Separator
from harken.audio.separation.short_time import Analyser, Spectra, Synthesiser


class Mask(ABC):
    """Magnitudes of frames in, the share of the first stem in each of their bins out, some frames later."""

    @abstractmethod
    def push(self, magnitudes: Floats) -> Floats:
        """Shares, 0 to 1, (frames, bins), of the frames that these complete."""

    @abstractmethod
    def finish(self) -> Floats:
        """Those of all other frames."""


class MaskedSeparator(Separator):
    """Two stems: what a mask lets through, and the rest.

    The mask is made of the channels' root mean square, so that what is in opposite phase counts as well, and is the
    same for all of them: nothing moves from one speaker to another.
    """

    def __init__(self, mask: Mask, names: tuple[str, str], frame: int, channels: int) -> None:
        self.names = names
        self._mask = mask
        self._analyser = Analyser(frame, channels)
        self._synthesiser = Synthesiser(frame, channels)
        self._whole = DelayLine(channels)
        self._waiting: Spectra = np.zeros((channels, 0, frame // 2 + 1), dtype=np.complex64)

    def push(self, samples: Floats) -> Parts:
        """What the next samples complete."""
        self._whole.push(samples)
        stem = self._synthesiser.push(self._masked(self._analyser.push(samples), last=False))
        return Parts(whole=self._whole.pop(stem.shape[1]), stems=stem[None])

    def finish(self) -> Parts:
        """The rest."""
        stem = self._synthesiser.push(self._masked(self._analyser.finish(), last=True))
        stem = stem[:, : self._whole.length]
        rest = self._synthesiser.finish(self._whole.length - stem.shape[1])
        stem = np.concatenate([stem, rest], axis=1)
        return Parts(whole=self._whole.pop(stem.shape[1]), stems=stem[None])

    def _masked(self, spectra: Spectra, *, last: bool) -> Spectra:
        shares = self._mask.push(_magnitudes(spectra))
        if last:
            shares = np.concatenate([shares, self._mask.finish()])
        spectra = np.concatenate([self._waiting, spectra], axis=1)
        self._waiting = spectra[:, shares.shape[0] :]
        return spectra[:, : shares.shape[0]] * shares


def _magnitudes(spectra: Spectra) -> Floats:
    """The root mean square over the channels, (frames, bins)."""
    magnitudes = np.empty(spectra.shape[1:], dtype=np.float32)
    _root_mean_squares(spectra, magnitudes)
    return magnitudes


@kernel
def _root_mean_squares(spectra: Spectra, magnitudes: Floats) -> None:
    scale = np.float32(1.0 / spectra.shape[0])
    for number in range(magnitudes.shape[0]):
        to = magnitudes[number]
        to[:] = np.float32(0.0)
        for channel in range(spectra.shape[0]):
            bins = spectra[channel, number]
            for at in range(to.shape[0]):
                to[at] += scale * (bins[at].real * bins[at].real + bins[at].imag * bins[at].imag)
        for at in range(to.shape[0]):
            to[at] = np.sqrt(to[at])


def soft_mask(one: Floats, other: Floats) -> Floats:
    """one² / (one² + other²), as Wiener's filter; a half where there is neither."""
    mask = np.empty_like(one)
    _soft_mask(one.reshape(-1), other.reshape(-1), mask.reshape(-1))
    return mask


@kernel
def _soft_mask(one: Floats, other: Floats, mask: Floats) -> None:
    least = np.float32(1e-30)  # far below any sound, far above what a float cannot hold
    for at in range(mask.shape[0]):
        square = one[at] * one[at] + least
        mask[at] = square / (square + other[at] * other[at] + least)
