"""What the meter finds in samples that stand in no file."""

import numpy as np

from harken.audio import ProblemKind, Quality
from harken.audio.blocks import SoundBlock
from harken.audio.quality.meter import QualityMeter
from tests.audio.signals import Samples

SPEAKERS = ("FL", "FR", "FC", "LFE", "BL", "BR")


def quality_of(samples: Samples, *, rate: int = 44_100, block: int = 30_000) -> Quality:
    """The group of (n,) or (channels, n) samples that come in blocks of `block`."""
    meter = QualityMeter()
    channels = np.atleast_2d(samples).astype(np.float32)
    names = SPEAKERS[: channels.shape[0]]
    for start in range(0, channels.shape[1], block):
        part = np.ascontiguousarray(channels[:, start : start + block])
        meter.on_sound(SoundBlock(samples=part, sample_rate=rate, channels=names))
    return meter.finish()


def kinds(found: Quality) -> set[ProblemKind]:
    """Kinds of the problems."""
    return {problem.kind for problem in found.problems}


def rounded(samples: Samples, bits: int) -> Samples:
    """As whole numbers of so many bits."""
    steps = 2.0 ** (bits - 1)
    return np.clip(np.round(samples * steps), -steps, steps - 1) / steps
