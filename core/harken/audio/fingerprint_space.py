"""From the parts of a sound to the 128 numbers in which alike sounds lie close.

Each part is centred, scaled and bent, so that an outlier counts no more than three spreads, and
all of them are turned by one matrix. The matrix is a linear discriminant (Fisher 1936; Rao 1948)
fitted to generated sounds: directions in which one kind of sound differs by voice, kit, distance
or room are made short, directions that tell kinds apart long. Recorded sounds are richer than
generated ones, so what these teach is mixed with a plain rule: each group of parts counts the same.

`benchmarks/fit_embedding.py` makes fingerprint.npy: 130 rows of float16, the parts' centres, their
spreads, and the matrix. A change to the parts or to the table is another model.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from harken.audio.blocks import Doubles, Floats

DIMENSIONS: Final = 128
BEND: Final = 3.0  # spreads: where tanh levels an outlier off
TABLE: Final = Path(__file__).with_name("fingerprint.npy")


@cache
def table() -> Doubles:
    """The fitted numbers, shape (2 + 128, parts)."""
    return np.load(TABLE).astype(np.float64)


def bent(parts: Floats | Doubles, centre: Doubles, spread: Doubles) -> Doubles:
    """The parts on one scale, none beyond ±3; over the last axis."""
    return BEND * np.tanh((parts - centre) / (BEND * spread))


def project(parts: Floats | Doubles) -> Doubles:
    """The vector of a sound, of unit length, from its parts."""
    centre, spread, matrix = table()[0], table()[1], table()[2:]
    vector = matrix @ bent(parts, centre, spread)
    return vector / np.sqrt(vector @ vector)
