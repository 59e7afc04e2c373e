"""The key that the pitch classes and the chords follow.

Two correlations are added. Krumhansl (1990): the strengths of the twelve pitch classes with a
profile of each key; the profiles are Faraldo's "bgate" (2017, "Tonality estimation in electronic
dance music"), which leave the rarest tones out. And the shares of the triads with those that a
key's textbook harmony leads one to expect: pitch classes hardly tell a key from the one on its
dominant or its relative, chords do. Where both leave it open, the last chord decides.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import Doubles
from harken.audio.pitch_classes import Pitches

NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MAJOR: Final = (1.0, 0.0, 0.42, 0.0, 0.53, 0.37, 0.0, 0.77, 0.0, 0.38, 0.21, 0.3)
MINOR: Final = (1.0, 0.0, 0.36, 0.39, 0.0, 0.38, 0.0, 0.74, 0.27, 0.0, 0.42, 0.23)
# Triads by semitones above the tonic: tonic first, then dominant and subdominant, then the rest of
# the scale's. Minor has both dominants, the major one of its harmonic scale being the commoner.
CHORDS_OF_MAJOR: Final = (
    {0: 1.0, 7: 0.8, 5: 0.7, 10: 0.15, 2: 0.1},
    {9: 0.5, 2: 0.5, 4: 0.3},
)
CHORDS_OF_MINOR: Final = (
    {7: 0.6, 8: 0.5, 10: 0.45, 3: 0.35},
    {0: 1.0, 5: 0.6, 7: 0.35},
)
CHORD_WEIGHT: Final = 0.75  # of the chords' correlation beside that of the pitch classes
ENDING_WEIGHT: Final = 0.1  # of the tonic triad's share in the ending: no more than a casting vote


@dataclass(frozen=True, kw_only=True)
class Key:
    """Tonic and mode, and how well they fit."""

    tonic: str
    mode: str
    fit: float  # the sum of what speaks for it, at most 1.85
    lead: float  # over the second key


def estimate_key(pitches: Pitches) -> Key | None:
    """The key of what was heard; None when it favours none."""
    if np.ptp(pitches.classes) == 0:
        return None
    fits = _PROFILES @ _unit(pitches.classes)
    fits += CHORD_WEIGHT * (_HARMONIES @ _unit(pitches.triads)) + ENDING_WEIGHT * pitches.ending
    second, best = np.argsort(fits, kind="stable")[-2:].tolist()
    return Key(
        tonic=NAMES[best % 12],
        mode="major" if best < 12 else "minor",
        fit=float(fits[best]),
        lead=float(fits[best] - fits[second]),
    )


def _unit(values: Doubles) -> Doubles:
    centred = values - values.mean()
    return centred / max(float(np.linalg.norm(centred)), 1e-12)


def _profiles() -> Doubles:
    return np.stack([_unit(np.roll(mode, tonic)) for mode in (MAJOR, MINOR) for tonic in range(12)])


def _harmonies() -> Doubles:
    rows: list[Doubles] = []
    for triads in (CHORDS_OF_MAJOR, CHORDS_OF_MINOR):
        expected = np.zeros((2, 12))
        for quality, shares in zip(expected, triads, strict=True):
            quality[list(shares)] = list(shares.values())
        rows.extend(_unit(np.roll(expected, tonic, axis=1).ravel()) for tonic in range(12))
    return np.stack(rows)


_PROFILES: Final = _profiles()
_HARMONIES: Final = _harmonies()
