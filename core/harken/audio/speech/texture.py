"""What a second and a half of sound is like: the seven numbers that tell speech from music and noise.

After Scheirer, Slaney (1997), "Construction and evaluation of a robust multifeature speech/music discriminator": energy
that comes and goes about four times a second, frames of low energy, and a pitch that glides or holds still; and how
the spectrum changes between the sounds of a language. Each is the same at any level of the recording.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.kernel import kernel
from harken.audio.speech.frames import (
    BRIGHTNESS,
    FLATNESS,
    LAGS,
    LEVEL,
    OCTAVE,
    OCTAVES,
    PERIODICITY,
)

WINDOW: Final = 65  # frames, 1.5 s: several syllables
STEP: Final = 16  # frames from one window to the next, 0.4 s
VOICED: Final = (
    0.6  # periodicity from which a frame has a pitch; Boersma's 0.45 is for half as long a window
)
AUDIBLE_DB: Final = -80.0
RANGE_DB: Final = 35.0  # what is so far below the window's loudest frame says nothing of its sound
SYLLABIC_HZ: Final = (2.5, 8.0)  # syllables come so often (Houtgast, Steeneken 1985)
LOW: Final = 0.5  # of the mean energy: a frame of low energy
STILL: Final = float(OCTAVES[0] - OCTAVES[1]) / 2  # octaves: the same lag again
LEAP: Final = (
    float(OCTAVES[0] - OCTAVES[LAGS - 1]) / 25
)  # from one frame to the next no voice goes that far

NUMBERS: Final = 7
PERIODIC, STEADY, GLIDING, SYLLABIC, QUIET, FLATNESS_SPREAD, BRIGHTNESS_SPREAD = range(NUMBERS)


def _modulation() -> Doubles:
    """(2 · rates, WINDOW): cosines and sines of the syllabic rates."""
    rates = np.arange(WINDOW) * FRAME_RATE / WINDOW
    syllabic = rates[(rates >= SYLLABIC_HZ[0]) & (rates <= SYLLABIC_HZ[1])]
    angles = 2 * np.pi * syllabic[:, None] * np.arange(WINDOW) / FRAME_RATE
    return np.concatenate([np.cos(angles), np.sin(angles)])


_MODULATION: Final = _modulation()


def texture(columns: Floats) -> Floats:
    """The numbers of up to WINDOW frames, (frames, COLUMNS); all zero where nothing is audible."""
    found = np.zeros(NUMBERS, dtype=np.float32)
    _texture(columns, _MODULATION, found)
    return found


@kernel
def _texture(columns: Floats, modulation: Doubles, found: Floats) -> None:
    frames = columns.shape[0]
    least = AUDIBLE_DB
    for frame in range(frames):
        least = max(least, columns[frame, LEVEL] - RANGE_DB)
    audible, still, gliding = 0, 0, 0
    sums, squares = np.zeros(3), np.zeros(3)
    energies = np.empty(frames)
    before = False
    for frame in range(frames):
        row = columns[frame]
        energies[frame] = 10.0 ** (0.1 * row[LEVEL])
        heard = row[LEVEL] > least
        if heard:
            audible += 1
            sums[0] += row[PERIODICITY]
            sums[1] += row[FLATNESS]
            sums[2] += row[BRIGHTNESS]
            squares[1] += row[FLATNESS] ** 2
            squares[2] += row[BRIGHTNESS] ** 2
        voiced = heard and row[PERIODICITY] > VOICED
        if voiced and before:
            away = abs(row[OCTAVE] - columns[frame - 1, OCTAVE])
            still += away < STILL
            gliding += STILL <= away < LEAP
        before = voiced
    if audible == 0:
        return
    sums /= audible
    found[PERIODIC] = sums[0]
    found[STEADY], found[GLIDING] = still / audible, gliding / audible
    found[FLATNESS_SPREAD] = np.sqrt(max(squares[1] / audible - sums[1] ** 2, 0.0))
    found[BRIGHTNESS_SPREAD] = np.sqrt(max(squares[2] / audible - sums[2] ** 2, 0.0))
    mean = energies.mean()
    quiet, total, inside = 0, 0.0, 0.0
    for frame in range(frames):
        quiet += energies[frame] < LOW * mean
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * (frame + 1) / (frames + 1))
        energies[frame] = (energies[frame] / mean - 1.0) * hann
        total += energies[frame] ** 2
    for rate in range(modulation.shape[0]):
        part = 0.0
        for frame in range(frames):
            part += modulation[rate, frame] * energies[frame]
        inside += part**2
    found[QUIET] = quiet / frames
    found[SYLLABIC] = min(2.0 * inside / (WINDOW * total), 1.0) if total > 0.0 else 0.0
