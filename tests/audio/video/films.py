"""Films that the tests encode, of which each frame says its number, and whose sound is known."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from harken.audio.video.film import Film

WIDTH, HEIGHT, FPS = 96, 64, 25
BITS = 12  # of a frame's number, as black and white bars
SOUND_RATE = 44_100
MATRICES = {0: (1, 0, 0, 1), 1: (0, 1, -1, 0), 2: (-1, 0, 0, -1), 3: (0, -1, 1, 0)}


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A picture of bars that spell a number."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    bar = np.array(bits, np.uint8)[np.arange(width) * BITS // width] * 215 + 20
    return np.ascontiguousarray(np.broadcast_to(bar[None, :, None], (height, width, 3)))


def number_in(pixels: np.ndarray) -> int:
    """The number that a picture of bars spells, at whatever size."""
    width = pixels.shape[1]
    row = pixels[pixels.shape[0] // 2].mean(axis=-1)
    places = [int((bit + 0.5) * width / BITS) for bit in range(BITS)]
    return sum(int(row[place] > 128) << bit for bit, place in enumerate(places))


def film(
    path: Path,
    pictures: Iterable[np.ndarray] | None = None,
    *,
    frames: int = 100,
    codec: str = "libx264",
    form: str | None = None,
    keyframes: int = 25,
    b_frames: int = 2,
    stamps: Callable[[int], int] | None = None,
    matrix: tuple[int, int, int, int] | None = None,
    pixel_aspect: Fraction | None = None,
    faststart: bool = False,
) -> Path:
    """Encodes pictures, else those of the first numbers, 25 a second; `stamps` replaces the packets' times."""
    some = [numbered(n) for n in range(frames)] if pictures is None else list(pictures)
    options = {"movflags": "faststart"} if faststart else {}
    settings = {"preset": "ultrafast", "crf": "10", "g": str(keyframes), "bf": str(b_frames)}
    with av.open(path, "w", format=form, options=options) as container:
        stream = container.add_stream(
            codec, rate=FPS, options=settings if codec == "libx264" else {}
        )
        stream.height, stream.width = some[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if matrix:
            a, b, c, d = (65_536 * entry for entry in matrix)
            stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        muxed = 0
        for number, picture in enumerate([*some, None]):
            frame = None
            if picture is not None:
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts = number
            for packet in stream.encode(frame):
                if stamps:
                    packet.pts = packet.dts = stamps(muxed)
                muxed += 1
                container.mux(packet)
    return path


def flashing_film(
    path: Path,
    *,
    seconds: int = 6,
    uneven: bool = False,
    picture_from_s: float = 0.0,
    sound_from_s: float = 0.0,
    gap: bool = False,
    form: str = "matroska",
) -> Path:
    """A film that flashes at each full second, when there is a click too; `gap` leaves out a second of sound."""
    times = np.random.default_rng(1).uniform(0.01, 0.09, 1000) if uneven else np.full(1000, 0.04)
    samples = np.zeros(seconds * SOUND_RATE, np.float32)
    for second in range(1, seconds):
        samples[second * SOUND_RATE :][:441] = 0.8
    with av.open(path, "w", format=form) as container:
        picture = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture.codec_context.time_base = Fraction(1, 1000)
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        due, shown = 0.0, 0
        for start in range(0, samples.size - 1023, 1024):
            now = start / SOUND_RATE
            while due <= now:
                if due >= picture_from_s:
                    bright = due > 0.5 and due % 1.0 < 0.2
                    grey = np.full((HEIGHT, WIDTH, 3), 255 if bright else 40, np.uint8)
                    frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                    frame.pts, frame.time_base = round(due * 1000), Fraction(1, 1000)
                    container.mux(picture.encode(frame))
                due, shown = due + times[shown], shown + 1
            if now < sound_from_s or (gap and 2.3 < now < 3.6):
                continue
            part = av.AudioFrame.from_ndarray(
                samples[None, start : start + 1024], format="fltp", layout="mono"
            )
            part.sample_rate, part.pts, part.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
            container.mux(sound.encode(part))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    return path


def flashes(path: Path) -> list[float]:
    """When the picture turns bright, in seconds."""
    found, bright = [], False
    with av.open(path) as container:
        for frame in container.decode(video=0):
            now = frame.to_ndarray(format="gray").mean() > 150
            if now and not bright:
                found.append(frame.time)
            bright = now
    return found


def clicks(path: Path) -> list[float]:
    """When the sound clicks, in seconds."""
    found: list[float] = []
    with av.open(path) as container:
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.3)
            for place in loud / frame.sample_rate + frame.time:
                if not found or place - found[-1] > 0.3:
                    found.append(float(place))
    return found


def opened(path: Path) -> Film:
    """The film."""
    return Film(str(path))
