"""Loudness as EBU R128 measures it, and plain levels, at the recording's own rate and channels."""

from math import log10
from typing import Final

import numpy as np
import scipy.signal

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Doubles, SoundBlock
from harken.audio.gating import STEPS_A_SECOND, loudness_figures
from harken.audio.k_weighting import channel_weights, k_weighting
from harken.audio.result import Loudness
from harken.audio.true_peak import TruePeakMeter

LEAST_RATE: Final = 8_000  # Hz; K-weighting's shelf has no meaning below


class LoudnessMeter(Analysis):
    """Filters and sums as the samples pass; the gates come last.

    Levels are unset in silence; below 8 kHz only peaks and RMS are given.
    """

    hears = Hears.SOUND

    def __init__(self) -> None:
        self._squares = 0.0
        self._count = 0
        self._peak = 0.0
        self._true_peak: TruePeakMeter | None = None
        self._energies: EnergyMeter | None = None

    def on_sound(self, block: SoundBlock) -> None:
        """Take in the next samples."""
        if self._true_peak is None:
            self._true_peak = TruePeakMeter(block.sample_rate, len(block.channels))
            if block.sample_rate >= LEAST_RATE:
                self._energies = EnergyMeter(block.sample_rate, channel_weights(block.channels))
        exact = block.samples.astype(np.float64)
        self._squares += float(np.vdot(exact, exact))
        self._count += exact.size
        self._peak = max(self._peak, float(np.abs(block.samples).max(initial=0.0)))
        self._true_peak.add(block.samples)
        if self._energies is not None:
            self._energies.add(exact)

    def finish(self) -> Loudness:
        """The group."""
        true_peak = self._true_peak.finish() if self._true_peak else 0.0
        energies = self._energies.energies() if self._energies else np.zeros(0)
        figures = loudness_figures(energies)
        return Loudness(
            integrated_lufs=figures.integrated_lufs,
            range_lu=figures.range_lu,
            momentary_max_lufs=figures.momentary_max_lufs,
            short_term_max_lufs=figures.short_term_max_lufs,
            true_peak_dbtp=decibels(true_peak),
            sample_peak_dbfs=decibels(self._peak),
            rms_dbfs=decibels((self._squares / max(self._count, 1)) ** 0.5),
        )


class EnergyMeter:
    """K-weighted energy, summed over the weighted channels, every 10 ms."""

    def __init__(self, sample_rate: int, weights: Doubles) -> None:
        self._rate = sample_rate
        self._sections = k_weighting(sample_rate)
        self._audible = np.flatnonzero(weights)
        self._weights = weights[self._audible]
        self._state = np.zeros((2, self._audible.shape[0], 2))
        self._held: Doubles = np.zeros(0)
        self._seen = 0  # samples before `_held`
        self._parts: list[Doubles] = []
        self._steps = 0

    def add(self, samples: Doubles) -> None:
        """Take in the next samples, shape (channels, n)."""
        filtered, self._state = scipy.signal.sosfilt(
            self._sections, samples[self._audible], axis=1, zi=self._state
        )
        self._held = np.concatenate([self._held, self._weights @ filtered**2])
        ends = self._seen + self._held.shape[0]
        # Steps end on the sample nearest below a multiple of 10 ms, so no rate drifts.
        complete = ends * STEPS_A_SECOND // self._rate - self._steps
        if complete < 1:
            return
        steps = np.arange(self._steps, self._steps + complete + 1)
        edges = -(-steps * self._rate // STEPS_A_SECOND) - self._seen
        sums = np.add.reduceat(self._held[: edges[-1]], edges[:-1])
        self._parts.append(sums / np.diff(edges))
        self._steps += complete
        self._held = self._held[edges[-1] :]
        self._seen += int(edges[-1])

    def energies(self) -> Doubles:
        """One mean square every 10 ms of sound; a last part of a step is dropped."""
        return np.concatenate([np.zeros(0), *self._parts])


def decibels(amplitude: float) -> float | None:
    """20 log10 of an amplitude; None for silence."""
    return 20.0 * log10(amplitude) if amplitude > 0.0 else None
