"""How long the parts of the feature `video` take: `python -m benchmarks.video FILE...`; medians of several rounds.

Without files: a minute of film in Full HD that is made here, with a keyframe every ten seconds.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from harken.audio.video.contact_sheet import Grid, contact_sheet
from harken.audio.video.film import Film
from harken.audio.video.frame_finder import FrameFinder
from harken.audio.video.picture import encoded, picture_of
from harken.audio.video.poster import poster
from harken.audio.video.probe import probe
from harken.audio.video.proxy import ProxyForm, write_proxy
from harken.audio.video.shape import Shape, box_of

ROUNDS = 5
SECONDS, FPS, WIDTH, HEIGHT, KEYFRAMES = 60, 25, 1920, 1080, 250
GRID = Grid(columns=4, rows=4, width=1280)
FORM = ProxyForm(height=480, fps=10.0)


def nothing(*_: object) -> None:
    """Nobody is told."""


def facts(path: str) -> None:
    """What the film is."""
    with Film(path) as film:
        probe(film, nothing)


def thumbnail(path: str) -> None:
    """The frame that stands for it."""
    with Film(path) as film:
        found = poster(FrameFinder(film, nothing), probe(film, nothing).duration_s)
        assert found is not None
        shape = Shape.of(found.frame, film.stream.sample_aspect_ratio)
        encoded(picture_of(found.frame, shape, shape.within(box_of(720))), "jpeg")


def sheet(path: str) -> None:
    """Sixteen frames."""
    with Film(path) as film:
        length_s = probe(film, nothing).duration_s or 1.0
        made = contact_sheet(film, FrameFinder(film, nothing), length_s, GRID, "", nothing)
        assert made is not None
        encoded(made.picture, "jpeg")


def proxy(path: str) -> None:
    """480p at 10 frames a second, by one thread."""
    with Film(path) as film, tempfile.TemporaryFile() as file:
        write_proxy(film, file, FORM, threads=1, on_time=nothing)


def decoding(path: str) -> None:
    """Every frame, and nothing else: what the others are to be compared with."""
    with Film(path) as film:
        for packet in film.packets():
            film.frames(packet)


PARTS: tuple[Callable[[str], None], ...] = (facts, thumbnail, sheet, proxy, decoding)


@contextmanager
def made_film() -> Generator[str]:
    """A film of moving noise over a gradient."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "full-hd.mp4"))
        chance = np.random.default_rng(1)
        ground = np.linspace(0, 200, WIDTH, dtype=np.uint8)[None, :, None]
        grain = chance.integers(0, 55, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        with av.open(path, "w") as container:
            stream = container.add_stream(
                "libx264", rate=FPS, options={"preset": "ultrafast", "g": str(KEYFRAMES)}
            )
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for number in range(SECONDS * FPS):
                picture = np.roll(ground + grain, 4 * number, axis=1)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        yield path


def measure(path: str) -> None:
    """Prints a line for each part of one film."""
    took: dict[str, list[float]] = {part.__name__: [] for part in PARTS}
    for _ in range(ROUNDS):  # interleaved
        for part in PARTS:
            begun = time.perf_counter()
            part(path)
            took[part.__name__].append(time.perf_counter() - begun)
    print(Path(path).name)
    for name, times in took.items():
        print(f"  {name:<10} {1000 * statistics.median(times):8.0f} ms")


def main() -> None:
    """Measures the files named, or one that is made here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    files = parser.parse_args().files
    for path in files:
        measure(path)
    if not files:
        with made_film() as path:
            measure(path)


if __name__ == "__main__":
    sys.exit(main())
