"""Which of the 24 major and minor triads sounds.

Pitch classes are compared with the three tones of each triad, as by Fujishima (1999), "Realtime
chord recognition of musical sound: a system using Common Lisp Music"; but a segment's voice goes
to all triads by likeness, so that one note alone speaks for each that holds it.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles

TRIADS: Final = 24  # major on C, C#, … B, then minor
SHARPNESS: Final = 8.0  # one tone of three wrong: about a tenth of the voice


def _unit(rows: Doubles) -> Doubles:
    """Rows less their mean, of length 1; rows without any shape become 0."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return centred / np.maximum(length, np.finfo(np.float64).tiny)


def _templates() -> Doubles:
    tones = np.zeros((2, 12))
    tones[0, [0, 4, 7]] = tones[1, [0, 3, 7]] = 1.0
    return _unit(np.concatenate([[np.roll(mode, root) for root in range(12)] for mode in tones]))


TEMPLATES: Final = _templates()


def triad_shares(classes: Doubles) -> Doubles:
    """How much each triad sounds, sum 1: pitch classes (…, 12) to (…, TRIADS)."""
    likeness = _unit(classes) @ TEMPLATES.T
    shares = np.exp(SHARPNESS * (likeness - 1.0))
    return shares / shares.sum(axis=-1, keepdims=True)
