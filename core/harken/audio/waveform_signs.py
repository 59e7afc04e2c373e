"""What a short recording is known by to the sample: the signs of its flattened waveform.

The fingerprint's words are summed over a quarter of a second: of a hit there are six, and a cut attack changes them
all. Its waveform has thousands of independent signs, which codecs, gain and clipping mostly keep, and another take of
the same drum, however like it sounds, has others. Knapp and Carter (1976): flattened to one level over all
frequencies, two signals tell best where, and whether, they are the same; a sign alone keeps most of that (Van Vleck and
Middleton 1966), and each moment counts the same, the ring as much as the attack.

Kept of recordings up to 6 s, where words are few, for the second and a half after the beginning: the number of
samples and that of the first one; a bit for each 64 of them, whether they are heard; a sign for each.
"""

import struct
from functools import cache
from math import ceil, floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import SAMPLE_RATE, Doubles, Floats
from harken.audio.excerpts import AUDIBLE, LEAST_PEAK, Excerpt
from harken.audio.padding import with_zeros

HEADER: Final = struct.Struct("<HI")
LONGEST_S: Final = 6.0  # of a recording; the words of longer ones suffice
KEPT: Final = 32_768  # samples, a second and a half
FEWEST: Final = 128  # samples, 6 ms: what is shorter has nothing to be flattened
BLOCK: Final = 64  # samples that are heard or not, 3 ms
HEARD: Final = 1e-5  # of the loudest block, -50 dB: what lies lower the codecs make themselves
LOWEST_HZ: Final = 150.0  # below lies the hum that all recordings of a room share
HIGHEST_HZ: Final = 10_500.0
SMOOTH: Final = 2.0 ** (1 / 6)  # a third of an octave, over which the spectrum is levelled
FLOOR: Final = (
    1e-5  # of the strongest third of an octave: what lies lower is not lifted to the rest
)
AROUND: Final = 4_096  # samples of silence after the sound: its end does not run into its beginning


def waveform_signs(excerpt: Excerpt, duration_s: float) -> bytes:
    """The signs of a short recording; nothing of a long one, of silence or of a click."""
    if duration_s > LONGEST_S or not excerpt.whole:
        return b""
    sound = excerpt.stretches[0]
    level = np.abs(sound)
    peak = level.max(initial=0.0)
    if peak <= LEAST_PEAK:
        return b""
    start = int((level > AUDIBLE * peak).argmax())
    sound = sound[start : start + KEPT]
    if sound.shape[0] < FEWEST:
        return b""
    flat = flattened(sound)
    signs, heard = np.packbits(flat > 0), np.packbits(heard_blocks(flat))
    return HEADER.pack(flat.shape[0], start) + heard.tobytes() + signs.tobytes()


def flattened(sound: Floats) -> Floats:
    """The sound with each third of an octave as strong as the others."""
    size = 1 << (sound.shape[0] + AROUND - 1).bit_length()
    spectrum = np.fft.rfft(sound, size)
    power = spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
    first, end = neighbours(size)
    total = np.concatenate([[0.0], np.cumsum(power)])
    around: Doubles = (total[end] - total[first]) / (end - first)
    kept = inside(size)
    level = around[kept]
    gain = np.zeros(power.shape[0], dtype=np.float32)
    gain[kept] = 1 / np.sqrt(level + FLOOR * level.max() + np.finfo(np.float32).tiny)
    flat = np.fft.irfft(spectrum * gain, size)[: sound.shape[0]]
    return flat.astype(np.float32, copy=False)


def heard_blocks(flat: Floats) -> NDArray[np.bool_]:
    """Which blocks of samples are not silence."""
    padded = with_zeros(flat, 0, -flat.shape[0] % BLOCK)
    energy = (padded.reshape(-1, BLOCK) ** 2).sum(axis=1)
    # Over three of them: a single one may lie between two waves.
    around = np.convolve(energy, np.ones(3), "same")
    return around > HEARD * around.max()


def inside(size: int) -> slice:
    """The bins between the lowest and the highest frequency, neither of them included."""
    bin_hz = SAMPLE_RATE / size
    return slice(floor(LOWEST_HZ / bin_hz) + 1, ceil(HIGHEST_HZ / bin_hz))


@cache
def neighbours(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first bin of the third of an octave around each bin, and the one after its last."""
    bins = np.arange(size // 2 + 1)
    first = np.floor(bins / SMOOTH).astype(np.intp)
    end = np.minimum(np.ceil(bins * SMOOTH).astype(np.intp) + 2, bins.shape[0])
    return first, end
