"""Labelled collections of generated sounds, the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.sounds.drums import DRUMS
from benchmarks.sounds.primitives import Samples
from benchmarks.sounds.recording import record
from benchmarks.sounds.surroundings import SURROUNDINGS
from benchmarks.sounds.words import say, voice, word

CLIP_S: Final = 5.0  # every other clip of surroundings has this length, as in public collections
WORDS: Final = 160


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One recording."""

    kind: str
    source: int  # the kit, place or speaker: the same number in another kind is no relation
    samples: Samples  # mono, 22,050 Hz


def drums(seed: int, each: int = 120) -> Iterator[Labelled]:
    """Single hits, 14 types, a new kit each."""
    for number, (kind, make) in enumerate(DRUMS.items()):
        for source in range(each):
            rng = np.random.default_rng([seed, 1, number, source])
            yield Labelled(kind=kind, source=source, samples=record(rng, make(rng)))


def surroundings(seed: int, each: int = 60) -> Iterator[Labelled]:
    """Clips of 1 to 6 s, 48 kinds."""
    for number, (kind, make) in enumerate(SURROUNDINGS.items()):
        for source in range(each):
            rng = np.random.default_rng([seed, 2, number, source])
            clip_s = CLIP_S if source % 2 else float(rng.uniform(1, 6))
            samples = record(rng, make(rng), clip_s=clip_s)
            yield Labelled(kind=kind, source=source, samples=samples)


def words(seed: int, each: int = 14) -> Iterator[Labelled]:
    """160 words, each said by other voices."""
    naming = np.random.default_rng([seed, 3])
    vocabulary = [word(naming) for _ in range(WORDS)]
    for number, said in enumerate(vocabulary):
        for source in range(each):
            rng = np.random.default_rng([seed, 4, number, source])
            samples = record(rng, say(rng, said, voice(rng)))
            yield Labelled(kind=said, source=source, samples=samples)


COLLECTIONS: Final = {"drums": drums, "surroundings": surroundings, "words": words}
