"""Stems as FLAC files whose numbers sum to those of the whole.

The whole is rounded to 24 bits, and each stem but the last; the last is what those leave of the whole, in whole
numbers. So nothing is lost by rounding, and of a recording of 24 bits or fewer the stems sum to exactly what it holds.

Where a stem or the whole goes beyond full scale, as what was MP3 does, nothing is clipped: all stems are written at
half their level from the beginning on, as often as it takes, and the gain says so. What was written by then is read
and written again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log10
from typing import BinaryIO, Final

import numpy as np

from harken.audio.blocks import Doubles, Integers
from harken.audio.decode import Recording
from harken.audio.loudness import decibels
from harken.audio.separation.separator import Parts
from harken.audio.writing.form import Form
from harken.audio.writing.sound_file import SoundFile

FORM: Final = Form()
HALF_DB: Final = 20.0 * log10(0.5)
HIGHEST: Final = FORM.full_scale - 1
LARGEST: Final = (
    2.0**30
)  # what is far beyond full scale becomes this, before it is halved until it fits


@dataclass(frozen=True, kw_only=True)
class StemFile:
    """A stem that is complete."""

    name: str
    file: BinaryIO
    size: int
    gain_db: float  # that all stems of this whole were given
    rms_dbfs: float | None  # before it
    energy_share: float | None


class StemFiles:
    """The files of one separator; whoever makes them by `new_file` closes them."""

    def __init__(
        self,
        names: tuple[str, ...],
        sample_rate: int,
        channels: tuple[str, ...],
        new_file: Callable[[], BinaryIO],
    ) -> None:
        """Begins the files. Raises InputError for a recording that FLAC cannot hold."""
        self._names = names
        self._rate = sample_rate
        self._channels = channels
        self._new_file = new_file
        self._halvings = 0
        self._energies = np.zeros(len(names))
        self._count = 0
        self._files = self._begun()

    @property
    def size(self) -> int:
        """Bytes of all files so far."""
        return sum(file.size for file in self._files)

    def add(self, parts: Parts) -> None:
        """Write the next samples."""
        if parts.whole.shape[1] == 0:
            return
        last = parts.whole - parts.stems.sum(axis=0)
        self._energies += [float(np.vdot(stem, stem)) for stem in (*parts.stems, last)]
        self._count += parts.whole.size
        numbers = self._numbers(parts)
        while any(_beyond(stem) for stem in numbers):
            self._halve()
            numbers = self._numbers(parts)
        for file, stem in zip(self._files, numbers, strict=True):
            file.write(stem)

    def finish(self) -> tuple[StemFile, ...]:
        """The stems, complete and at their beginning."""
        for file in self._files:
            file.close()
        total = float(self._energies.sum())
        stems: list[StemFile] = []
        for name, file, energy in zip(
            self._names, self._files, self._energies.tolist(), strict=True
        ):
            size = file.file.seek(0, 2)
            file.file.seek(0)
            stems.append(
                StemFile(
                    name=name,
                    file=file.file,
                    size=size,
                    gain_db=HALF_DB * self._halvings or 0.0,  # not minus zero
                    rms_dbfs=decibels((energy / max(self._count, 1)) ** 0.5),
                    energy_share=energy / total if total > 0.0 else None,
                )
            )
        return tuple(stems)

    def _begun(self) -> list[SoundFile]:
        return [SoundFile(self._new_file(), FORM, self._rate, self._channels) for _ in self._names]

    def _numbers(self, parts: Parts) -> list[Integers]:
        scale = FORM.full_scale * 0.5**self._halvings
        stems = [_rounded(stem * np.float64(scale)) for stem in parts.stems]
        return _with_last(_rounded(parts.whole * np.float64(scale)), stems)

    def _halve(self) -> None:
        """Write everything again at half its level."""
        self._halvings += 1
        before, self._files = self._files, self._begun()
        written = before[0].samples
        for file in before:
            file.close()
        if written:
            self._copy_halved(before)
        for file in before:
            file.file.close()

    def _copy_halved(self, before: list[SoundFile]) -> None:
        recordings = [Recording("stem.flac", descriptor=file.file.fileno()) for file in before]
        try:
            for blocks in zip(*(recording.blocks() for recording in recordings), strict=True):
                stems = [block.samples * np.float64(FORM.full_scale) for block in blocks]
                whole = _rounded(np.sum(stems, axis=0) / 2)
                halved = _with_last(whole, [_rounded(stem / 2) for stem in stems[:-1]])
                for file, stem in zip(self._files, halved, strict=True):
                    file.write(stem)
        finally:
            for recording in recordings:
                recording.__exit__(None, None, None)


def _rounded(scaled: Doubles) -> Integers:
    return np.clip(np.rint(scaled), -LARGEST, LARGEST).astype(np.int32)


def _with_last(whole: Integers, stems: list[Integers]) -> list[Integers]:
    return [*stems, whole - sum(stems, start=np.zeros_like(whole))]


def _beyond(numbers: Integers) -> bool:
    return int(numbers.max()) > HIGHEST or int(numbers.min()) < -HIGHEST
