"""The parts of the fingerprint: what a sound is like, each in plain numbers.

    colour      20 mean cepstral coefficients · 20 their spread · 20 their change
    course      how the main event of up to a second unfolds, in its own time: 6 cosines of 13
                cepstral coefficients and the level
    blow        8 bands in 6 spans after the onset, and the envelope in those spans
    texture     8 spreads · 8 skews · 12 correlations of bands
    modulation  8 rates of 4 bands
    pitch       8 bands' tonality, the pitch and how clear it is

Course: a cepstral-time matrix (Milner, Vaseghi 1995) of the main event, whose clock runs with its
loudness: silence takes no time, so neither tempo nor the cut of the file matters much.
Texture and modulation: what McDermott and Simoncelli (2011) found that people know rain, fire or
applause by.
"""

from functools import cache
from typing import Final

import numpy as np

from harken.audio.blocks import SAMPLE_RATE, Doubles, Floats
from harken.audio.excerpts import Excerpt
from harken.audio.fingerprint_frames import (
    FINE_RATE,
    FLOOR,
    WIDE_BANDS,
    FineFrames,
    decibels,
)
from harken.audio.fourier import hann

EVENT: Final = round(1.0 * FINE_RATE)  # frames; a word, a bark, a hit with its ring
COURSE_CEPSTRA: Final = 13
COURSE_COSINES: Final = 6
COURSE_LEAST: Final = 1e-4  # energy below the event's loudest frame that takes no time
ONSET_SHARE: Final = 0.03  # of the energy (-15 dB) that the loudest frame of the event has
RISE: Final = round(0.25 * FINE_RATE)  # frames before the loudest in which its onset may lie
# Frames after the onset at which the spans begin: 0, 12, 35, 80, 170, 350 to 700 ms.
SPANS: Final = np.round(np.array([0, 0.012, 0.035, 0.08, 0.17, 0.35, 0.7]) * FINE_RATE).astype(int)
MODULATION_FRAMES: Final = 256  # 1.5 s
MODULATION_EDGES_HZ: Final[Doubles] = np.geomspace(0.5, FINE_RATE / 2 + 0.1, 9)
MODULATION_STILL: Final = np.float32(1000.0)  # some 1 dB of slow movement: less hardly counts
LONG_FRAME: Final = 2048  # samples, 93 ms: long enough to resolve harmonics
LONG_HOP: Final = 1024
LONG_FRAMES: Final = 160  # 7 s; of more, every second, third … is enough
AT_ONCE: Final = 32  # of them: a quarter of a megabyte stays in the cache
OCTAVES: Final = np.array([2, 9, 19, 38, 75, 150, 300, 600])  # bins of the long frames
# Of the loudest bin, where tonality is looked for, -60 dB: what lies lower is the rounding of a
# quiet file of 16 bits.
LEAST_POWER: Final = np.float32(1e-6)
PITCH_LAGS: Final = slice(22, 368)  # samples: 60 to 1,000 Hz


def parts(frames: FineFrames, excerpt: Excerpt) -> Floats:
    """All of them in one row; their scale is the transform's affair."""
    event = main_event(frames.energy)
    return np.concatenate(
        [
            colour(frames),
            course(frames, event),
            blow(frames, event),
            texture(frames.wide_db),
            modulation(frames.wide_db),
            pitch(excerpt),
        ]
    ).astype(np.float32)


def colour(frames: FineFrames) -> Floats:
    """Mean, spread and change of the cepstra, loud frames counting more."""
    mean = frames.weight @ frames.cepstra
    spread = np.sqrt(frames.weight @ (frames.cepstra - mean) ** 2)
    if frames.weight.shape[0] == 1:
        return np.concatenate([mean, spread, np.zeros_like(mean)])
    weight = frames.weight[1:]
    change = weight @ np.abs(np.diff(frames.cepstra, axis=0)) / (weight.sum() + 1e-9)
    return np.concatenate([mean, spread, np.log1p(change)])


def main_event(energy: Floats) -> slice:
    """The second with the most loudness, as frames."""
    if energy.shape[0] <= EVENT:
        return slice(0, energy.shape[0])
    total = np.cumsum(loudness(energy), dtype=np.float64)
    start = int((total[EVENT - 1 :] - np.concatenate([[0.0], total[:-EVENT]])).argmax())
    return slice(start, start + EVENT)


def loudness(energy: Floats) -> Floats:
    """About what is heard: the fourth root of the energy."""
    return np.sqrt(np.sqrt(energy))


def course(frames: FineFrames, event: slice) -> Floats:
    """Cosines over the event's own time of its cepstra and its level, their means left out."""
    energy = frames.energy[event] / frames.energy[event].max()
    weight = np.maximum(loudness(energy) - COURSE_LEAST**0.25, 0.0) + 1e-9
    weight /= weight.sum()
    time = np.cumsum(weight) - weight / 2
    waves = np.cos(np.pi * np.arange(1, 1 + COURSE_COSINES)[:, None] * time) * weight
    level = decibels(frames.energy[event, None])
    values = np.concatenate([frames.cepstra[event, :COURSE_CEPSTRA], level], axis=1)
    return (waves @ (values - weight @ values)).ravel()


def blow(frames: FineFrames, event: slice) -> Floats:
    """The bands after the onset of the event's loudest frame, and the envelope there.

    Last come the length that is heard, the time from onset to peak and the length of it all.
    """
    energy = frames.energy
    peak = event.start + int(energy[event].argmax())
    earliest = max(event.start, peak - RISE)
    onset = earliest + int((energy[earliest : peak + 1] >= ONSET_SHARE * energy[peak]).argmax())
    count = energy.shape[0]
    edges = np.minimum(onset + SPANS, count)
    heard = np.concatenate([frames.wide_power, energy[:, None]], axis=1)[onset : edges[-1]]
    sums = np.zeros((SPANS.shape[0] - 1, WIDE_BANDS + 1), dtype=np.float32)
    spans = np.diff(edges)
    inside = spans > 0
    sums[inside] = np.add.reduceat(heard, edges[:-1][inside] - onset, axis=0)
    means = sums / np.maximum(spans, 1)[:, None]
    bands = means[:, :-1]
    lengths = np.array([np.count_nonzero(energy > 1e-3), peak - onset, count]) / FINE_RATE
    return np.concatenate(
        [
            decibels(bands / max(bands.max(), np.float32(FLOOR) ** 2)).ravel(),
            decibels(means[:, -1] / energy[peak]),
            np.log(lengths + np.array([0.01, 0.01, 0.05])),
        ]
    )


def texture(wide_db: Floats) -> Floats:
    """How the bands' levels are spread, how lopsided that is, and which bands move together."""
    moved = np.ascontiguousarray(wide_db.T)
    moved -= moved.mean(axis=1, keepdims=True)
    spread = np.sqrt((moved * moved).mean(axis=1)) + np.float32(0.5)
    unit = moved / spread[:, None]
    together = unit @ unit.T / unit.shape[1]
    near, far = np.diagonal(together, 1), np.diagonal(together, 3)
    return np.concatenate([np.log(spread), np.cbrt((unit * unit * unit).mean(axis=1)), near, far])


def modulation(wide_db: Floats) -> Floats:
    """The shares of the rates, 0.5 to 86 Hz, in the movement of four bands."""
    level = (wide_db[:, ::2] + wide_db[:, 1::2]) / 2
    short = MODULATION_FRAMES - level.shape[0]
    if short > 0:
        level = np.concatenate([level, np.repeat(level[-1:], short, axis=0)])
    windows = np.lib.stride_tricks.sliding_window_view(level, MODULATION_FRAMES, axis=0)
    windows = windows[:: MODULATION_FRAMES // 2]
    spectrum = np.fft.rfft((windows - windows.mean(axis=2, keepdims=True)) * slow_window(), axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=0) @ rates()
    return np.sqrt(power / (power.sum(axis=1, keepdims=True) + MODULATION_STILL)).ravel()


@cache
def slow_window() -> Floats:
    """Hann's, symmetric."""
    return np.hanning(MODULATION_FRAMES).astype(np.float32)


@cache
def rates() -> Floats:
    """The mean over the bins of each rate, (129, 8)."""
    hertz = np.fft.rfftfreq(MODULATION_FRAMES, 1 / FINE_RATE)
    inside = np.digitize(hertz, MODULATION_EDGES_HZ)[:, None] == np.arange(
        1, MODULATION_EDGES_HZ.shape[0]
    )
    return (inside / np.maximum(inside.sum(axis=0), 1)).astype(np.float32)


def long_power(excerpt: Excerpt) -> Floats:
    """The power spectra of evenly spread long frames, (frames, 1 + LONG_FRAME / 2)."""
    around = excerpt.around(LONG_FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(around, LONG_FRAME, axis=1)[:, ::LONG_HOP]
    count = frames.shape[0] * frames.shape[1]
    chosen = np.arange(0, count, -(-count // LONG_FRAMES))
    blocks: list[Floats] = []
    for start in range(0, chosen.shape[0], AT_ONCE):
        stretch, frame = np.divmod(chosen[start : start + AT_ONCE], frames.shape[1])
        spectrum = np.fft.rfft(frames[stretch, frame] * long_window(), axis=1)
        blocks.append((spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False))
    return np.concatenate(blocks)


def repetition(power: Floats) -> Floats:
    """How much of each frame repeats after each of the lags, (frames, lags)."""
    blocks: list[Floats] = []
    for start in range(0, power.shape[0], AT_ONCE):
        # Wiener and Khinchin: the autocorrelation from the power.
        repeats = np.fft.irfft(power[start : start + AT_ONCE].astype(np.complex64), axis=1)
        share = repeats[:, PITCH_LAGS] / (repeats[:, :1] + np.float32(1e-20))
        blocks.append(share.astype(np.float32, copy=False))
    return np.concatenate(blocks)


@cache
def long_window() -> Floats:
    """Hann's."""
    return hann(LONG_FRAME).astype(np.float32)


def pitch(excerpt: Excerpt) -> Floats:
    """How tonal each octave is, how clear the pitch, where it lies and how it moves."""
    power = long_power(excerpt)
    energy = power.sum(axis=1)
    weight = np.sqrt(energy / energy.max())
    weight /= weight.sum()
    least = LEAST_POWER * power.max()
    logs = np.add.reduceat(np.log(power + least), OCTAVES, axis=1)
    sums = np.add.reduceat(power, OCTAVES, axis=1)
    bins = np.diff(np.append(OCTAVES, power.shape[1]))
    tonal = weight @ (np.log(sums / bins + least) - logs / bins)
    repeats = repetition(power)
    clear = repeats.max(axis=1)
    octave = np.log2(SAMPLE_RATE / (PITCH_LAGS.start + repeats.argmax(axis=1)))
    clearness = weight @ clear
    pitched = weight * np.maximum(clear, 0.0) ** 2
    pitched /= pitched.sum() + 1e-9
    place = pitched @ octave
    moves = np.sqrt(pitched @ (octave - place) ** 2)
    shakes = np.sqrt(weight @ (clear - clearness) ** 2)
    return np.concatenate([tonal, [clearness, shakes, (place - 8.0) * clearness, moves]])
