"""Vowels whose pitch is known at every moment: what no recording of speech can say of itself.

Pulses of the voice at intervals that glide and jitter go through the formants of vowels that change, breath noise lies
over all of it, and every phrase is followed by a pause or by noise as of an "s".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from harken.audio.blocks import SAMPLE_RATE, Floats

Doubles = NDArray[np.float64]

PHRASES: Final = 6
PHRASE_S: Final = (0.6, 1.4)
PAUSE_S: Final = (0.15, 0.4)
WORK_RATE: Final = 4 * SAMPLE_RATE  # pulses lie between the samples
# Frequencies of the first four formants in Hz (Peterson and Barney 1952, men; the fourth is their usual one).
FORMANTS: Final = (
    (730, 1090, 2440, 3400),
    (270, 2290, 3010, 3700),
    (300, 870, 2240, 3300),
    (530, 1840, 2480, 3500),
)
WIDTHS: Final = (80.0, 90.0, 120.0, 150.0)  # Hz
STEP_S: Final = 0.01  # formants stay for so long


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """How a voice is: what is hard about it."""

    name: str
    f0_hz: float
    range_octaves: float  # of the glides, to either side
    jitter: float  # standard deviation of the periods, as a fraction
    shimmer: float  # of their levels
    breath_db: float  # of the noise in the voice, below it
    room_db: float  # of the noise over everything, below the voice
    higher: float  # what its formants are above a man's, as a factor


SPEAKERS: Final = tuple(
    Speaker(
        name=name,
        f0_hz=f0_hz,
        range_octaves=range_octaves,
        jitter=jitter,
        shimmer=shimmer,
        breath_db=breath_db,
        room_db=room_db,
        higher=higher,
    )
    for name, f0_hz, range_octaves, jitter, shimmer, breath_db, room_db, higher in (
        ("man", 110, 0.4, 0.005, 0.04, 30, 50, 1.0),
        ("woman", 210, 0.5, 0.005, 0.04, 25, 50, 1.17),
        ("child", 300, 0.5, 0.008, 0.05, 25, 45, 1.35),
        ("breathy", 190, 0.4, 0.01, 0.08, 8, 40, 1.15),
        ("rough", 95, 0.3, 0.025, 0.15, 18, 40, 1.0),
        ("in a noisy room", 130, 0.5, 0.006, 0.05, 25, 12, 1.0),
        ("low", 75, 0.2, 0.01, 0.06, 20, 35, 1.0),
    )
)


def spoken(speaker: Speaker, seed: int) -> tuple[Floats, Doubles]:
    """Samples at 22,050 Hz, and the pitch at each in Hz; 0 where there is none."""
    rng = np.random.default_rng(seed)
    sounds: list[Doubles] = []
    truths: list[Doubles] = []
    for phrase in range(PHRASES):
        sound, truth = _phrase(speaker, rng)
        quiet = np.zeros(round(rng.uniform(*PAUSE_S) * SAMPLE_RATE))
        if phrase % 2:
            hiss = np.diff(rng.standard_normal(quiet.shape[0] + 1))  # the highs are louder
            quiet = 0.3 * sound.std() * hiss / hiss.std() * np.hanning(quiet.shape[0]) ** 0.5
        sounds += [sound, quiet]
        truths += [truth, np.zeros(quiet.shape[0])]
    whole = np.concatenate(sounds)
    voiced = np.concatenate(truths) > 0
    room = 10 ** (-speaker.room_db / 20) * whole[voiced].std()
    whole = whole + room * rng.standard_normal(whole.shape[0])
    return (0.2 * whole / np.abs(whole).max()).astype(np.float32), np.concatenate(truths)


def _phrase(speaker: Speaker, rng: np.random.Generator) -> tuple[Doubles, Doubles]:
    count = round(rng.uniform(*PHRASE_S) * SAMPLE_RATE)
    at = np.linspace(0, 1, 6)
    octaves = np.interp(np.linspace(0, 1, count), at, rng.uniform(-1, 1, 6) * speaker.range_octaves)
    width = round(0.08 * SAMPLE_RATE)
    smooth = np.convolve(np.pad(octaves, width // 2, mode="edge"), np.ones(width) / width, "valid")
    f0 = speaker.f0_hz * 2.0 ** smooth[:count]
    pulses = _pulses(f0, speaker, rng)
    breath = rng.standard_normal(count) * (0.3 + np.abs(pulses) / np.abs(pulses).max())
    breath *= pulses.std() / breath.std() * 10 ** (-speaker.breath_db / 20)
    voice = _through_formants(pulses + breath, speaker, rng)
    fade = np.minimum(
        1, np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.02 * SAMPLE_RATE)
    )
    return voice * fade / voice.std(), f0


def _pulses(f0: Doubles, speaker: Speaker, rng: np.random.Generator) -> Doubles:
    """The derivative of the flow through the glottis (Rosenberg 1971), period by period."""
    fine = WORK_RATE // SAMPLE_RATE
    flow = np.zeros(f0.shape[0] * fine + WORK_RATE)
    place = 0.0
    while place < f0.shape[0] * fine:
        period = WORK_RATE / f0[int(place) // fine]
        opening, closing = 0.4 * period, 0.16 * period
        t = np.arange(round(opening + closing))
        rise = 0.5 * (1 - np.cos(np.pi * t / opening))
        fall = np.cos(0.5 * np.pi * (t - opening) / closing)
        pulse = np.where(t < opening, rise, np.maximum(fall, 0))
        flow[int(place) : int(place) + t.shape[0]] += pulse * max(
            1 + speaker.shimmer * rng.standard_normal(), 0.1
        )
        place += period * max(1 + speaker.jitter * rng.standard_normal(), 0.5)
    flow = flow[: f0.shape[0] * fine]
    lowered = np.convolve(flow, np.hanning(2 * fine + 1) / fine, "same")[::fine]
    return np.diff(lowered, prepend=0.0)


def _through_formants(source: Doubles, speaker: Speaker, rng: np.random.Generator) -> Doubles:
    step = round(STEP_S * SAMPLE_RATE)
    order = rng.integers(0, len(FORMANTS), 5)
    targets = np.asarray(FORMANTS, dtype=float)[order] * speaker.higher
    out = np.array(source)
    for number, width in enumerate(WIDTHS):
        state = np.zeros(2)
        filtered = np.empty_like(out)
        for start in range(0, out.shape[0], step):
            place = 4 * start / out.shape[0]
            hertz = np.interp(place, np.arange(5), targets[:, number])
            radius = np.exp(-np.pi * width / SAMPLE_RATE)
            feedback = [1, -2 * radius * np.cos(2 * np.pi * hertz / SAMPLE_RATE), radius**2]
            filtered[start : start + step], state = lfilter(
                [sum(feedback)], feedback, out[start : start + step], zi=state
            )
        out = filtered
    return out
