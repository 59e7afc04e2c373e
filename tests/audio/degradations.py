"""What recordings do to a piece of music, and sounds that have no key at all."""

from collections.abc import Callable, Mapping
from io import BytesIO

import av
import numpy as np
from numpy.typing import NDArray

from tests.audio.progressions import Progression, compose
from tests.audio.timbres import RATE, Samples, scaled


def speech_like(seed: int) -> Samples:
    """Gliding voiced syllables with formants between hisses and pauses: pitch, but no pitches."""
    rng = np.random.default_rng(seed)
    voice = rng.choice([110.0, 130.0, 190.0, 220.0])
    parts: list[NDArray[np.float64]] = []
    while sum(part.shape[0] for part in parts) < rng.uniform(4.0, 15.0) * RATE:
        count = int(rng.uniform(0.08, 0.35) * RATE)
        ends = voice * 2 ** (rng.uniform(-5, 5, 3) / 12)
        curve = np.interp(np.linspace(0, 2, count), [0, 1, 2], ends)
        phase = 2 * np.pi * np.cumsum(curve) / RATE
        formants = rng.uniform([300, 900, 2200], [800, 2000, 3000])
        syllable = np.zeros(count)
        for partial in range(1, int(4000 / voice)):
            near = (partial * voice - formants) / np.array([80.0, 120.0, 200.0])
            syllable += (1 / (1 + near**2)).sum() / partial**0.5 * np.sin(partial * phase)
        parts.append(syllable * np.hanning(count) ** 0.5)
        hiss = rng.standard_normal(int(rng.uniform(0.02, 0.12) * RATE))
        parts.append(np.diff(hiss, prepend=0.0) * rng.uniform(0, 0.3))
        if rng.random() < 0.2:
            parts.append(np.zeros(int(rng.uniform(0.1, 0.5) * RATE)))
    return scaled(np.concatenate(parts))


def drums(seed: int, *, seconds: float, beat_s: float) -> Samples:
    """A kit: a kick that falls in pitch, a snare of tone and noise, hats of noise."""
    rng = np.random.default_rng(seed)
    total = np.zeros(int(seconds * RATE))
    t = np.arange(int(0.35 * RATE)) / RATE
    low, high = rng.uniform(45, 65), rng.uniform(90, 180)
    kick = np.sin(2 * np.pi * (low * t - high * 0.03 * np.exp(-t / 0.03))) * np.exp(-t / 0.09)
    body = np.sin(2 * np.pi * rng.uniform(160, 240) * t) * np.exp(-t / 0.05)
    snare = 0.5 * body + 0.5 * rng.standard_normal(t.shape[0]) * np.exp(-t / 0.07)
    hat = np.diff(rng.standard_normal(t.shape[0]), prepend=0.0) * np.exp(-t / 0.03)
    accent = (rng.random((3, 8)) < [[0.15], [0.1], [0.85]]) | np.array(
        [[1, 0, 0, 0, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0, 1, 0], [1, 0, 1, 0, 1, 0, 1, 0]], dtype=bool
    )
    for step in range(int(seconds / beat_s * 2)):
        at = int(step * beat_s / 2 * RATE)
        for hit, played, gain in zip(
            (kick, snare, hat), accent[:, step % 8], (1.0, 0.7, 0.25), strict=True
        ):
            if played:
                room = total[at : at + hit.shape[0]]
                room += gain * rng.uniform(0.7, 1.0) * hit[: room.shape[0]]
    return scaled(total)


def under_drums(seed: int, piece: Progression) -> Samples:
    """The piece with a drum kit on top, as loud as it or a little louder."""
    gain = np.random.default_rng(seed).uniform(0.6, 1.4)
    seconds = piece.samples.shape[0] / RATE
    kit = drums(seed, seconds=seconds + 0.1, beat_s=piece.beat_s)[: piece.samples.shape[0]]
    return scaled(piece.samples.astype(np.float64) + gain * kit)


def under_noise(seed: int, piece: Progression) -> Samples:
    """The piece with white or pink noise, 0 to 12 dB below it."""
    rng = np.random.default_rng(seed)
    hiss = rng.standard_normal(piece.samples.shape[0])
    if rng.random() < 0.5:
        bands = np.fft.rfft(hiss)
        hiss = np.fft.irfft(bands / np.sqrt(np.arange(bands.shape[0]) + 20.0), hiss.shape[0])
    ratio = np.sqrt(np.mean(piece.samples.astype(np.float64) ** 2) / np.mean(hiss**2))
    return scaled(piece.samples + hiss * ratio * 10 ** (-rng.uniform(0.0, 12.0) / 20))


def through_mp3(samples: Samples, *, kilobits: int) -> Samples:
    """The samples after LAME at that rate and back."""
    file = BytesIO()
    with av.open(file, "w", format="mp3") as output:
        stream = output.add_stream("libmp3lame", rate=RATE, layout="mono")
        stream.bit_rate = kilobits * 1000
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
        frame.sample_rate = RATE
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as coded:
        parts = [frame.to_ndarray()[0] for frame in coded.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32)


def degraded(
    seed: int, *, tonic: int | None = None, mode: str | None = None
) -> Mapping[str, Callable[[], tuple[Progression, Samples]]]:
    """The piece of a seed, clean and under each degradation: name to (truth, samples)."""
    rng = np.random.default_rng(seed + 10_000_000)
    cents = float(rng.uniform(-40, 40))
    kilobits = int(rng.choice([64, 80, 96, 128]))

    def heard(
        change: Callable[[Progression], Samples], *, cents: float = 0.0
    ) -> tuple[Progression, Samples]:
        piece = compose(seed, tonic=tonic, mode=mode, cents=cents)
        return piece, change(piece)

    return {
        "clean": lambda: heard(lambda piece: piece.samples),
        "detuned": lambda: heard(lambda piece: piece.samples, cents=cents),
        "drums": lambda: heard(lambda piece: under_drums(seed, piece)),
        "noise": lambda: heard(lambda piece: under_noise(seed, piece)),
        "mp3": lambda: heard(lambda piece: through_mp3(piece.samples, kilobits=kilobits)),
    }
