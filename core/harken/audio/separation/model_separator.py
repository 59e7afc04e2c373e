"""A recording taken apart by a model, a segment at a time.

The model works at its own rate: what it gives is brought back to the recording's. Channels go through it in groups of
as many as it takes, the last one repeated where they do not suffice. What the stems leave of the whole is the last
stem, "residual", so that they sum to it whatever the model does.
"""

from collections.abc import Callable

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.rendering.resampling import Resampler
from harken.audio.separation.model_file import RESIDUAL, ModelFacts
from harken.audio.separation.segments import SegmentStream
from harken.audio.separation.separator import DelayLine, Parts, Separator

# Splits (channels, samples) of a segment into (stems, channels, samples).
SplitStems = Callable[[Floats], Floats]


def _go_on() -> None:
    """Nothing stops it."""


class ModelSeparator(Separator):
    """One recording's; `before_segment` is called before each run of the model, and may raise what has to stop it."""

    def __init__(
        self,
        facts: ModelFacts,
        split: SplitStems,
        sample_rate: int,
        channels: int,
        before_segment: Callable[[], None] = _go_on,
    ) -> None:
        self.names = (*facts.stems, RESIDUAL)
        self._stems, self._channels = len(facts.stems), channels
        self._whole = DelayLine(channels)
        self._to_model = Resampler(sample_rate, facts.sample_rate, channels)
        groups = -(-channels // facts.channels)
        self._groups = [
            [min(group * facts.channels + at, channels - 1) for at in range(facts.channels)]
            for group in range(groups)
        ]
        self._segments = SegmentStream(facts.segment, self._split, self._stems * channels, channels)
        self._from_model = Resampler(facts.sample_rate, sample_rate, self._stems * channels)
        self._split_group = split
        self._before_segment = before_segment

    def push(self, samples: Floats) -> Parts:
        """What the next samples complete."""
        self._whole.push(samples)
        return self._parts(self._from_model.push(self._segments.push(self._to_model.push(samples))))

    def finish(self) -> Parts:
        """The rest."""
        nothing = np.zeros((self._channels, 0), dtype=np.float32)
        last = self._segments.push(self._to_model.push(nothing, last=True))
        rest = np.concatenate([last, self._segments.finish()], axis=1)
        ready = self._from_model.push(rest, last=True)[:, : self._whole.length]
        missing = self._whole.length - ready.shape[1]
        return self._parts(np.pad(ready, ((0, 0), (0, missing))))

    def _parts(self, ready: Floats) -> Parts:
        ready = ready[:, : self._whole.length]
        stems = ready.reshape(self._stems, self._channels, ready.shape[1])
        return Parts(whole=self._whole.pop(ready.shape[1]), stems=stems)

    def _split(self, segment: Floats) -> Floats:
        """A segment of all channels, (channels, samples), into (stems · channels, samples)."""
        stems = np.empty((self._stems, *segment.shape), dtype=np.float32)
        for group in self._groups:
            self._before_segment()
            given = self._split_group(np.ascontiguousarray(segment[group]))
            for place, channel in enumerate(group):
                stems[:, channel] = given[:, place]
        return stems.reshape(-1, segment.shape[1])
