"""The sounds of the band: each piece draws its own drums and its own tones."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
RATE: Final = 22_050  # Hz, the rate of the engine's mono signal
HIGHEST_HZ: Final = 9_000.0


def seconds(count: float) -> Samples:
    """The times of the samples of a sound, at least one."""
    return np.arange(max(1, round(count * RATE))) / RATE


@dataclass(frozen=True, kw_only=True)
class Kit:
    """Drums of one make."""

    kick_hz: float
    kick_s: float
    kick_click: float
    snare_hz: float
    snare_s: float
    snare_tone: float
    hat_s: float
    hat_edge: int  # how often the noise is differenced: higher is brighter
    skin_hz: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Kit":
        """A kit between a dry one and an electronic one."""
        return cls(
            kick_hz=rng.uniform(42, 65),
            kick_s=rng.uniform(0.06, 0.2),
            kick_click=rng.uniform(0.0, 0.4),
            snare_hz=rng.uniform(160, 240),
            snare_s=rng.uniform(0.03, 0.12),
            snare_tone=rng.uniform(0.0, 0.8),
            hat_s=rng.uniform(0.01, 0.04),
            hat_edge=int(rng.integers(1, 4)),
            skin_hz=rng.uniform(130, 420),
        )

    def strike(self, drum: str, rng: np.random.Generator) -> Samples:
        """One hit, its level about ±1."""
        if drum == "kick":
            t = seconds(4 * self.kick_s)
            sweep = self.kick_hz * t + 5.0 * (1.0 - np.exp(-t / 0.03))
            click = self.kick_click * rng.standard_normal(t.shape[0]) * np.exp(-t / 0.003)
            return np.sin(2 * np.pi * sweep) * np.exp(-t / self.kick_s) + click
        if drum == "snare":
            t = seconds(5 * self.snare_s)
            body = self.snare_tone * np.sin(2 * np.pi * self.snare_hz * t) * np.exp(-t / 0.05)
            return 0.5 * (body + rng.standard_normal(t.shape[0]) * np.exp(-t / self.snare_s))
        if drum in ("hat", "open", "ride", "shaker"):
            length = {"hat": 1.0, "open": 6.0, "ride": 8.0, "shaker": 1.5}[drum] * self.hat_s
            t = seconds(5 * length)
            hiss = rng.standard_normal(t.shape[0] + self.hat_edge)
            hiss = np.diff(hiss, self.hat_edge) / 2.0**self.hat_edge
            attack = np.minimum(1.0, t / 0.012) if drum == "shaker" else 1.0
            bell = 0.2 * np.sin(2 * np.pi * 3150 * t) if drum == "ride" else 0.0
            return 0.4 * (hiss + bell) * attack * np.exp(-t / length)
        if drum == "rim":
            t = seconds(0.06)
            return 0.6 * np.sin(2 * np.pi * 1700 * t) * np.exp(-t / 0.008)
        pitch = {"low": 0.6, "mid": 1.0, "high": 1.5}[drum] * self.skin_hz
        t = seconds(0.4)
        glide = pitch * (t + 0.003 * (1.0 - np.exp(-t / 0.02)))
        slap = 0.3 * rng.standard_normal(t.shape[0]) * np.exp(-t / 0.004)
        return 0.7 * (np.sin(2 * np.pi * glide) * np.exp(-t / 0.09) + slap)


@dataclass(frozen=True, kw_only=True)
class Tone:
    """A pitched instrument: partials that fall, an attack, a decay, a release."""

    partials: int
    slope: float
    attack_s: float
    decay_s: float  # to 1/e; long for what is blown, bowed or held
    vibrato: float

    @classmethod
    def draw(cls, rng: np.random.Generator, kind: str) -> "Tone":
        """A "bass", something plucked or struck ("keys"), sung or blown ("lead"), or a "pad"."""
        attack = {"bass": (0.002, 0.015), "keys": (0.002, 0.01), "lead": (0.01, 0.06)}
        decay = {"bass": (0.15, 1.0), "keys": (0.12, 0.8), "lead": (0.6, 4.0)}
        return cls(
            partials=int(rng.integers(3, 16)),
            slope=rng.uniform(0.8, 2.0),
            attack_s=rng.uniform(*attack.get(kind, (0.04, 0.25))),
            decay_s=rng.uniform(*decay.get(kind, (2.0, 6.0))),
            vibrato=rng.uniform(0.0, 0.006) if kind == "lead" else 0.0,
        )

    def play(self, midi: float, length_s: float) -> Samples:
        """A note of that pitch; it rings for a twentieth of a second after its length."""
        t = seconds(length_s + 0.05)
        hertz = 440.0 * 2.0 ** ((midi - 69) / 12)
        phase = 2 * np.pi * hertz * (t + self.vibrato / (2 * np.pi * 5.5) * np.sin(34.6 * t))
        total = np.zeros(t.shape[0])
        for number in range(1, self.partials + 1):
            if number * hertz < HIGHEST_HZ:
                total += np.sin(number * phase) / number**self.slope
        shape = np.minimum(1.0, t / self.attack_s) * np.exp(-t / self.decay_s)
        return 0.5 * total * shape * np.minimum(1.0, (t[-1] - t) / 0.05)
