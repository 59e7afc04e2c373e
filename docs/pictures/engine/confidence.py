"""Whether a confidence is a probability: how many are right of those that say so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from benchmarks import key as keys
from benchmarks.rhythm.scores import right
from docs.pictures.engine.canvas import GREY, HARKEN, label, panels, save
from harken.audio import Feature, analyze
from harken.audio.key_confidence import probability
from tests.audio.band.instruments import RATE
from tests.audio.band.performance import Take, clip, loop, song

BINS: Final = 5
# Of each the odd seeds, which no weight was fitted on.
LOOPS: Final = 400
CLIPS: Final = 100
SONGS: Final = 40
PIECES: Final = 80
NINE_IN_TEN: Final = 1.64  # standard deviations


def draw_confidences(folder: Path) -> None:
    """Of how many with a confidence the tempo, or key, is right: on the line, it is a probability."""
    figure, (left, right_) = panels(3.4, 2)
    for axes, title, rows in (
        (left, "tempo right within 4 %", list(tempi(folder))),
        (right_, "key and mode both right", list(known_keys())),
    ):
        said, was = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        bins = np.minimum((said * BINS).astype(int), BINS - 1)
        axes.plot((0, 1), (0, 1), color=GREY, lw=1)
        for number in np.unique(bins):
            inside = bins == number
            low, high = wilson(int(was[inside].sum()), int(inside.sum()))
            x, y = said[inside].mean(), was[inside].mean()
            axes.vlines(x, low, high, color=HARKEN, lw=1.5)
            axes.plot(x, y, "o", ms=6, color=HARKEN)
            axes.annotate(
                str(inside.sum()), (x, y), (6, -9), textcoords="offset points", fontsize=8
            )
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
        label(axes, f"{title}: {was.sum()} of {was.shape[0]}", "confidence said", "share right")
        print(
            f"{title}: right {was.mean():.2f}, said {said.mean():.2f} on average, {len(rows)} files"
        )
    save(figure, "confidence")


def tempi(folder: Path) -> Iterator[tuple[float, bool]]:
    """Confidence and truth of what the band plays."""
    path = folder / "take.wav"
    kinds: tuple[tuple[Callable[[int], Take], int], ...] = (
        (loop, LOOPS),
        (clip, CLIPS),
        (song, SONGS),
    )
    for play, count in kinds:
        for seed in range(1, count, 2):
            take = play(seed)
            soundfile.write(path, take.samples.astype(np.float32), RATE, subtype="PCM_16")
            rhythm = analyze(path, [Feature.RHYTHM]).rhythm
            assert rhythm is not None
            if rhythm.tempo_bpm is not None and rhythm.tempo_confidence is not None:
                yield rhythm.tempo_confidence, right(rhythm.tempo_bpm, take.bpm)


def known_keys() -> Iterator[tuple[float, bool]]:
    """Confidence and truth of generated pieces, clean and not, and of what has no key."""
    for sound in keys.sounds(PIECES):
        if sound[0] % 2:
            one = keys.hear(*sound, None)
            if one.key:
                yield probability(one.key), one.right


def wilson(hits: int, count: int, z: float = NINE_IN_TEN) -> tuple[float, float]:
    """The interval that holds the true share nine times in ten (Wilson 1927)."""
    share = hits / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return middle - half, middle + half
