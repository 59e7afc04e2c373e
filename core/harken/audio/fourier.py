"""The spectra of frames of 2048 or 512 samples under a Hann window, every quarter of a frame, 16 at a time.

The same point of 16 frames lies side by side in memory, so that each line of the loops below works
on all of them by two to four instructions, and nothing is ever rearranged within a frame. That is
faster in float64 than pocketfft is in float32, and leaves the spectrum with its frames last.

Precision is needed: where a tone stands over near silence, which is most music and speech, float32
shows its own rounding. The contrast of a vibraphone would be 3 % off.

    signal ─ turned so that hops lie side by side
        first round    window; sums and differences of 4 of the 1024 points that pairs of samples
                       make, or of 256
        more rounds    the same in each quarter, until each point is alone
        bins           the 1025 bins of 2048 real samples from the 1024 of the pairs

Gentleman, Sande (1966), "Fast Fourier transforms for fun and profit" (decimation in frequency, here
with radix 4); the last step as in Sorensen et al. (1987), "Real-valued fast Fourier transform
algorithms".
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Doubles, Floats
from harken.audio.kernel import kernel

LANES: Final = 16  # frames at a time: the 64 kB of a quarter's points stay in the cache
ROW: Final = 2 * LANES  # a point of all lanes: their real parts, then their imaginary parts
OVERLAP: Final = 3  # hops that a frame shares with the ones after it
LINE: Final = 16  # floats in a line of the cache, turned together


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What all frames of one size have in common."""

    window: Doubles  # (size,)
    half_turns: Doubles  # cosine and minus sine of the first size / 4 + 1 steps, of `size` around
    places: NDArray[np.intp]  # where the rounds leave each bin, (size / 2,)


@cache
def tables(size: int) -> Tables:
    """The tables for frames of `size` samples."""
    points = size // 2
    return Tables(
        window=hann(size),
        half_turns=_turns(points // 2 + 1, size),
        places=_places(points),
    )


def hann(size: int) -> Doubles:
    """The window: periodic, not symmetric, which librosa and every STFT with overlapping frames uses."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


def _turns(count: int, steps: int) -> Doubles:
    """Cosine and minus sine of the first `count` of `steps` steps around, shape (2, count)."""
    angles = 2 * np.pi * np.arange(count) / steps
    return np.stack([np.cos(angles), -np.sin(angles)])


TURNS: Final = _turns(1024, 1024)


def _places(points: int) -> NDArray[np.intp]:
    """Where the rounds leave bin k: at k's digits to the base of 4, read backwards."""
    bins = np.arange(points)
    places = np.zeros(points, dtype=np.intp)
    for at in range(points.bit_length() // 2):
        places = 4 * places + (bins >> 2 * at) % 4
    return places * ROW


class Transform:
    """Of up to `most_frames` frames of `size` samples at once; it keeps the memory it works in.

    size: 2048 or 512. most_frames: a multiple of 16.
    """

    def __init__(self, size: int, most_frames: int) -> None:
        self._hop = size // (OVERLAP + 1)
        self._bins = size // 2 + 1
        self._tables = tables(size)
        self._hops = np.zeros((self._hop, most_frames + OVERLAP))
        self._points = np.zeros(size // 2 * ROW)

    def spectra(self, signal: Floats) -> tuple[Floats, Floats]:
        """Magnitude and power of the frames that begin every hop, (1 + size / 2, frames) each."""
        count = signal.shape[0] // self._hop - OVERLAP
        magnitude = np.empty((self._bins, count), dtype=np.float32)
        power = np.empty_like(magnitude)
        _transform(
            *(signal, self._hops, self._tables.window, self._points),
            *(TURNS, self._tables.half_turns, self._tables.places, magnitude, power),
        )
        return magnitude, power


@kernel
def _butterfly(
    x0: float, y0: float, x1: float, y1: float, x2: float, y2: float, x3: float, y3: float
) -> tuple[float, float, float, float, float, float, float, float]:
    """The transform of the four points x + iy."""
    even_x, even_y, odd_x, odd_y = x0 + x2, y0 + y2, x1 + x3, y1 + y3
    away_x, away_y, turned_x, turned_y = x0 - x2, y0 - y2, y1 - y3, x3 - x1
    return (
        even_x + odd_x,
        even_y + odd_y,
        away_x + turned_x,
        away_y + turned_y,
        even_x - odd_x,
        even_y - odd_y,
        away_x - turned_x,
        away_y - turned_y,
    )


@kernel
def _turn(signal: Floats, hops: Doubles) -> None:
    """Write hop h of the signal to column h of `hops`, (samples of a hop, hops or more)."""
    length = hops.shape[0]
    for first in range(0, length, LINE):
        for hop in range(signal.shape[0] // length):
            part = signal[hop * length + first : hop * length + first + LINE]
            for at in range(LINE):
                hops[first + at, hop] = part[at]


def _first_round(hop: int) -> Callable[[Doubles, int, Doubles, Doubles, Doubles], None]:
    """The first round for frames of four hops of `hop` samples, as a kernel."""
    apart = hop // 2 * ROW  # from a point of one quarter to its like in the next
    step = 512 // hop

    @kernel
    def first_round(
        hops: Doubles, start: int, window: Doubles, turns: Doubles, points: Doubles
    ) -> None:
        """Window the frames that begin with the first 16 columns of `hops`, and do the first round.

        With hops of n samples, point m + n/2·q of frame t is the pair of samples 2m and 2m + 1 of hop t + q.
        """
        for m in range(hop // 2):
            evens, odds = hops[2 * m, start:], hops[2 * m + 1, start:]
            of_evens, of_odds = window[2 * m :], window[2 * m + 1 :]
            e0, e1, e2, e3 = of_evens[0], of_evens[hop], of_evens[2 * hop], of_evens[3 * hop]
            o0, o1, o2, o3 = of_odds[0], of_odds[hop], of_odds[2 * hop], of_odds[3 * hop]
            c1, s1 = turns[0, m * step], turns[1, m * step]
            c2, s2 = turns[0, 2 * m * step], turns[1, 2 * m * step]
            c3, s3 = turns[0, 3 * m * step], turns[1, 3 * m * step]
            to = points[m * ROW :]
            for lane in range(LANES):
                x0, y0, x1, y1, x2, y2, x3, y3 = _butterfly(
                    e0 * evens[lane],
                    o0 * odds[lane],
                    e1 * evens[lane + 1],
                    o1 * odds[lane + 1],
                    e2 * evens[lane + 2],
                    o2 * odds[lane + 2],
                    e3 * evens[lane + 3],
                    o3 * odds[lane + 3],
                )
                to[lane] = x0
                to[LANES + lane] = y0
                to[apart + lane] = x1 * c1 - y1 * s1
                to[apart + LANES + lane] = x1 * s1 + y1 * c1
                to[2 * apart + lane] = x2 * c2 - y2 * s2
                to[2 * apart + LANES + lane] = x2 * s2 + y2 * c2
                to[3 * apart + lane] = x3 * c3 - y3 * s3
                to[3 * apart + LANES + lane] = x3 * s3 + y3 * c3

    return first_round


def _round(quarter: int) -> Callable[[Doubles, Doubles], None]:
    """The round that transforms in `points` every group of 4 · `quarter`, as a kernel."""
    apart = quarter * ROW
    step = 256 // quarter

    @kernel
    def butterflies(points: Doubles, turns: Doubles) -> None:
        for group in range(0, points.shape[0], 4 * apart):
            for m in range(quarter):
                at = points[group + m * ROW :]
                c1, s1 = turns[0, m * step], turns[1, m * step]
                c2, s2 = turns[0, 2 * m * step], turns[1, 2 * m * step]
                c3, s3 = turns[0, 3 * m * step], turns[1, 3 * m * step]
                for lane in range(LANES):
                    x0, y0, x1, y1, x2, y2, x3, y3 = _butterfly(
                        at[lane],
                        at[LANES + lane],
                        at[apart + lane],
                        at[apart + LANES + lane],
                        at[2 * apart + lane],
                        at[2 * apart + LANES + lane],
                        at[3 * apart + lane],
                        at[3 * apart + LANES + lane],
                    )
                    at[lane] = x0
                    at[LANES + lane] = y0
                    at[apart + lane] = x1 * c1 - y1 * s1
                    at[apart + LANES + lane] = x1 * s1 + y1 * c1
                    at[2 * apart + lane] = x2 * c2 - y2 * s2
                    at[2 * apart + LANES + lane] = x2 * s2 + y2 * c2
                    at[3 * apart + lane] = x3 * c3 - y3 * s3
                    at[3 * apart + LANES + lane] = x3 * s3 + y3 * c3

    return butterflies


_first_of_512, _first_of_128 = _first_round(512), _first_round(128)
_round_of_64, _round_of_16, _round_of_4, _round_of_1 = (_round(4**at) for at in (3, 2, 1, 0))


@kernel
def _bins(
    points: Doubles,
    places: NDArray[np.intp],
    turns: Doubles,
    magnitude: Floats,
    power: Floats,
    start: int,
) -> None:
    """Write the bins of the samples to columns `start` and after, (1 + points, frames) each.

    Of the pairs' transform Z of n points, bins k and n - k of the samples are E ± O turned by k half steps;
    E and O, the even and the odd samples' own, are sum and difference of Z[k] and Z*[-k].
    """
    count = places.shape[0]
    for k in range(count // 2 + 1):
        here, there = places[k], places[(count - k) % count]
        z, mirrored = points[here : here + ROW], points[there : there + ROW]
        c, s = 0.5 * turns[0, k], 0.5 * turns[1, k]
        low, high = power[k, start : start + LANES], power[count - k, start : start + LANES]
        for lane in range(low.shape[0]):
            even_x = 0.5 * (z[lane] + mirrored[lane])
            even_y = 0.5 * (z[LANES + lane] - mirrored[LANES + lane])
            odd_x, odd_y = z[LANES + lane] + mirrored[LANES + lane], mirrored[lane] - z[lane]
            turned_x, turned_y = odd_x * c - odd_y * s, odd_x * s + odd_y * c
            low[lane] = (even_x + turned_x) ** 2 + (even_y + turned_y) ** 2
            high[lane] = (even_x - turned_x) ** 2 + (even_y - turned_y) ** 2
        low_root, high_root = magnitude[k, start:], magnitude[count - k, start:]
        for lane in range(low.shape[0]):
            low_root[lane] = np.sqrt(low[lane])
            high_root[lane] = np.sqrt(high[lane])


@kernel
def _transform(
    signal: Floats,
    hops: Doubles,
    window: Doubles,
    points: Doubles,
    turns: Doubles,
    half_turns: Doubles,
    places: NDArray[np.intp],
    magnitude: Floats,
    power: Floats,
) -> None:
    _turn(signal, hops)
    quarter = points.shape[0] // 4
    for start in range(0, power.shape[1], LANES):
        if hops.shape[0] == 512:
            _first_of_512(hops, start, window, turns, points)
        else:
            _first_of_128(hops, start, window, turns, points)
        for at in range(0, points.shape[0], quarter):
            part = points[at : at + quarter]
            if quarter == 4 * 64 * ROW:
                _round_of_64(part, turns)
            _round_of_16(part, turns)
            _round_of_4(part, turns)
            _round_of_1(part, turns)
        _bins(points, places, half_turns, magnitude, power, start)
