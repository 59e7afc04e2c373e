"""Short pieces whose key is known, composed by seed.

A piece is chords with inversions, a bass and a melody, each in a timbre of its own, over 8 to 30 s.
It may begin on any chord and ends, nine times in ten, with a cadence on its tonic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from tests.audio.timbres import (
    BASS_TIMBRES,
    CHORD_TIMBRES,
    MELODY_TIMBRES,
    TIMBRES,
    Mix,
    Samples,
)

NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
NATURAL: Final = (0, 2, 3, 5, 7, 8, 10)

# Chords in semitones above the tonic. In major and in natural and harmonic minor.
CHORDS: Final[Mapping[str, tuple[int, ...]]] = {
    "I": (0, 4, 7), "ii": (2, 5, 9), "iii": (4, 7, 11), "IV": (5, 9, 12), "V": (7, 11, 14),
    "vi": (9, 12, 16), "V7": (7, 11, 14, 17), "ii7": (2, 5, 9, 12), "IV7": (5, 9, 12, 16),
    "I7": (0, 4, 7, 11), "vi7": (9, 12, 16, 19), "V/V": (2, 6, 9), "bVII": (10, 14, 17),
    "V/vi": (4, 8, 11), "i": (0, 3, 7), "iid": (2, 5, 8), "III": (3, 7, 10), "iv": (5, 8, 12),
    "v": (7, 10, 14), "VI": (8, 12, 15), "VII": (10, 14, 17), "iv7": (5, 8, 12, 15),
    "i7": (0, 3, 7, 10), "VI7": (8, 12, 15, 19), "N": (1, 5, 8),
}  # fmt: skip
PATTERNS: Final = {
    "major": (
        "I IV V I", "I vi IV V", "I V vi IV", "vi IV I V", "ii7 V7 I7 vi7", "IV V I vi", "I iii IV V7",
        "I ii V I", "IV I V I", "I V/V V I", "I V/vi vi IV", "V I IV I", "I bVII IV I", "I IV ii7 V7",
    ),
    "natural": (
        "i iv v i", "i VII VI VII", "i VI III VII", "VI VII i i", "iv i v i", "i v VI iv", "i7 iv7 i7 v",
        "i VI iv v", "VI7 v i i",
    ),
    "harmonic": (
        "i iv V i", "i VI iv V", "i VII VI V", "iid V i i", "iv i V7 i", "V i iv i", "i7 iv7 V7 i",
        "VI iv V i", "i N V7 i", "i III iv V",
    ),
}  # fmt: skip
CADENCES: Final = {
    "major": ("IV V", "ii V7", "V7", "IV"),
    "natural": ("VI VII", "iv v", "iv", "VII"),
    "harmonic": ("iv V", "iid V7", "V7", "VI V"),
}


@dataclass(frozen=True, kw_only=True)
class Progression:
    """A piece and what is true of it."""

    samples: Samples  # (n,) at RATE, peak about 0.5
    key: str
    mode: str
    cents: float  # how far it is tuned from A4 = 440 Hz
    beat_s: float


def compose(
    seed: int, *, tonic: int | None = None, mode: str | None = None, cents: float = 0.0
) -> Progression:
    """The piece of that seed; in a key of the seed's choice unless one is given."""
    rng = np.random.default_rng(seed)
    drawn = int(rng.integers(12)), str(rng.choice(["major", "minor"]))
    tonic = drawn[0] if tonic is None else tonic
    mode = drawn[1] if mode is None else mode
    scale = "major" if mode == "major" else str(rng.choice(["natural", "harmonic"]))
    beat_s = 60.0 / rng.uniform(66, 150)
    beats = int(rng.choice([2, 4])) if beat_s > 0.55 else 4  # of a chord
    length = int(np.clip(rng.uniform(8.0, 30.0) / (beats * beat_s), 4, 40))
    sheet = _sheet(rng, scale, length)
    mix = Mix(total_s=(len(sheet) * beats + 2) * beat_s, cents=cents)
    _chords(rng, mix, sheet, tonic, beats * beat_s, beats)
    _bass(rng, mix, sheet, tonic, beats * beat_s, beats)
    if rng.random() < 0.85:
        _melody(rng, mix, sheet, tonic, scale, beats * beat_s, beats)
    return Progression(
        samples=mix.rendered(), key=NAMES[tonic], mode=mode, cents=cents, beat_s=beat_s
    )


def modulating(seed: int) -> Progression:
    """A piece that leaves its key for a distant one after two thirds; its key is the first."""
    rng = np.random.default_rng(seed)
    away = int(rng.choice([1, 2, 3, 4, 6, 8, 9, 10, 11]))
    home = compose(seed)
    tonic = (NAMES.index(home.key) + away) % 12
    there = compose(seed + 1, tonic=tonic, mode=str(rng.choice(["major", "minor"])))
    stay = home.samples.shape[0] // 2
    samples = np.concatenate([home.samples, there.samples[:stay]])
    return Progression(samples=samples, key=home.key, mode=home.mode, cents=0.0, beat_s=home.beat_s)


def atonal(seed: int) -> Samples:
    """Chords and notes drawn from all twelve pitches, which have no key."""
    rng = np.random.default_rng(seed)
    note_s = rng.uniform(0.25, 0.7)
    notes = int(rng.uniform(8.0, 25.0) / note_s)
    mix = Mix(total_s=notes * note_s + 0.3, cents=0.0)
    timbre = TIMBRES[str(rng.choice(CHORD_TIMBRES))]
    row = np.concatenate([rng.permutation(12) for _ in range(3 * notes // 12 + 1)])
    voices = int(rng.integers(1, 4))
    for index in range(notes):
        for voice in range(voices):
            midi = int(row[index * voices + voice]) + 12 * int(rng.integers(4, 7))
            mix.note(timbre, midi, index * note_s, note_s, 0.5)
    return mix.rendered()


def _sheet(rng: Generator, scale: str, length: int) -> list[str]:
    """Names of the chords, the last being the tonic's but for one piece in ten."""
    patterns = rng.choice(PATTERNS[scale], size=2)
    loop = [name for pattern in patterns for name in str(pattern).split()]
    if rng.random() < 0.5:
        loop = loop[:4]
    turn = int(rng.integers(len(loop))) if rng.random() < 0.3 else 0
    sheet = [loop[(turn + index) % len(loop)] for index in range(length)]
    if rng.random() < 0.9:
        ending = [*str(rng.choice(CADENCES[scale])).split(), "I" if scale == "major" else "i"]
        sheet = sheet[: max(length - len(ending), 1)] + ending
    return sheet


def _voiced(rng: Generator, tones: tuple[int, ...], tonic: int, floor: int) -> list[int]:
    """The chord in a random inversion, in one octave above `floor`."""
    turn = int(rng.integers(3))
    notes = sorted((tone + tonic - floor) % 12 + floor for tone in tones)
    return notes[turn:] + [note + 12 for note in notes[:turn]]


def _chords(
    rng: Generator, mix: Mix, sheet: list[str], tonic: int, chord_s: float, beats: int
) -> None:
    timbre = TIMBRES[str(rng.choice(CHORD_TIMBRES))]
    floor = int(rng.integers(50, 60))
    figure = str(rng.choice(["held", "beaten", "broken"]))
    for index, name in enumerate(sheet):
        notes = _voiced(rng, CHORDS[name], tonic, floor)
        at_s, last = index * chord_s, index == len(sheet) - 1
        beat_s = chord_s / beats
        if figure == "held" or last:
            for note in notes:
                mix.note(timbre, note, at_s, chord_s * (1.3 if last else 0.98), 0.3)
        elif figure == "beaten":
            for beat in range(beats):
                for note in notes:
                    mix.note(timbre, note, at_s + beat * beat_s, beat_s * 0.8, 0.3)
        else:
            for step in range(beats * 2):
                note = notes[step % len(notes)]
                mix.note(timbre, note, at_s + step * beat_s / 2, beat_s * 0.9, 0.45)


def _bass(
    rng: Generator, mix: Mix, sheet: list[str], tonic: int, chord_s: float, beats: int
) -> None:
    timbre = TIMBRES[str(rng.choice(BASS_TIMBRES))]
    figure = str(rng.choice(["held", "pumping", "fifths"]))
    gain = rng.uniform(0.3, 0.8)
    for index, name in enumerate(sheet):
        tones = CHORDS[name]
        last = index == len(sheet) - 1
        inverted = rng.random() < 0.2 and not last
        root, fifth = (
            (tone + tonic - 28) % 12 + 28 for tone in (tones[1 if inverted else 0], tones[2])
        )
        count = 1 if figure == "held" or last else beats
        for beat in range(count):
            note = fifth if figure == "fifths" and beat % 2 else root
            mix.note(
                timbre, note, index * chord_s + beat * chord_s / count, chord_s / count * 0.95, gain
            )


def _melody(
    rng: Generator, mix: Mix, sheet: list[str], tonic: int, scale: str, chord_s: float, beats: int
) -> None:
    """A walk over the scale that rests on chord tones and ends on the tonic."""
    timbre = TIMBRES[str(rng.choice(MELODY_TIMBRES))]
    steps = MAJOR if scale == "major" else NATURAL
    floor = 60 + int(rng.integers(0, 10))
    here = floor + 7
    gain = rng.uniform(0.4, 0.9)
    for index, name in enumerate(sheet):
        tones = {(tone + tonic) % 12 for tone in CHORDS[name]}
        allowed = {(step + tonic) % 12 for step in steps} | tones
        if name in {"V", "V7"} and scale == "harmonic":
            allowed -= {(10 + tonic) % 12}
        at_s, end_s = index * chord_s, (index + 1) * chord_s
        if index == len(sheet) - 1:
            mix.note(timbre, (tonic - floor) % 12 + floor, at_s, chord_s * 1.2, gain)
            break
        first = True
        while at_s < end_s - 0.05:
            seconds = min(chord_s / beats * rng.choice([0.5, 1.0, 1.0, 2.0]), end_s - at_s)
            wanted = tones if first or rng.random() < 0.4 else allowed
            near = [
                note
                for note in range(max(here - 5, floor), min(here + 6, floor + 17))
                if note % 12 in wanted
            ]
            here = int(rng.choice(near)) if near else here
            if rng.random() < 0.03:
                here += 1  # out of the scale
            if rng.random() > 0.1:
                mix.note(timbre, here, at_s, seconds * 0.95, gain)
            at_s += seconds
            first = False
