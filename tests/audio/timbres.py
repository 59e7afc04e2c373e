"""Instruments made of partials, and notes mixed into one signal."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
RATE: Final = 44_100
HIGHEST_HZ: Final = 9000.0  # partials above say nothing about a key


@dataclass(frozen=True, kw_only=True)
class Timbre:
    """How an instrument's partials stand and fade."""

    partials: tuple[float, ...]
    attack_s: float
    decay: float  # nepers a second of the first partial; the higher fade faster
    vibrato_cents: float = 0.0


TIMBRES: Final = {
    "piano": Timbre(partials=tuple(n**-1.4 for n in range(1, 13)), attack_s=0.004, decay=1.5),
    "organ": Timbre(partials=(1, 0.8, 0.5, 0.5, 0.1, 0.25, 0, 0.3), attack_s=0.02, decay=0.0),
    "strings": Timbre(
        partials=tuple(1 / n for n in range(1, 15)), attack_s=0.09, decay=0.0, vibrato_cents=9
    ),
    "electric piano": Timbre(partials=(1, 0.35, 0.05, 0.2, 0, 0.05), attack_s=0.004, decay=1.0),
    "flute": Timbre(partials=(1, 0.45, 0.15, 0.06), attack_s=0.05, decay=0.0, vibrato_cents=14),
    "guitar": Timbre(
        partials=tuple(abs(np.sin(n * np.pi / 5)) / n**1.1 for n in range(1, 13)),
        attack_s=0.003,
        decay=2.2,
    ),
    "square": Timbre(
        partials=tuple((n % 2) / n + 0.02 for n in range(1, 14)), attack_s=0.008, decay=0.3
    ),
    "bass": Timbre(partials=(1, 0.7, 0.4, 0.25, 0.12, 0.06), attack_s=0.006, decay=1.2),
    "voice": Timbre(
        partials=(0.6, 1, 0.8, 0.3, 0.35, 0.2, 0.1), attack_s=0.06, decay=0.0, vibrato_cents=35
    ),
}
CHORD_TIMBRES: Final = ("piano", "organ", "strings", "electric piano", "guitar", "square")
MELODY_TIMBRES: Final = (*CHORD_TIMBRES, "flute", "voice")
BASS_TIMBRES: Final = ("bass", "guitar", "organ", "square")


class Mix:
    """Notes summed into one signal."""

    def __init__(self, *, total_s: float, cents: float) -> None:
        self._sum = np.zeros(int(total_s * RATE) + 1)
        self._cents = cents

    def note(self, timbre: Timbre, midi: int, at_s: float, seconds: float, gain: float) -> None:
        """Add one note; it ends within 30 ms of its time."""
        start = int(at_s * RATE)
        room = self._sum[start : start + int((seconds + 0.03) * RATE)]
        t = np.arange(room.shape[0], dtype=np.float64) / RATE
        hertz = 440.0 * 2 ** ((midi - 69 + self._cents / 100) / 12)
        depth = hertz * np.log(2) / 1200 * timbre.vibrato_cents / 5.5
        phase = 2 * np.pi * hertz * t + depth * (1 - np.cos(2 * np.pi * 5.5 * t))
        first = np.exp(1j * phase).astype(np.complex64)
        fade = np.exp(-timbre.decay * t).astype(np.float32)
        turn, faded = first.copy(), fade.copy()
        slower = np.exp(-0.25 * timbre.decay * t).astype(np.float32)
        sound = np.zeros(room.shape[0], dtype=np.float32)
        for number, strength in enumerate(timbre.partials, 1):
            if number * hertz > HIGHEST_HZ:
                break
            sound += np.float32(strength) * faded * turn.imag
            turn *= first
            faded *= slower
        edge = np.minimum(t / timbre.attack_s, 1.0) * np.clip((seconds + 0.03 - t) / 0.03, 0.0, 1.0)
        room += gain * edge * sound

    def rendered(self) -> Samples:
        """All notes, peak 0.5."""
        return scaled(self._sum)


def scaled(samples: NDArray[np.float64]) -> Samples:
    """The samples at a peak of 0.5."""
    return (0.5 * samples / max(float(np.abs(samples).max()), 1e-9)).astype(np.float32)
