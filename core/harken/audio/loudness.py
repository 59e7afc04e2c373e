"""Loudness as EBU R128 measures it, and plain levels, at the recording's own rate and channels."""

from math import log10

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Doubles, SoundBlock
from harken.audio.gating import Gating
from harken.audio.levels import levels
from harken.audio.result import Loudness
from harken.audio.true_peak import TruePeakMeter


class LoudnessMeter(Analysis):
    """Sums as the samples pass; the gates come last.

    Levels are unset in silence; below 8 kHz only peaks and RMS are given.
    """

    hears = Hears.SOUND | Hears.ENERGIES

    def __init__(self) -> None:
        self._squares = 0.0
        self._count = 0
        self._peak = 0.0
        self._true_peak: TruePeakMeter | None = None
        self._gating = Gating()

    def on_sound(self, block: SoundBlock) -> None:
        """Take in the next samples."""
        samples = block.samples
        if self._true_peak is None:
            self._true_peak = TruePeakMeter(block.sample_rate, len(block.channels))
        squares, peak = levels(samples)
        self._squares += squares
        self._peak = max(self._peak, peak)
        self._count += samples.size
        self._true_peak.add(samples)

    def on_energies(self, energies: Doubles) -> None:
        """Take in the next energies."""
        self._gating.add(energies)

    def finish(self) -> Loudness:
        """The group."""
        self._gating.end()
        true_peak = self._true_peak.finish() if self._true_peak else 0.0
        return Loudness(
            integrated_lufs=self._gating.integrated_lufs(),
            range_lu=self._gating.range_lu(),
            momentary_max_lufs=self._gating.momentary_max_lufs(),
            short_term_max_lufs=self._gating.short_term_max_lufs(),
            # The interpolator's ripple must not put the wave below its own samples.
            true_peak_dbtp=decibels(max(true_peak, self._peak)),
            sample_peak_dbfs=decibels(self._peak),
            rms_dbfs=decibels((self._squares / max(self._count, 1)) ** 0.5),
        )


def decibels(amplitude: float) -> float | None:
    """20 log10 of an amplitude; None for silence."""
    return 20.0 * log10(amplitude) if amplitude > 0.0 else None
