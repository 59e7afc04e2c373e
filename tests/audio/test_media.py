"""What a result says about the file itself."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from demo.piece import FORMATS, VORBIS, Piece, write
from harken.audio import Feature, Media, analyze
from harken.audio.decode import Recording
from tests.audio.signals import RATE, noise, sine
from tests.audio.signals import write as write_wav


def media(path: Path) -> Media:
    result = analyze(path, [Feature.MEDIA]).media
    assert result is not None
    return result


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_a_wav_file_is_described_exactly(tmp_path: Path, rate: int, channels: int) -> None:
    path = write_wav(
        tmp_path / "a.wav", noise(0.5, rate=rate), rate=rate, subtype="PCM_24", tile=channels
    )
    found = media(path)
    assert found.duration_s == 0.5
    assert found.sample_rate_hz == rate
    assert found.channels == channels
    assert (found.codec, found.container) == ("pcm_s24le", "wav")
    assert found.bit_rate == rate * channels * 24
    assert found.non_finite_samples == 0
    assert found.start_time_s == 0.0


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_every_sample_format_decodes_to_the_same_sound(tmp_path: Path, subtype: str) -> None:
    tone = sine(440, 0.5)
    path = write_wav(tmp_path / "a.wav", tone, subtype=subtype)
    decoded = decode(path)[0]
    coarse = {"PCM_U8": 0.01, "ULAW": 0.02}.get(subtype, 1e-4)
    assert np.abs(decoded - tone).max() < coarse


@pytest.mark.parametrize("extension", [*FORMATS, VORBIS])
def test_the_first_sample_is_the_first_of_the_music_in_every_format(
    tmp_path: Path, piece: Piece, extension: str
) -> None:
    """Encoders put silence before the sound; what is decoded starts where the music does."""
    path = tmp_path / f"piece{extension}"
    write(path, piece)
    decoded, rate = decode_with_rate(path)
    assert rate == piece.sample_rate
    seconds = piece.samples.shape[0] / rate
    assert media(path).duration_s == pytest.approx(seconds, abs=0.05)
    # FFmpeg's WMA encoder itself loses the first frame of 2048 samples.
    lost = 2048 if extension == ".wma" else 0
    reference = piece.samples[lost : lost + 4 * rate].mean(axis=1)
    found = decoded[:, : reference.shape[0]].mean(axis=0)
    spectrum = np.fft.rfft(found, 2 * len(found)) * np.conj(np.fft.rfft(reference, 2 * len(found)))
    lag = int(np.argmax(np.fft.irfft(spectrum)))
    assert min(lag, 2 * len(found) - lag) <= 2


def test_tags_come_in_lower_case(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        file.title, file.artist = "Naïve Mélodie ♫", "Somebody"
        file.write(sine(440, 0.1))
    tags = media(path).tags
    assert tags is not None
    assert tags["title"] == "Naïve Mélodie ♫"
    assert tags["artist"] == "Somebody"


def test_a_video_is_known_by_its_sound(tmp_path: Path, piece: Piece) -> None:
    path = tmp_path / "clip.mp4"
    write(path, piece)
    found = media(path)
    assert (found.codec, found.container, found.channels) == ("aac", "mp4", 2)
    assert found.start_time_s == pytest.approx(0.0, abs=0.03)


def test_one_sample_is_a_recording(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.array([0.5]))
    assert media(path).duration_s == pytest.approx(1 / RATE)


def decode(path: Path) -> np.ndarray:
    return decode_with_rate(path)[0]


def decode_with_rate(path: Path) -> tuple[np.ndarray, int]:
    with Recording(str(path)) as recording:
        blocks = [block.samples for block in recording.blocks()]
        return np.concatenate(blocks, axis=1), recording.sample_rate
