"""The spectra of frames of 2048 samples under a Hann window, 16 frames at a time.

The same point of 16 frames lies side by side in memory, so that each line of the loops below works
on all of them by two to four instructions, and nothing is ever rearranged within a frame. That is
faster in float64 than pocketfft is in float32, and leaves the spectrum with its frames last.

Precision is needed: where a tone stands over near silence, which is most music and speech, float32
shows its own rounding. The contrast of a vibraphone would be 3 % off.

    signal ─ turned so that hops lie side by side
        first round    window; sums and differences of 4 of the 1024 points that pairs of samples
                       make
        four rounds    the same in each quarter
        bins           the 1025 bins of 2048 real samples from the 1024 of the pairs

Gentleman, Sande (1966), "Fast Fourier transforms for fun and profit" (decimation in frequency, here
with radix 4); the last step as in Sorensen et al. (1987), "Real-valued fast Fourier transform
algorithms".
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import FRAME, HOP, Doubles, Floats
from harken.audio.kernel import kernel

LANES: Final = 16  # frames at a time: the 64 kB of a quarter's points stay in the cache
POINTS: Final = FRAME // 2  # complex: each pair of samples is one
QUARTER: Final = POINTS // 4
ROUNDS: Final = 5  # 4⁵ = 1024
ROW: Final = 2 * LANES  # a point of all lanes: their real parts, then their imaginary parts
APART: Final = QUARTER * ROW  # from a point of one quarter to its like in the next
OVERLAP: Final = FRAME // HOP - 1  # hops that a frame shares with the ones after it
LINE: Final = 16  # floats in a line of the cache, turned together


# Periodic, not symmetric: what librosa and every STFT with overlapping frames uses.
WINDOW: Final[Doubles] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


def _turns(count: int, steps: int) -> Doubles:
    """Cosine and minus sine of the first `count` of `steps` steps around, shape (2, count)."""
    angles = 2 * np.pi * np.arange(count) / steps
    return np.stack([np.cos(angles), -np.sin(angles)])


TURNS: Final = _turns(POINTS, POINTS)
HALF_TURNS: Final = _turns(POINTS // 2 + 1, FRAME)


def _places() -> NDArray[np.intp]:
    """Where the rounds leave bin k: at k's digits to the base of 4, read backwards."""
    bins = np.arange(POINTS)
    places = np.zeros(POINTS, dtype=np.intp)
    for at in range(ROUNDS):
        places = 4 * places + (bins >> 2 * at) % 4
    return places * ROW


PLACES: Final = _places()


class Transform:
    """Of up to `most_frames` frames at once, a multiple of 16; it keeps the memory it works in."""

    def __init__(self, most_frames: int) -> None:
        self._hops = np.zeros((HOP, most_frames + OVERLAP))
        self._points = np.zeros(POINTS * ROW)

    def spectra(self, signal: Floats) -> tuple[Floats, Floats]:
        """Magnitude and power of the frames that begin every 512 samples, (1025, frames) each."""
        count = signal.shape[0] // HOP - OVERLAP
        magnitude = np.empty((POINTS + 1, count), dtype=np.float32)
        power = np.empty_like(magnitude)
        _transform(
            *(signal, self._hops, WINDOW, self._points),
            *(TURNS, HALF_TURNS, PLACES, magnitude, power),
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
    """Write hop h of the signal to column h of `hops`, (512, hops or more)."""
    for first in range(0, HOP, LINE):
        for hop in range(signal.shape[0] // HOP):
            part = signal[hop * HOP + first : hop * HOP + first + LINE]
            for at in range(LINE):
                hops[first + at, hop] = part[at]


@kernel
def _first_round(
    hops: Doubles, start: int, window: Doubles, turns: Doubles, points: Doubles
) -> None:
    """Window the frames that begin with the first 16 columns of `hops`, and do the first round.

    Point m + 256·q of frame t is the pair of samples 2m and 2m + 1 of hop t + q.
    """
    for m in range(QUARTER):
        evens, odds = hops[2 * m, start:], hops[2 * m + 1, start:]
        e0, e1, e2, e3 = (
            window[2 * m],
            window[2 * m + HOP],
            window[2 * m + 2 * HOP],
            window[2 * m + 3 * HOP],
        )
        o0, o1, o2, o3 = (
            window[2 * m + 1],
            window[2 * m + 1 + HOP],
            window[2 * m + 1 + 2 * HOP],
            window[2 * m + 1 + 3 * HOP],
        )
        c1, s1 = turns[0, m], turns[1, m]
        c2, s2 = turns[0, 2 * m], turns[1, 2 * m]
        c3, s3 = turns[0, 3 * m], turns[1, 3 * m]
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
            to[APART + lane] = x1 * c1 - y1 * s1
            to[APART + LANES + lane] = x1 * s1 + y1 * c1
            to[2 * APART + lane] = x2 * c2 - y2 * s2
            to[2 * APART + LANES + lane] = x2 * s2 + y2 * c2
            to[3 * APART + lane] = x3 * c3 - y3 * s3
            to[3 * APART + LANES + lane] = x3 * s3 + y3 * c3


def _round(quarter: int) -> Callable[[Doubles, Doubles], None]:
    """The round that transforms in `points` every group of 4 · `quarter`, as a kernel."""
    apart = quarter * ROW
    step = QUARTER // quarter

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
    """Write the bins of the samples to columns `start` and after, (1025, frames) each.

    Of the pairs' transform Z, bins k and 1024 - k of the samples are E ± O turned by k half steps;
    E and O, the even and the odd samples' own, are sum and difference of Z[k] and Z*[-k].
    """
    for k in range(POINTS // 2 + 1):
        here, there = places[k], places[(POINTS - k) % POINTS]
        z, mirrored = points[here : here + ROW], points[there : there + ROW]
        c, s = 0.5 * turns[0, k], 0.5 * turns[1, k]
        low, high = power[k, start : start + LANES], power[POINTS - k, start : start + LANES]
        for lane in range(low.shape[0]):
            even_x = 0.5 * (z[lane] + mirrored[lane])
            even_y = 0.5 * (z[LANES + lane] - mirrored[LANES + lane])
            odd_x, odd_y = z[LANES + lane] + mirrored[LANES + lane], mirrored[lane] - z[lane]
            turned_x, turned_y = odd_x * c - odd_y * s, odd_x * s + odd_y * c
            low[lane] = (even_x + turned_x) ** 2 + (even_y + turned_y) ** 2
            high[lane] = (even_x - turned_x) ** 2 + (even_y - turned_y) ** 2
        low_root, high_root = magnitude[k, start:], magnitude[POINTS - k, start:]
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
    for start in range(0, power.shape[1], LANES):
        _first_round(hops, start, window, turns, points)
        for quarter in range(4):
            part = points[quarter * APART : (quarter + 1) * APART]
            _round_of_64(part, turns)
            _round_of_16(part, turns)
            _round_of_4(part, turns)
            _round_of_1(part, turns)
        _bins(points, places, half_turns, magnitude, power, start)
