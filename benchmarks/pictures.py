"""What pictures of three minutes cost: gathering, drawing and packing each, in milliseconds.

    python -m benchmarks.pictures [FILE]

Gathering is the time in the listener alone; the pass over the sound, which all features share, is not in it.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from harken.audio import Feature, PictureKind
from harken.audio.engine import run
from harken.audio.pictures.gallery import Known, Look, draw
from harken.audio.pictures.sketch import Sketcher

SECONDS: Final = 180
RATE: Final = 44_100
ROUNDS: Final = 6
HEARD: Final = ("on_sound", "on_energies", "on_mel", "on_chroma", "finish")


class TimedSketcher(Sketcher):
    """Adds up the time spent in it."""

    def __init__(self, kind: PictureKind) -> None:
        super().__init__((kind,))
        self.spent_s = 0.0
        for name in HEARD:
            setattr(self, name, self._timed(getattr(self, name)))

    def _timed(self, heard: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*blocks: Any) -> Any:
            begun = time.perf_counter()
            try:
                return heard(*blocks)
            finally:
                self.spent_s += time.perf_counter() - begun

        return timed


def main() -> None:
    """Prints a line for each kind."""
    with tempfile.TemporaryDirectory() as folder:
        path = sys.argv[1] if len(sys.argv) > 1 else str(_sound(Path(folder)))
        found = run(path, (Feature.RHYTHM, Feature.LOUDNESS), None)
        assert found.rhythm is not None
        assert found.loudness is not None
        known = Known(
            beats_s=found.rhythm.beats_s,
            tempo_bpm=found.rhythm.tempo_bpm,
            integrated_lufs=found.loudness.integrated_lufs,
        )
        print(f"median of {ROUNDS - 1}, 1600 x 500:   gather      draw     whole       size")
        for kind in PictureKind:
            print(_row(kind, path, known), flush=True)


def _row(kind: PictureKind, path: str, known: Known) -> str:
    gathering: list[float] = []
    drawing: list[float] = []
    size = 0
    for number in range(ROUNDS):
        sketcher = TimedSketcher(kind)
        run(path, (), None, listeners={Feature.PICTURES: sketcher})
        assert sketcher.sketch is not None
        begun = time.perf_counter()
        size = sum(len(one.content) for one in draw(kind, sketcher.sketch, known, Look()))
        if number:  # the first one compiles, and loads the font
            drawing.append(1e3 * (time.perf_counter() - begun))
            gathering.append(1e3 * sketcher.spent_s)
    gather, drawn = statistics.median(gathering), statistics.median(drawing)
    name = kind.name.lower().replace("_", " ")
    return (
        f"{name:<24} {gather:7.1f} ms {drawn:6.1f} ms {gather + drawn:6.1f} ms {size / 1e3:7.0f} kB"
    )


def _sound(folder: Path) -> Path:
    """Chords, a beat and noise, in stereo."""
    at = np.arange(SECONDS * RATE) / RATE
    chords = sum(
        np.sin(2 * np.pi * hertz * 2 ** (np.floor(at) % 5 / 12) * at) for hertz in (220, 277, 330)
    )
    beat = np.exp(-30 * (at % 0.5)) * np.random.default_rng(1).normal(size=at.shape[0])
    sound = np.stack([0.1 * chords + 0.3 * beat, 0.15 * chords + 0.1 * beat], axis=1)
    path = folder / "sound.wav"
    soundfile.write(path, sound, RATE)
    return path


if __name__ == "__main__":
    main()
