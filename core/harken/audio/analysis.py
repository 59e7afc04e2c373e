"""What every analysis is: a listener to some of the blocks that makes one group of the result."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from enum import Flag, auto
from typing import TypeVar

from harken.audio.blocks import Doubles, Floats, MelBlock, SoundBlock, SpectrumBlock
from harken.audio.decode import Recording

Resource = TypeVar("Resource")


class Hears(Flag):
    """The kinds of blocks the engine has to make for an analysis."""

    NOTHING = 0
    SOUND = auto()
    SPECTRUM = auto()
    MEL = auto()
    ENVELOPE = auto()
    MONO = auto()
    ENERGIES = auto()
    CHROMA = auto()


@dataclass(frozen=True, kw_only=True)
class Track:
    """What is known once every block has been heard."""

    recording: Recording
    duration_s: float
    envelope: Floats  # onset strength a frame; empty unless an analysis hears it
    done: Callable[[float], None]  # to be told now and then how many seconds a slow finish has done


class Analysis:
    """Base of the analyses, one instance a recording: override what `hears` names, and `finish`."""

    hears: Hears = Hears.NOTHING
    track: Track

    _cleanup: ExitStack | None = None

    def until_closed(self, resource: AbstractContextManager[Resource]) -> Resource:
        """Enter `resource` and leave it when the engine closes this analysis."""
        if self._cleanup is None:
            self._cleanup = ExitStack()
        return self._cleanup.enter_context(resource)

    def close(self) -> None:
        """Give back what `until_closed` holds; a second time does nothing."""
        if self._cleanup is not None:
            self._cleanup.close()

    def on_sound(self, block: SoundBlock) -> None:
        """Samples at the recording's own rate."""

    def on_energies(self, energies: Doubles) -> None:
        """K-weighted energies, one every 10 ms; none come of a recording below 8 kHz."""

    def on_mono(self, samples: Floats) -> None:
        """Samples of the mono signal at 22,050 Hz, seldom as many at a time."""

    def on_spectrum(self, block: SpectrumBlock) -> None:
        """Spectral frames of the mono signal."""

    def on_chroma(self, chroma: Floats) -> None:
        """The pitch classes of the same frames, (12, frames), the largest of each frame being 1."""

    def on_mel(self, block: MelBlock) -> None:
        """The same frames as a mel spectrum, in a second pass."""

    def conclude(self, track: Track) -> object:
        """The analysis's group of the result, once every block has been heard."""
        self.track = track
        return self.finish()

    def finish(self) -> object:
        """The group, a dataclass of result.py; `self.track` is there by now."""
        raise NotImplementedError
