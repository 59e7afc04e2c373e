"""A recording rendered into a file: cut, mixed, resampled, brought to a loudness, rounded.

The loudness is reached by measuring what is written: where the gain that was taken turns out wrong, since silence was
cut off or channels were mixed, the file is written again with the right one.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final

import numpy as np

from harken.audio.blocks import Floats, SoundBlock
from harken.audio.decode import Recording
from harken.audio.energy_stream import EnergyStream
from harken.audio.loudness import LoudnessMeter
from harken.audio.mono import downmix
from harken.audio.rendering.gain import Gain, Levels, gain_for
from harken.audio.rendering.resampling import Resampler
from harken.audio.writing.form import Form, Quantiser
from harken.audio.writing.sound_file import SoundFile

MOST_PASSES: Final = 4
CLOSE_DB: Final = 0.05  # a loudness that near is reached
ABOVE_DB: Final = 0.001  # so little may a peak be above its ceiling: it is the error of its measure
MONO: Final = ("FC",)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a file is to be; None is as it is in the recording. `start` and `end` are samples of that."""

    form: Form
    sample_rate: int | None = None
    mono: bool = False
    start: int = 0
    end: int | None = None
    loudness_lufs: float | None = None
    ceiling_dbtp: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a file has become."""

    samples: int
    sample_rate: int
    channels: int
    gain: Gain
    levels: Levels


Opened = Callable[[], AbstractContextManager[Recording]]


def render(
    opened: Opened,
    file: BinaryIO,
    wanted: Wanted,
    levels: Levels,
    on_share: Callable[[int, float], None],
) -> Rendered:
    """Writes into `file`, which is empty; `levels` are those of the recording, as a first guess.

    `opened` opens the recording anew for each pass. `on_share` is told the number of the pass and its share that is
    done, and may raise what has to stop it. Raises InputError for what the format cannot hold.
    """
    gain = _gain(levels, wanted)
    for number in range(MOST_PASSES):
        file.seek(0)
        file.truncate()
        with opened() as recording:
            rendered = _written(recording, file, wanted, gain, partial(on_share, number))
        right = _gain(rendered.levels.without(gain.db), wanted)
        excess = gain.db - right.db
        reached = -CLOSE_DB <= excess <= (ABOVE_DB if right.held else CLOSE_DB)
        if reached or number == MOST_PASSES - 1:
            return rendered
        gain = right
    raise AssertionError("there is at least one pass")


def _gain(levels: Levels, wanted: Wanted) -> Gain:
    return gain_for(
        levels,
        loudness_lufs=wanted.loudness_lufs,
        ceiling_dbtp=wanted.ceiling_dbtp,
        clips=not wanted.form.is_float,
    )


def _written(
    recording: Recording,
    file: BinaryIO,
    wanted: Wanted,
    gain: Gain,
    on_share: Callable[[float], None],
) -> Rendered:
    meter, energies = LoudnessMeter(), EnergyStream()
    quantiser = Quantiser(wanted.form)
    sound: SoundFile | None = None
    rate, channels = 0, ()
    try:
        for block in _resampled(_chosen(recording, wanted), wanted):
            rate, channels = block.sample_rate, block.channels
            sound = sound or SoundFile(file, wanted.form, rate, channels)
            samples = block.samples
            if gain.db:
                samples = samples * np.float32(10.0 ** (gain.db / 20.0))
            heard = SoundBlock(samples=samples, sample_rate=rate, channels=channels)
            meter.on_sound(heard)
            if (steps := energies.push(heard)) is not None:
                meter.on_energies(steps)
            sound.write(samples if wanted.form.is_float else quantiser.numbers(samples))
            on_share(recording.share_done)
        assert sound is not None  # a recording without samples has raised
        sound.close()
    except BaseException:
        if sound is not None:
            sound.abandon()
        raise
    found = meter.finish()
    return Rendered(
        samples=sound.samples,
        sample_rate=rate,
        channels=len(channels),
        gain=gain,
        levels=Levels(
            integrated_lufs=found.integrated_lufs,
            true_peak_dbtp=found.true_peak_dbtp,
            sample_peak_dbfs=found.sample_peak_dbfs,
        ),
    )


def _chosen(recording: Recording, wanted: Wanted) -> Iterator[SoundBlock]:
    """The samples that are kept, of the channels that are wanted."""
    at = 0
    for block in recording.blocks():
        first, at = at, at + block.samples.shape[1]
        last = at if wanted.end is None else min(wanted.end, at)
        samples = block.samples[:, max(wanted.start - first, 0) : max(last - first, 0)]
        channels = block.channels
        if wanted.mono and len(channels) > 1:
            samples, channels = downmix(samples)[None], MONO
        yield SoundBlock(
            samples=np.ascontiguousarray(samples), sample_rate=block.sample_rate, channels=channels
        )


def _resampled(blocks: Iterator[SoundBlock], wanted: Wanted) -> Iterator[SoundBlock]:
    resampler: Resampler | None = None
    block: SoundBlock | None = None
    rate = 0
    for block in blocks:
        rate = wanted.sample_rate or block.sample_rate
        resampler = resampler or Resampler(block.sample_rate, rate, len(block.channels))
        yield _at(rate, resampler.push(block.samples), block)
    if resampler is not None and block is not None:
        nothing: Floats = block.samples[:, :0]
        yield _at(rate, resampler.push(nothing, last=True), block)


def _at(rate: int, samples: Floats, like: SoundBlock) -> SoundBlock:
    return SoundBlock(
        samples=np.ascontiguousarray(samples), sample_rate=rate, channels=like.channels
    )
