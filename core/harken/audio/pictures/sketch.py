"""What pictures are drawn from: gathered as the sound passes, in memory that does not grow with it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import FRAME_RATE, Doubles, Floats, MelBlock, SoundBlock
from harken.audio.chroma import PITCH_CLASSES
from harken.audio.gating import GATE_HOP_STEPS, MOMENTARY_STEPS, SHORT_TERM_STEPS, SlidingMean
from harken.audio.gating import STEPS_A_SECOND as ENERGIES_A_SECOND
from harken.audio.mel import BANDS, SILENCE_DB
from harken.audio.pictures.columns import Columns
from harken.audio.pictures.extremes import Extremes, ExtremesMeter
from harken.audio.pictures.result import PictureKind
from harken.audio.pictures.tempo_map import TempoMap, tempo_map

HEARS: Final = {
    PictureKind.WAVEFORM: Hears.SOUND,
    PictureKind.PEAKS: Hears.SOUND,
    PictureKind.MEL_SPECTROGRAM: Hears.MEL,
    PictureKind.CHROMAGRAM: Hears.CHROMA | Hears.MEL,
    PictureKind.TEMPOGRAM: Hears.ENVELOPE,
    PictureKind.LOUDNESS: Hears.ENERGIES,
}
LEVELS_A_SECOND: Final = ENERGIES_A_SECOND / GATE_HOP_STEPS
# Chroma is relative to its own frame: below this, under the recording's peak, it is that of noise.
CHROMA_FLOOR_DB: Final = -60.0
DECIBELS: Final = np.float32(np.log(10.0) / 10.0)  # to the logarithm of a power


@dataclass(frozen=True, kw_only=True)
class Line:
    """Columns over time: of the first, the middle is `begin_s`; shape (columns, rows)."""

    values: Floats
    begin_s: float
    step_s: float


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """What was asked for is there, unless the recording has none of it."""

    duration_s: float
    extremes: Extremes | None = None
    mel_db: Line | None = None  # below the peak: 0 to -80; None for silence
    chroma: Line | None = None
    tempi: TempoMap | None = None
    momentary: Line | None = None  # mean energies of 400 ms, the largest in each column
    short_term: Line | None = None  # of 3 s, their mean


class Sketcher(Analysis):
    """Hears what the pictures of these kinds need."""

    def __init__(self, kinds: Collection[PictureKind]) -> None:
        self.hears = Hears.NOTHING
        for kind in kinds:
            self.hears |= HEARS[kind]
        self.sketch: Sketch | None = None
        self._extremes: ExtremesMeter | None = None
        self._mel = Columns(BANDS)
        self._chroma = Columns(PITCH_CLASSES)
        self._momentary = _Loudness(MOMENTARY_STEPS, maximum=True)
        self._short_term = _Loudness(SHORT_TERM_STEPS, maximum=False)

    def on_sound(self, block: SoundBlock) -> None:
        """Take in the next samples."""
        if self._extremes is None:
            self._extremes = ExtremesMeter(block.sample_rate, len(block.channels))
        self._extremes.add(block.samples)

    def on_energies(self, energies: Doubles) -> None:
        """Take in the next energies."""
        self._momentary.add(energies)
        self._short_term.add(energies)

    def on_mel(self, block: MelBlock) -> None:
        """Take in the next mel frames, as powers: the mean of decibels is of no sound."""
        self._mel.add(np.exp(block.decibels * DECIBELS))

    def on_chroma(self, chroma: Floats) -> None:
        """Take in the next chroma frames."""
        self._chroma.add(chroma.T)

    def finish(self) -> Sketch:
        """What was gathered."""
        track = self.track
        self.sketch = Sketch(
            duration_s=track.duration_s,
            extremes=self._extremes.finish() if self._extremes else None,
            mel_db=self._mel_db() if Hears.MEL in self.hears else None,
            chroma=self._sounding_chroma() if Hears.CHROMA in self.hears else None,
            tempi=tempo_map(track.envelope, track.duration_s)
            if Hears.ENVELOPE in self.hears
            else None,
            momentary=self._momentary.finish(),
            short_term=self._short_term.finish(),
        )
        return self.sketch

    def _mel_db(self) -> Line | None:
        line = _line(self._mel, FRAME_RATE, 0.0)
        if line is None:
            return None
        decibels = np.float32(10.0) * np.log10(np.maximum(line.values, np.float32(1e-30)))
        peak = float(decibels.max())
        if peak <= SILENCE_DB + 1.0:
            return None
        return Line(values=decibels - peak, begin_s=line.begin_s, step_s=line.step_s)

    def _sounding_chroma(self) -> Line | None:
        """Chroma where there is sound; nothing elsewhere."""
        chroma, level = _line(self._chroma, FRAME_RATE, 0.0), self._mel_db()
        if chroma is None or level is None:
            return None
        sounds = level.values.max(axis=1, keepdims=True) >= CHROMA_FLOOR_DB
        return replace(chroma, values=np.where(sounds, chroma.values, np.float32(0.0)))


class _Loudness:
    """Mean energies over a window, every 100 ms; each stands in the middle of its window."""

    def __init__(self, steps: int, *, maximum: bool) -> None:
        self._means = SlidingMean(steps)
        self._columns = Columns(1, maximum=maximum)
        self._middle_s = steps / 2 / ENERGIES_A_SECOND

    def add(self, energies: Doubles) -> None:
        """Take in the next energies."""
        self._means.add(energies)
        self._columns.add(self._means.taken()[:, None])

    def finish(self) -> Line | None:
        """The columns; None for what is shorter than the window."""
        return _line(self._columns, LEVELS_A_SECOND, self._middle_s)


def _line(columns: Columns, rate: float, first_s: float) -> Line | None:
    values = columns.finish()
    if values.shape[0] == 0:
        return None
    each = columns.frames_each
    return Line(values=values, begin_s=first_s + (each - 1) / 2 / rate, step_s=each / rate)
