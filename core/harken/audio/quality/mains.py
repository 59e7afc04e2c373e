"""Mains hum: lines at 50 or 60 Hz and their multiples that never cease.

The bottom of the spectrum is looked at in frames of 2 s (bins of half a hertz). Hum shows in the
quietest of them as lines that stand over their neighbourhood, within the mains' own tolerance, and at
no time is softer than there. A note ceases, or lies elsewhere: G1 is at 49.0, A#1 at 58.3, B1 at 61.7 Hz.
"""

from math import log2, log10
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Doubles, Floats
from harken.audio.quality.decimation import Decimation
from harken.audio.quality.result import Hum

FRAME_S: Final = 2.0
FRAMES_A_FRAME: Final = 2  # frames overlap by half
BASES_HZ: Final = (50.0, 60.0)
HARMONICS: Final = 6
TOLERANCE_HZ: Final = 0.25  # of the base; the mains of large grids stay within 0.2
APART_HZ: Final = 0.1  # by which the bases that two harmonics tell of may differ
LEAST_LINES: Final = 3  # of the harmonics: one or two may be anything
LEAST_FRAMES: Final = 5  # 6 s; in less nothing can be told to be steady
MOST_FRAMES: Final = 2_048  # kept; of longer recordings every second, fourth … is
QUIET_SHARE: Final = 0.2  # of the frames
PROMINENCE_DB: Final = 10.0
SPREAD_DB: Final = (
    6.0  # by which a line may vary in the quiet frames, and fall below them in others
)
LOUDEST_DBFS: Final = -20.0  # a louder line is meant to be heard
SOFTEST_DBFS: Final = -100.0  # below it is the rounding of 16 bits
_NOTHING: Final = 1e-20


class Mains:
    """Keeps the powers of the lines and of what surrounds them, a row a frame."""

    def __init__(self, sample_rate: int) -> None:
        self._decimation = Decimation(sample_rate)
        rate = self._decimation.rate
        # A power of two, for the transform's sake.
        self._frame = 1 << max(round(log2(FRAME_S * rate)), 3)
        self._hop = self._frame // FRAMES_A_FRAME
        self._window = np.hanning(self._frame + 1)[:-1].astype(np.float32)
        self._bin_hz = rate / self._frame
        hertz = np.array([base * k for base in BASES_HZ for k in range(1, HARMONICS + 1)])
        self._lines = hertz / self._bin_hz
        self._whole = hertz.max() + 10.0 < 0.4 * rate
        low = np.rint(self._lines).astype(np.intp)[:, None] - 2
        self._near = low + np.arange(5)
        self._around = low + np.concatenate((np.arange(-8, -1), np.arange(6, 13)))
        self._rows = np.zeros((MOST_FRAMES, 3, len(BASES_HZ) * HARMONICS))
        self._count, self._stride, self._number = 0, 1, 0
        self._held: Floats = np.zeros(0, dtype=np.float32)

    def add(self, mono: Floats) -> None:
        """Take in consecutive samples."""
        if not self._whole:
            return
        held = np.concatenate((self._held, self._decimation.add(mono)))
        start = 0
        while held.shape[0] - start >= self._frame:
            if self._number % self._stride == 0:
                self._look(held[start : start + self._frame])
            self._number += 1
            start += self._hop
        self._held = held[start:]

    def _look(self, frame: Floats) -> None:
        # Of a sine of amplitude a, the largest bin is a²/2: its power.
        spectrum: NDArray[np.complex64] = np.asarray(
            np.fft.rfft(frame * self._window), dtype=np.complex64
        )
        power = (spectrum.real**2 + spectrum.imag**2) * np.float32(8.0 / self._frame**2)
        row = self._rows[self._count]
        at = self._near[:, 0] + power[self._near].argmax(axis=1)
        row[0] = power[at]
        row[1] = np.sort(power[self._around], axis=1)[:, self._around.shape[1] // 2]
        row[2] = (at + _between(power, at) - self._lines) * self._bin_hz
        self._count += 1
        if self._count == MOST_FRAMES:
            self._count //= 2
            self._rows[: self._count] = self._rows[::2]
            self._stride *= 2

    def finish(self) -> Hum:
        """The hum, of the base that has more to show for it."""
        rows = self._rows[: self._count]
        sounding = rows[rows[:, 1].max(axis=1) > _NOTHING]
        if sounding.shape[0] < LEAST_FRAMES:
            return Hum()
        found = [
            hum
            for base, place in zip(BASES_HZ, (0, HARMONICS), strict=True)
            if (hum := _hum(sounding[:, :, place : place + HARMONICS], base)) is not None
        ]
        return max(found, key=lambda hum: hum.level_dbfs or -np.inf, default=Hum())


def _between(power: Floats, at: NDArray[np.intp]) -> Doubles:
    """By how much lines lie beside the bins that are largest: a parabola through logarithms."""
    left, mid, right = np.log(np.maximum(power[[at - 1, at, at + 1]], 1e-30).astype(np.float64))
    bend = np.minimum(left - 2 * mid + right, -1e-9)
    return np.clip(0.5 * (left - right) / bend, -0.5, 0.5)


def _hum(rows: Doubles, base: float) -> Hum | None:
    lines: list[tuple[float, float, float]] = []
    for place in range(HARMONICS):
        line, around, off = rows[:, 0, place], rows[:, 1, place], rows[:, 2, place]
        quiet = np.argsort(around, kind="stable")[: max(int(QUIET_SHARE * len(around)), 3)]
        low, level, high = np.percentile(line[quiet], (10, 50, 90))
        prominence = _db(level / max(float(np.median(around[quiet])), _NOTHING))
        steady = _db(high / max(low, _NOTHING)) <= SPREAD_DB
        ceases = np.percentile(line, 5) < level * 10.0 ** (-SPREAD_DB / 10.0)
        off_hz = float(np.median(off[quiet])) / (place + 1)
        within = abs(off_hz) <= TOLERANCE_HZ
        audible = SOFTEST_DBFS <= _db(level) <= LOUDEST_DBFS
        if prominence >= PROMINENCE_DB and steady and not ceases and within and audible:
            lines.append((level, prominence, off_hz))
    if not lines:
        return None
    strongest = max(lines)
    lines = [line for line in lines if abs(line[2] - strongest[2]) <= APART_HZ]
    if len(lines) < LEAST_LINES:
        return None
    level = sum(line[0] for line in lines)
    return Hum(
        base_hz=base + strongest[2],
        level_dbfs=_db(level),
        prominence_db=strongest[1],
        harmonics=len(lines),
    )


def _db(ratio: float) -> float:
    return 10.0 * log10(max(ratio, _NOTHING))
