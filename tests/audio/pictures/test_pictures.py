"""Pictures show what is in the sound, at the place where it is; peaks are what a player's format says."""

import io
import json
import struct

import numpy as np
import pytest
import soundfile
from PIL import Image

from harken.audio import Feature, InputError, PictureKind
from harken.audio.engine import run
from harken.audio.pictures.columns import Columns
from harken.audio.pictures.extremes import MOST_STRETCHES, ExtremesMeter
from harken.audio.pictures.gallery import Drawn, Known, Look, draw
from harken.audio.pictures.sketch import Sketch, Sketcher
from harken.audio.pictures.theme import Theme

RATE = 22_050
DRAWN = [kind for kind in PictureKind if kind is not PictureKind.PEAKS]


@pytest.fixture
def sketch_of(tmp_path):
    """Sketches sound, shape (n,) or (n, channels)."""

    def sketch(sound, rate=RATE) -> Sketch:
        path = tmp_path / "sound.wav"
        soundfile.write(path, sound, rate, subtype="FLOAT")
        sketcher = Sketcher(tuple(PictureKind))
        run(str(path), (), None, listeners={Feature.PICTURES: sketcher})
        assert sketcher.sketch is not None
        return sketcher.sketch

    return sketch


def plot(drawn: Drawn) -> np.ndarray:
    """The brightness of the plot's pixels, shape (rows, columns)."""
    at = drawn.picture
    image = Image.open(io.BytesIO(drawn.content))
    assert image.size == (at.width, at.height)
    whole = np.asarray(image.convert("L"), dtype=float)
    return whole[at.plot_top :, at.plot_left :][: at.plot_height, : at.plot_width]


def tone(hertz, seconds=3.0, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def clicks(bpm, seconds=20.0):
    sound = np.zeros(round(seconds * RATE))
    noise = np.random.default_rng(1).normal(size=400) * np.exp(-np.arange(400) / 80)
    for start in np.arange(0.0, seconds - 0.1, 60 / bpm):
        at = round(start * RATE)
        sound[at : at + 400] += 0.3 * noise
    return sound


@pytest.mark.parametrize("frames", [1, 7, 16, 17, 100, 1000])
def test_columns_are_the_means_and_maxima_of_as_many_frames(frames):
    values = np.random.default_rng(frames).random((frames, 3)).astype(np.float32)
    for maximum in (False, True):
        columns = Columns(3, maximum=maximum, most=16)
        for start in range(0, frames, 5):
            columns.add(values[start : start + 5])
        each = columns.frames_each
        join = np.max if maximum else np.mean
        told = [join(values[at : at + each], axis=0) for at in range(0, frames, each)]
        assert len(told) <= 16
        np.testing.assert_allclose(columns.finish(), told, rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("count", [5, MOST_STRETCHES, MOST_STRETCHES + 1, 300_001])
def test_extremes_are_those_of_the_samples_however_they_arrive(channels, count):
    samples = np.random.default_rng(count).normal(0, 0.3, (channels, count)).astype(np.float32)
    meter = ExtremesMeter(RATE, channels)
    for start in range(0, count, 70_001):
        meter.add(samples[:, start : start + 70_001])
    found = meter.finish()
    lanes = samples if channels <= 2 else samples.reshape(1, channels, count)
    for at in (0, found.low.shape[1] // 2, found.low.shape[1] - 1):
        part = lanes[..., at * found.samples_each : (at + 1) * found.samples_each]
        part = part.reshape(lanes.shape[0], -1)
        np.testing.assert_array_equal(found.low[:, at], part.min(axis=1))
        np.testing.assert_array_equal(found.high[:, at], part.max(axis=1))
        rms = np.sqrt(np.mean(part.astype(float) ** 2, axis=1))
        np.testing.assert_allclose(found.rms[:, at], rms, rtol=1e-4)


@pytest.mark.parametrize("seconds", [0.2, 30.0])
def test_peaks_read_as_the_format_says_are_the_samples_extremes(sketch_of, seconds):
    left, right = tone(300, seconds), 0.25 * tone(50, seconds)
    sketch = sketch_of(np.stack([left, right], axis=1))
    as_json, as_dat = draw(PictureKind.PEAKS, sketch, Known(), Look())
    version, flags, rate, each, length, channels = struct.unpack("<iIiiIi", as_dat.content[:24])
    assert (version, flags, rate, channels) == (2, 1, RATE, 2)
    data = np.frombuffer(as_dat.content[24:], dtype=np.int8).reshape(length, channels, 2)
    assert length == -(-left.shape[0] // each)
    for channel, sound in enumerate((left, right)):
        parts = [sound[at : at + each] for at in range(0, sound.shape[0], each)]
        ends = np.array([(part.min(), part.max()) for part in parts])
        assert np.abs(data[:, channel] / 128 - ends).max() <= 0.5 / 128 + 1e-6
    said = json.loads(as_json.content)
    assert said.pop("data") == data.ravel().tolist()
    assert said == {
        "version": 2,
        "channels": 2,
        "sample_rate": RATE,
        "samples_per_pixel": each,
        "bits": 8,
        "length": length,
    }
    assert as_json.picture.artifact_name == "peaks.json"
    assert as_dat.picture.artifact_name == "peaks.dat"


def test_a_tone_is_a_line_at_its_frequency_from_when_it_sounds(sketch_of):
    sound = np.concatenate([np.zeros(2 * RATE), tone(1000, 2.0)])
    (drawn,) = draw(PictureKind.MEL_SPECTROGRAM, sketch_of(sound), Known(), Look())
    pixels = plot(drawn)
    rows, columns = pixels.shape
    # 1 kHz is the 15th of 49.4 mels up to 11,025 Hz.
    assert pixels[:, columns * 3 // 4].argmax() == pytest.approx(
        rows * (1 - 15 / 49.4), abs=rows / 50
    )
    heard = pixels.max(axis=0) > 128
    assert heard.argmax() == pytest.approx(columns / 2, abs=columns / 50)


def test_a_note_is_a_row_of_the_chromagram(sketch_of):
    (drawn,) = draw(PictureKind.CHROMAGRAM, sketch_of(tone(440.0)), Known(), Look())
    pixels = plot(drawn)
    brightest = pixels[:, pixels.shape[1] // 2].argmax()
    assert 11 - brightest * 12 // pixels.shape[0] == 9  # A, counted from C below


def test_clicks_repeat_at_their_tempo(sketch_of):
    sketch = sketch_of(clicks(120.0))
    assert sketch.tempi is not None
    bpms = 30.0 * 10.0 ** np.linspace(0.0, 1.0, sketch.tempi.values.shape[1])
    middle = sketch.tempi.values[sketch.tempi.values.shape[0] // 2]
    upper = bpms > 90.0
    assert bpms[upper][middle[upper].argmax()] in (
        pytest.approx(120.0, rel=0.03),
        pytest.approx(240.0, rel=0.03),
    )
    assert middle[np.abs(bpms - 120.0).argmin()] > 5 * middle[np.abs(bpms - 100.0).argmin()]


def test_what_is_on_the_left_alone_is_in_the_upper_lane_alone(sketch_of):
    sound = np.stack([tone(1000), np.zeros(3 * RATE)], axis=1)
    (drawn,) = draw(PictureKind.WAVEFORM, sketch_of(sound), Known(), Look(width=800, height=400))
    painted = (plot(drawn) > 90).mean(axis=1)
    half = painted.shape[0] // 2
    assert (painted[:half] > 0.9).sum() > half * 0.4  # it reaches half of full scale both ways
    assert (painted[half:] > 0.9).sum() <= 2  # the line at 0


def test_a_louder_half_stands_higher_in_the_picture_of_loudness(sketch_of):
    sound = np.concatenate([0.1 * tone(1000, 5.0), tone(1000, 5.0)])
    look = Look(width=800, height=400, theme=Theme.LIGHT)
    (drawn,) = draw(PictureKind.LOUDNESS, sketch_of(sound), Known(), look)
    pixels = plot(drawn)
    tops = (pixels < 220).argmax(axis=0)
    assert tops[pixels.shape[1] // 4] > tops[pixels.shape[1] * 3 // 4] + pixels.shape[0] / 3


@pytest.mark.parametrize("look", [Look(), Look(width=320, height=120), Look(width=64, height=32)])
@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize(
    ("seconds", "rate"), [(10.0, RATE), (0.2, 8_000), (0.001, 44_100), (1.0, 100)]
)
def test_silence_and_what_is_too_short_are_pictures_too(sketch_of, look, theme, seconds, rate):
    sketch = sketch_of(np.zeros(max(round(seconds * rate), 1)), rate)
    look = Look(width=look.width, height=look.height, theme=theme)
    for kind in DRAWN:
        (drawn,) = draw(kind, sketch, Known(), look)
        pixels = plot(drawn)
        assert np.ptp(np.median(pixels, axis=0)) < 40  # nothing is shown where nothing is


def test_the_noise_of_a_pause_is_no_row_of_the_chromagram(sketch_of):
    sound = tone(440.0, 6.0) + np.random.default_rng(2).normal(scale=1e-5, size=6 * RATE)
    sound[2 * RATE : 4 * RATE] -= tone(440.0, 6.0)[2 * RATE : 4 * RATE]
    line = sketch_of(sound).chroma
    assert line is not None
    begin, end = (round((second - line.begin_s) / line.step_s) for second in (2.2, 3.8))
    assert end > begin + 10
    assert not line.values[begin:end].any()
    assert (line.values[: begin // 2, 9] > 0.9).all()


def test_twice_the_scale_is_twice_the_pixels_of_the_same_picture(sketch_of):
    sketch = sketch_of(clicks(100.0, 5.0))
    for kind in DRAWN:
        (one,) = draw(kind, sketch, Known(tempo_bpm=100.0), Look(width=640, height=240))
        (two,) = draw(kind, sketch, Known(tempo_bpm=100.0), Look(width=640, height=240, scale=2))
        assert (two.picture.width, two.picture.height) == (1280, 480)
        assert two.picture.plot_width == 2 * (one.picture.plot_width or 0)


def test_without_sound_there_is_no_sketch(tmp_path):
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0), RATE)
    with pytest.raises(InputError):
        run(str(path), (), None, listeners={Feature.PICTURES: Sketcher(tuple(PictureKind))})
