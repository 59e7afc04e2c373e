"""Comparing the waveforms of two short recordings, sign by sign, where they fit best.

How the signs are made: `harken.audio.waveform_signs`. They are compared at every sample at once, by a transform, so it
does not matter where a file was cut. Signs of neighbouring samples are not drawn apart, of a tone hardly at all: how
many independent ones there are comes from both recordings' own autocorrelation (Bartlett 1946). Two tones of the same
pitch so have few, and prove nothing, however well they fit.
"""

import struct
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

HEADER: Final = struct.Struct("<HI")
RATE: Final = 22_050
BLOCK: Final = 64  # samples that are heard or not
LEAST_OVERLAP: Final = 0.5  # of the heard samples of the one with fewer
# Spreads of signs drawn by lot. They are compared at up to 65,536 places: by chance one of those fits by 6 once in
# 10,000 pairs, by 7 once in ten millions.
SURENESS: Final = 7.0
FEWEST: Final = 256  # samples, 12 ms
PARTS: Final = 4  # of what overlaps, each of which has to fit
MOST_PART_ERRORS: Final = 0.45
MOST_ERRORS: Final = 0.33  # of a part that fits
LEAST_PART: Final = 0.75  # of a part, to overlap where it fits
BETTER: Final = 0.1  # of its signs: where so many more agree is where a part belongs


@dataclass(frozen=True, kw_only=True)
class WaveformSigns:
    """The signs of a recording's beginning, 1 and -1, and 0 where nothing is heard."""

    start: int  # of the recording's samples: that of the first sign
    signs: Any

    @cached_property
    def spectra(self) -> dict[int, tuple[Any, Any]]:
        """Of the signs, and of where there are any, by the transform's length."""
        return {}

    def spectrum(self, size: int) -> tuple[Any, Any]:
        """Both, for a length that is asked for again with the next recording."""
        import numpy as np

        if size not in self.spectra:
            self.spectra[size] = np.fft.rfft(self.signs, size), np.fft.rfft(abs(self.signs), size)
        return self.spectra[size]


@dataclass(frozen=True, kw_only=True)
class WaveformMatch:
    """How two waveforms fit: the other recording begins `offset_s` later."""

    offset_s: float
    bit_error_rate: float
    independent: float  # signs
    worst_part_error: float


def waveform_signs_of(packed: bytes) -> WaveformSigns | None:
    """The signs in bytes; None where there are none."""
    import numpy as np

    if len(packed) < HEADER.size:
        return None
    count, start = HEADER.unpack_from(packed)
    blocks = -(-count // BLOCK)
    bits = np.frombuffer(packed, np.uint8, offset=HEADER.size)
    marks = -(-blocks // 8)
    heard = np.repeat(np.unpackbits(bits[:marks], count=blocks), BLOCK)[:count]
    positive = np.unpackbits(bits[marks:], count=count)
    signs = np.where(heard, 2.0 * positive - 1.0, 0.0).astype(np.float32)
    return WaveformSigns(start=start, signs=signs)


def match_waveforms(one: WaveformSigns, other: WaveformSigns) -> WaveformMatch | None:
    """How two waveforms fit best; None where too little of them overlaps."""
    import numpy as np

    a, b = one.signs, other.signs
    size = _size(a, b)
    (mine, my_heard), (theirs, their_heard) = one.spectrum(size), other.spectrum(size)
    whole = np.fft.irfft(mine * theirs.conj(), size)  # those that agree less those that differ
    between = np.fft.irfft(mine * _half_a_sample_later(theirs).conj(), size)
    agree = np.maximum(whole, between)
    both = np.round(np.fft.irfft(my_heard * their_heard.conj(), size))
    heard = min(np.count_nonzero(a), np.count_nonzero(b))
    enough = both >= max(FEWEST, LEAST_OVERLAP * heard)
    if not enough.any():
        return None
    # In spreads of chance: where little overlaps, more has to agree.
    best = int(np.where(enough, agree / np.sqrt(np.maximum(both, 1)), -np.inf).argmax())
    shift = best if best < a.shape[0] else best - size
    heard_both = _products(abs(a), abs(b), shift) != 0
    if between[best] > whole[best]:
        b = np.fft.irfft(_half_a_sample_later(theirs), size)[: b.shape[0]]
    products = _products(a, b, shift)[heard_both]
    parts = np.array_split(products, PARTS)
    return WaveformMatch(
        offset_s=(other.start - one.start - shift) / RATE,
        bit_error_rate=_error(products),
        independent=products.shape[0] / _dependence(mine, theirs, a, other.signs),
        worst_part_error=max(_error(part) for part in parts),
    )


def places_disagree(one: WaveformSigns, other: WaveformSigns, offset_s: float, within: int) -> bool:
    """Whether parts of the other one surely fit the first, but at no place together, so many samples around an offset.

    As the hits of a loop at another tempo do, or the words of a sentence that was cut together otherwise. A hit that
    comes again fits at several places, so it is asked for one that is good enough for all. A part that was cut off the
    first one says nothing.
    """
    import numpy as np

    a, b = one.signs, other.signs
    size = _size(a, b)
    mine, my_heard = one.spectrum(size)
    heard = np.cumsum(b != 0)
    edges = np.searchsorted(heard, np.arange(PARTS + 1) * heard[-1] / PARTS)
    place = other.start - one.start - round(offset_s * RATE)
    places = np.arange(place - within, place + within + 1)
    worst = np.zeros(places.shape[0])  # of the parts, at each place: how much better another is
    for start, end in pairwise(edges):
        part = np.zeros_like(b)
        part[start:end] = b[start:end]
        theirs = np.fft.rfft(part, size)
        agree = np.maximum(
            np.fft.irfft(mine * theirs.conj(), size),
            np.fft.irfft(mine * _half_a_sample_later(theirs).conj(), size),
        )
        both = np.round(np.fft.irfft(my_heard * np.fft.rfft(abs(part), size).conj(), size))
        errors = (1 - agree / np.maximum(both, 1)) / 2
        enough = both >= max(FEWEST, LEAST_PART * np.count_nonzero(part))
        best = int(np.where(enough, errors, 1.0).argmin())
        if not enough[best] or errors[best] > MOST_ERRORS:
            continue
        independent = both[best] / _dependence(mine, theirs, a, part)
        if 2 * (0.5 - errors[best]) * independent**0.5 < SURENESS:
            continue
        inside = (places + start >= 0) & (places + end <= a.shape[0])
        tells = inside & (both[places % size] >= FEWEST)
        better = np.where(tells, errors[places % size] - errors[best], 0.0)
        worst = np.maximum(worst, better)
    return bool(worst.min() > BETTER)


def _size(a: Any, b: Any) -> int:
    return 1 << int(a.shape[0] + b.shape[0] - 1).bit_length()


def _half_a_sample_later(spectrum: Any) -> Any:
    """What was cut between two samples of 22,050 a second lies there: at 10 kHz that is half a wave."""
    import numpy as np

    bins = np.arange(spectrum.shape[0], dtype=np.float32)
    return spectrum * np.exp(-0.5j * np.pi * bins / (spectrum.shape[0] - 1)).astype(np.complex64)


def _products(a: Any, b: Any, shift: int) -> Any:
    mine, theirs = a[max(shift, 0) :], b[max(-shift, 0) :]
    count = min(mine.shape[0], theirs.shape[0])
    return mine[:count] * theirs[:count]


def _error(products: Any) -> float:
    return float(1 - products.mean()) / 2


def _dependence(mine: Any, theirs: Any, a: Any, b: Any) -> float:
    """How many signs are as good as one: the sum over all lags of both autocorrelations' product (by Parseval)."""
    import numpy as np

    power = np.abs(mine) ** 2 * np.abs(theirs) ** 2
    power[1:-1] *= 2  # the negative frequencies
    size = 2 * (power.shape[0] - 1)
    return max(1.0, float(power.sum()) / size / float((a @ a) * (b @ b)))
