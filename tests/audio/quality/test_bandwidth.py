"""Where sound comes from: through coders and resamplers, and never through either."""

from pathlib import Path

import av
import numpy as np
import pytest
import soxr
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from scipy import signal

from harken.audio import ProblemKind, Quality, analyze
from harken.audio.decode import Recording
from tests.audio.quality.heard import kinds, quality_of, rounded
from tests.audio.signals import Samples, noise

ORIGIN = {ProblemKind.UPSAMPLED, ProblemKind.LOSSY_ORIGIN}
RATE = 48_000


@pytest.fixture(scope="module")
def bright() -> Samples:
    """Stereo noise that falls by 3 dB an octave, as music does on the whole, to the end of the band."""
    hertz = np.fft.rfftfreq(4 * RATE, 1 / RATE)
    pink = [
        np.fft.irfft(np.fft.rfft(noise(4.0, rate=RATE, seed=seed)) / np.sqrt(hertz + 30))
        for seed in (1, 2)
    ]
    sound = np.stack([pink[0] + pink[1], pink[0] - 0.5 * pink[1]])
    return 0.5 * sound / np.abs(sound).max()


def coded(sound: Samples, codec: str, kbps: int, path: Path) -> Samples:
    """What is left after a coder, in 16 bits."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="stereo")
        assert isinstance(stream, AudioStream)
        stream.bit_rate = 1_000 * kbps
        frame = AudioFrame.from_ndarray(sound.astype(np.float32), format="fltp", layout="stereo")
        frame.sample_rate = RATE
        converter = av.AudioResampler(format=stream.codec_context.format, rate=RATE)
        for part in converter.resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    with Recording(str(path)) as recording:
        back = np.concatenate([block.samples for block in recording.blocks()], axis=1)
    return rounded(back.astype(np.float64), 16)


@pytest.mark.parametrize(
    ("codec", "kbps", "suffix"),
    [
        ("libmp3lame", 128, "mp3"),
        ("libmp3lame", 192, "mp3"),
        ("libmp3lame", 320, "mp3"),
        ("aac", 128, "m4a"),
        ("libopus", 96, "opus"),
    ],
)
def test_a_decoded_file_is_known(
    tmp_path: Path, bright: Samples, codec: str, kbps: int, suffix: str
) -> None:
    found = quality_of(coded(bright, codec, kbps, tmp_path / f"a.{suffix}"), rate=RATE)
    assert kinds(found) & ORIGIN == {ProblemKind.LOSSY_ORIGIN}
    assert found.resolution is not None
    assert 15_000 < (found.resolution.cutoff_hz or 0) < 20_700


@pytest.mark.parametrize(
    ("low", "high"),
    [(22_050, 44_100), (16_000, 48_000), (8_000, 16_000), (44_100, 96_000), (48_000, 192_000)],
)
@pytest.mark.parametrize("quality", ["HQ", "VHQ"])
def test_an_upsampled_file_is_known_and_its_rate(
    bright: Samples, low: int, high: int, quality: str
) -> None:
    sound = soxr.resample(soxr.resample(bright.T, RATE, low, quality), low, high, quality).T
    found = quality_of(rounded(sound, 16), rate=high)
    assert kinds(found) & ORIGIN == {ProblemKind.UPSAMPLED}
    assert found.resolution is not None
    assert found.resolution.upsampled_from_hz == low


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("hertz", [500, 3_000, 12_000, 16_000])
def test_dull_sound_is_not_accused(bright: Samples, order: int, hertz: float) -> None:
    filtered = signal.sosfilt(signal.butter(order, hertz, fs=RATE, output="sos"), bright, axis=1)
    assert not kinds(quality_of(rounded(np.asarray(filtered), 16), rate=RATE)) & ORIGIN


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 96_000])
def test_a_file_at_its_own_rate_is_not_accused(bright: Samples, rate: int) -> None:
    sound = noise(2.0, rate=rate) if rate > RATE else soxr.resample(bright.T, RATE, rate).T
    found = quality_of(rounded(sound, 16), rate=rate)
    assert not kinds(found) & ORIGIN


def test_a_lossy_file_is_not_told_that_it_is_lossy(tmp_path: Path, bright: Samples) -> None:
    coded(bright, "libmp3lame", 128, tmp_path / "a.mp3")
    found = analyze(tmp_path / "a.mp3", ["quality"]).quality
    assert isinstance(found, Quality)
    assert found.resolution is not None
    assert found.resolution.cutoff_hz == pytest.approx(16_700, abs=500)
    assert found.resolution.lossy_confidence is None
    assert not kinds(found) & ORIGIN


# Whoever made them: their spectrum ends in a wall of 39 to 50 dB, at 18.8, 21.6 (of 48) and 11.2 kHz.
WALLED = {
    "hihat_open_165028__rodrigo-the-mad__mini-909ish-open-hat",
    "hihat_closed_339278__cabled-mess__hihat-closed-raw-03-gate-eq",
    "voice_December",
}


def test_of_the_lossless_recordings_those_with_a_wall_alone_are_accused(samples: Path) -> None:
    accused: set[str] = set()
    heard = 0
    for folder in ("loops", "notes", "oneshots", "speech"):
        for path in sorted((samples / folder).glob("*.wav")):
            found = analyze(path, ["quality"]).quality
            assert found is not None
            heard += 1
            assert ProblemKind.HUM not in kinds(found), path
            if kinds(found) & ORIGIN:
                accused.add(path.stem)
    assert heard > 50
    assert accused == WALLED
