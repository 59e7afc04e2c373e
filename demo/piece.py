"""A minute of music whose tempo, key and loudness are known, because it is composed here.

Chords, bass, melody and drums, all synthesised with numpy from a seed. The loudness is set with a
meter of its own (ITU-R BS.1770-4 straight from the standard's table for 48 kHz, in the frequency
domain), so that what an analyser finds can be held against a figure it had no part in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, cast

import av
import numpy as np
import soundfile
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

SAMPLE_RATE: Final = 48_000  # Hz: BS.1770 tabulates its filters here, and Opus needs it
LOUDNESS_LUFS: Final = -16.0
BEATS_A_BAR: Final = 4
KEYS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SCALES: Final = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
# Scale degrees of the chords' roots, a bar each: I V vi IV I IV V I and i VI iv V-less i VII i.
PROGRESSIONS: Final = {"major": (0, 4, 5, 3, 0, 3, 4, 0), "minor": (0, 5, 3, 0, 0, 6, 5, 0)}
# How an extension is written: container, sound codec, sample format. Vorbis is not among them: the
# FFmpeg in PyAV cannot encode it well, libsndfile can.
FORMATS: Final = {
    ".wav": ("wav", "pcm_s16le", "s16"),
    ".aiff": ("aiff", "pcm_s16be", "s16"),
    ".flac": ("flac", "flac", "s16"),
    ".mp3": ("mp3", "libmp3lame", "fltp"),
    ".opus": ("ogg", "libopus", "flt"),
    ".m4a": ("ipod", "aac", "fltp"),
    ".wma": ("asf", "wmav2", "fltp"),
    ".mp4": ("mp4", "aac", "fltp"),
    ".mkv": ("matroska", "libopus", "flt"),
}
VORBIS: Final = ".ogg"
WITH_PICTURE: Final = frozenset({".mp4", ".mkv"})
BIT_RATE: Final = 160_000  # bit/s of the lossy formats
FRAMES_A_SECOND: Final = 10  # of the picture
WRITE_SAMPLES: Final = 4800  # a tenth of a second, one picture


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The music and all that is known about it."""

    samples: Floats  # (n, 2), full scale ±1
    sample_rate: int
    tempo_bpm: float
    key: str
    mode: str
    integrated_lufs: float
    beats_s: tuple[float, ...]


def compose(
    tempo_bpm: float = 112.0,
    key: str = "A",
    mode: str = "minor",
    duration_s: float = 60.0,
    seed: int = 7,
) -> Piece:
    """Music of `duration_s` seconds; the same arguments always make the same samples.

    `key` is one of KEYS, `mode` "major" or "minor". The first beat stands at 0 s.
    """
    rng = np.random.default_rng(seed)
    beat_s = 60.0 / tempo_bpm
    mix = np.zeros((round(duration_s * SAMPLE_RATE), 2))
    bars = int(np.ceil(duration_s / (beat_s * BEATS_A_BAR)))
    scale = _Scale(tonic=KEYS.index(key), steps=SCALES[mode])
    melody = _Melody(scale, rng)
    for bar in range(bars):
        start = bar * BEATS_A_BAR * beat_s
        root = PROGRESSIONS[mode][bar % len(PROGRESSIONS[mode])]
        for voice, degree in enumerate((root, root + 2, root + 4, root + 7)):
            tone = _pad(scale.hertz(degree, 4), BEATS_A_BAR * beat_s)
            _add(mix, start, 0.10 * tone, pan=(voice - 1.5) / 3)
        for beat, degree in ((0.0, root), (1.5, root), (2.0, root + 4), (3.0, root)):
            _add(mix, start + beat * beat_s, 0.34 * _bass(scale.hertz(degree, 2), 0.9 * beat_s))
        if bar >= 2:
            for beat, degree in melody.bar(root):
                tone = _pluck(scale.hertz(degree, 5), 1.4 * beat_s)
                _add(mix, start + beat * beat_s, 0.20 * tone, pan=0.25)
        _drum_bar(mix, start, beat_s, rng)
    fade = min(mix.shape[0], SAMPLE_RATE // 2)
    mix[-fade:] *= np.linspace(1.0, 0.0, fade)[:, None]
    # A gentle limiter, before the gain: the loudness is that of what is heard.
    mix = np.tanh(1.2 * mix)
    mix *= 10.0 ** ((LOUDNESS_LUFS - integrated_loudness(mix)) / 20.0)
    beats = np.arange(0.0, duration_s, beat_s)
    return Piece(
        samples=mix.astype(np.float32),
        sample_rate=SAMPLE_RATE,
        tempo_bpm=tempo_bpm,
        key=key,
        mode=mode,
        integrated_lufs=LOUDNESS_LUFS,
        beats_s=tuple(beats.tolist()),
    )


def write(path: str | Path, piece: Piece) -> None:
    """Write the piece in the format of the path's extension: one of FORMATS, or ".ogg" for Vorbis.

    Videos get a plain picture that brightens with the beat. Raises ValueError for another extension.
    """
    extension = Path(path).suffix.lower()
    if extension == VORBIS:
        _write_vorbis(path, piece)
        return
    if extension not in FORMATS:
        known = ", ".join((*FORMATS, VORBIS))
        raise ValueError(f"cannot write '{extension}'; one of {known}")
    container_format, codec, sample_format = FORMATS[extension]
    with av.open(str(path), "w", format=container_format) as container:
        sound = cast("AudioStream", container.add_stream(codec, rate=piece.sample_rate))
        sound.layout, sound.format = "stereo", sample_format
        if not codec.startswith("pcm") and codec != "flac":
            sound.bit_rate = BIT_RATE
        picture = None
        if extension in WITH_PICTURE:
            picture = container.add_stream("libx264", rate=FRAMES_A_SECOND)
            picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        resampler = av.AudioResampler(format=sample_format, layout="stereo", rate=piece.sample_rate)
        fifo = av.AudioFifo()
        size = sound.codec_context.frame_size or WRITE_SAMPLES
        for index, frame in enumerate(_frames(piece)):
            if picture is not None:
                container.mux(picture.encode(_picture(piece, index)))
            for converted in resampler.resample(frame):
                fifo.write(converted)
            while ready := fifo.read(size):
                container.mux(sound.encode(ready))
        if rest := fifo.read(0, partial=True):
            container.mux(sound.encode(rest))
        container.mux(sound.encode(None))
        if picture is not None:
            container.mux(picture.encode(None))


def _write_vorbis(path: str | Path, piece: Piece) -> None:
    with soundfile.SoundFile(
        path, "w", piece.sample_rate, channels=2, format="OGG", subtype="VORBIS"
    ) as file:
        # In parts: libsndfile's Vorbis writer overflows its stack on a whole minute.
        for start in range(0, piece.samples.shape[0], WRITE_SAMPLES):
            file.write(piece.samples[start : start + WRITE_SAMPLES])


def integrated_loudness(samples: Doubles) -> float:
    """Gated loudness in LUFS of `samples`, (n, channels) at 48 kHz, all channels of weight 1.

    ITU-R BS.1770-4: tables 1 and 2 evaluated on the spectrum, blocks of 400 ms every 100 ms,
    gates at -70 LUFS and 10 LU below the mean of what passes it. Minus infinity for silence.
    """
    count = samples.shape[0]
    # Half a second of zeros behind the end, or the filter's ringing would wrap to the start.
    size = -(-(count + SAMPLE_RATE // 2) // SAMPLE_RATE) * SAMPLE_RATE
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1.0 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1.0 - 2.0 * z + z**2) / (1.0 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    weighted = np.fft.irfft(
        np.fft.rfft(samples, size, axis=0) * (shelf * high_pass)[:, None], axis=0
    )
    hop = SAMPLE_RATE // 10
    energy = (weighted[: count // hop * hop] ** 2).sum(axis=1).reshape(-1, hop).mean(axis=1)
    blocks = np.convolve(energy, np.full(4, 0.25), mode="valid")
    with np.errstate(divide="ignore"):
        levels = -0.691 + 10.0 * np.log10(blocks)
        audible = levels > -70.0
        if not audible.any():
            return float("-inf")
        gate = -0.691 + 10.0 * np.log10(blocks[audible].mean()) - 10.0
    return float(-0.691 + 10.0 * np.log10(blocks[audible & (levels > gate)].mean()))


@dataclass(frozen=True, kw_only=True)
class _Scale:
    tonic: int  # semitones above C
    steps: tuple[int, ...]

    def hertz(self, degree: int, octave: int) -> float:
        """Frequency of a scale degree, 0 being the tonic in that octave (A4 = 440 Hz)."""
        octaves, step = divmod(degree, len(self.steps))
        midi = 12 * (octave + 1 + octaves) + self.tonic + self.steps[step]
        return 440.0 * 2.0 ** ((midi - 69) / 12)


class _Melody:
    """Walks the scale in small steps and rests on chord notes at the start of each bar."""

    RHYTHMS: Final = ((0.0, 1.0, 2.0, 3.0), (0.0, 0.5, 1.0, 2.0, 3.0), (0.0, 1.5, 2.0, 3.0, 3.5))

    def __init__(self, scale: _Scale, rng: np.random.Generator) -> None:
        self._scale = scale
        self._rng = rng
        self._degree = 0

    def bar(self, root: int) -> Iterator[tuple[float, int]]:
        """(beat, degree) of the notes over a chord on `root`."""
        rhythm = self.RHYTHMS[self._rng.integers(len(self.RHYTHMS))]
        chord = [root % 7 + third for third in (0, 2, 4)]
        for beat in rhythm:
            if beat == 0.0:
                self._degree = min(chord, key=lambda degree: abs(degree - self._degree))
            else:
                self._degree += int(self._rng.choice((-2, -1, 1, 2)))
            self._degree = int(np.clip(self._degree, -2, 8))
            yield beat, self._degree


def _times(seconds: float) -> Doubles:
    return np.arange(max(1, round(seconds * SAMPLE_RATE))) / SAMPLE_RATE


def _attack_release(t: Doubles, attack_s: float, release_s: float) -> Doubles:
    return np.minimum(1.0, t / attack_s) * np.minimum(1.0, (t[-1] - t) / release_s)


def _tone(hertz: float, t: Doubles, partials: int, slope: float) -> Doubles:
    numbers = [n for n in range(1, partials + 1) if n * hertz < 0.45 * SAMPLE_RATE]
    return np.sum([np.sin(2 * np.pi * n * hertz * t) / n**slope for n in numbers], axis=0)


@cache
def _pad(hertz: float, seconds: float) -> Doubles:
    t = _times(seconds)
    wide = _tone(hertz * 1.001, t, 5, 1.7) + _tone(hertz / 1.001, t, 5, 1.7)
    return wide * _attack_release(t, 0.05, 0.12) * np.exp(-0.35 * t)


@cache
def _bass(hertz: float, seconds: float) -> Doubles:
    t = _times(seconds)
    return _tone(hertz, t, 6, 1.3) * np.exp(-2.5 * t) * _attack_release(t, 0.006, 0.04)


@cache
def _pluck(hertz: float, seconds: float) -> Doubles:
    t = _times(seconds)
    return _tone(hertz, t, 7, 1.5) * np.exp(-4.0 * t) * _attack_release(t, 0.004, 0.05)


@cache
def _kick() -> Doubles:
    t = _times(0.25)
    return np.sin(2 * np.pi * (45.0 * t + 6.0 * (1.0 - np.exp(-t / 0.03)))) * np.exp(-12.0 * t)


def _drum_bar(mix: Doubles, start: float, beat_s: float, rng: np.random.Generator) -> None:
    for beat in (0.0, 2.0):
        _add(mix, start + beat * beat_s, 0.75 * _kick())
    for beat in (1.0, 3.0):
        t = _times(0.18)
        rattle = rng.standard_normal(t.shape[0]) * np.exp(-22.0 * t)
        _add(mix, start + beat * beat_s, 0.20 * rattle)
    for eighth in range(2 * BEATS_A_BAR):
        t = _times(0.05)
        hiss = np.diff(rng.standard_normal(t.shape[0] + 1)) * np.exp(-90.0 * t)
        accent = 0.08 if eighth % 2 == 0 else 0.045
        _add(mix, start + eighth * beat_s / 2, accent * hiss, pan=-0.3)


def _add(mix: Doubles, start_s: float, tone: Doubles, pan: float = 0.0) -> None:
    """Mix a mono `tone` in at `start_s`, from -1 (left) to 1 (right), at constant power."""
    first = round(start_s * SAMPLE_RATE)
    part = tone[: max(0, mix.shape[0] - first)]
    angle = (pan + 1.0) * np.pi / 4
    mix[first : first + part.shape[0]] += part[:, None] * (np.cos(angle), np.sin(angle))


def _frames(piece: Piece) -> Iterator[av.AudioFrame]:
    for start in range(0, piece.samples.shape[0], WRITE_SAMPLES):
        part = np.clip(piece.samples[start : start + WRITE_SAMPLES], -1.0, 1.0)
        frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = piece.sample_rate
        frame.pts = start
        yield frame


def _picture(piece: Piece, index: int) -> av.VideoFrame:
    since = index / FRAMES_A_SECOND % (60.0 / piece.tempo_bpm)
    shade = np.full((120, 160, 3), int(40 + 180 * np.exp(-4.0 * since)), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(shade, format="rgb24")
    frame.pts = index
    return frame
