"""Separators fed as the engine feeds them, a block at a time."""

from collections.abc import Sequence

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.separation.separator import Separator


def separated(
    separator: Separator, samples: Floats, *, blocks: Sequence[int] = (50_000,)
) -> tuple[Floats, Floats]:
    """The whole as it came out, and all stems; blocks of these lengths in turn."""
    parts = []
    at = turn = 0
    while at < samples.shape[1]:
        length = blocks[turn % len(blocks)]
        parts.append(separator.push(samples[:, at : at + length]))
        at, turn = at + length, turn + 1
    parts.append(separator.finish())
    whole = np.concatenate([part.whole for part in parts], axis=1)
    stems = np.concatenate([part.stems for part in parts], axis=2)
    return whole, np.concatenate([stems, (whole - stems.sum(axis=0))[None]])


def si_sdr(estimate: Floats, truth: Floats) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019)."""
    estimate, truth = estimate.ravel().astype(float), truth.ravel().astype(float)
    target = truth * (estimate @ truth) / (truth @ truth)
    return 10 * np.log10((target @ target) / ((estimate - target) @ (estimate - target)))
