"""Spectral shape, MFCC and chroma: on paper, and beside librosa."""

import csv
from pathlib import Path

import numpy as np
import pytest

from harken.audio import Feature, Spectral, Timbre, analyze
from tests.audio.reference import reference
from tests.audio.signals import clicks, noise, sine, write

NYQUIST = 11_025
RECORDINGS = [
    "loops/loop_Drums_170BPM.wav",
    "loops/loop_Melody_B_Minor_73BPM.wav",
    "music/music_brahms_hungarian_dance_5.ogg",
    "music/music_freepd_groovin.mp3",
    "notes/note_vibraphone-C6.wav",
    "oneshots/dog_bark_1-110389-A.ogg",
    "oneshots/clap_448221__toxicfilmzsrsounds__hip-hop-clap.wav",
    "speech/speech_word_yes.wav",
    "odd/fmt_full.opus",
    "odd/odd_40_-_5_channels_5.0_.flac",
    "video/video_nasa_h264.mp4",
]


def playable(samples: Path) -> list[Path]:
    """Every recording with sound that is shorter than three minutes."""
    with (samples / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["decode"] == "ok"]
    return [
        samples / row["path"]
        for row in rows
        if row["duration_s"] and float(row["duration_s"]) < 180 and "noaudio" not in row["path"]
    ]


def spectral(path: Path) -> Spectral:
    found = analyze(path, [Feature.SPECTRAL]).spectral
    assert found is not None
    return found


def held_against_librosa(path: Path) -> None:
    expected = reference(path)
    result = analyze(path)
    found, timbre, tonal, onsets = result.spectral, result.timbre, result.tonal, result.onsets
    assert found is not None
    assert timbre is not None
    assert tonal is not None
    assert onsets is not None
    for name, within in (("centroid", 1e-4), ("bandwidth", 1e-4), ("rolloff", 1e-4)):
        frames = getattr(expected, name)
        tolerance = within * frames.mean()
        assert getattr(found, f"{name}_hz_mean") == pytest.approx(frames.mean(), abs=tolerance)
        assert getattr(found, f"{name}_hz_std") == pytest.approx(frames.std(), abs=tolerance)
    for name in ("flatness", "zero_crossing_rate"):
        frames = getattr(expected, name)
        assert getattr(found, f"{name}_mean") == pytest.approx(frames.mean(), rel=1e-2)
        assert getattr(found, f"{name}_std") == pytest.approx(frames.std(), rel=1e-2, abs=1e-6)
    assert found.contrast_mean == pytest.approx(expected.contrast.mean(axis=1), rel=1e-2)
    contrast_std = expected.contrast.std(axis=1)
    assert found.contrast_std == pytest.approx(contrast_std, abs=1e-2 * contrast_std.max())
    largest = np.abs(expected.mfcc.mean(axis=1)).max()
    assert timbre.mfcc_mean == pytest.approx(expected.mfcc.mean(axis=1), abs=1e-4 * largest)
    assert timbre.mfcc_std == pytest.approx(expected.mfcc.std(axis=1), abs=1e-4 * largest)
    assert tonal.chroma_mean == pytest.approx(expected.chroma.mean(axis=1), abs=1e-3)
    assert onsets.onset_count == expected.onsets_s.shape[0]
    assert onsets.onsets_s == pytest.approx(expected.onsets_s)


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings_get_librosas_values(samples: Path, name: str) -> None:
    held_against_librosa(samples / name)


@pytest.mark.timeout(240)
def test_every_recording_gets_librosas_means(samples: Path) -> None:
    """As shares of what is promised: 1e-4 of the mean, 1e-3 of chroma, 1e-2 of the rest."""
    off: dict[str, dict[str, float]] = {}
    for path in playable(samples):
        result = analyze(path)
        found, timbre, tonal = result.spectral, result.timbre, result.tonal
        assert found is not None
        assert timbre is not None
        assert tonal is not None
        if found.centroid_hz_mean is None:
            continue  # digital silence
        expected = reference(path)
        mfcc, contrast = expected.mfcc.mean(axis=1), expected.contrast.mean(axis=1)
        chroma = np.array(tonal.chroma_mean) - expected.chroma.mean(axis=1)
        shares = {
            name: abs(value / getattr(expected, name).mean() - 1.0) / within
            for name, value, within in (
                ("centroid", found.centroid_hz_mean, 1e-4),
                ("bandwidth", found.bandwidth_hz_mean, 1e-4),
                ("rolloff", found.rolloff_hz_mean, 1e-4),
                ("flatness", found.flatness_mean, 1e-2),
                ("zero_crossing_rate", found.zero_crossing_rate_mean, 1e-2),
            )
            if getattr(expected, name).mean() > 0
        }
        shares["mfcc"] = float(np.abs(timbre.mfcc_mean - mfcc).max() / np.abs(mfcc).max() / 1e-4)
        shares["chroma"] = float(np.abs(chroma).max() / 1e-3)
        shares["contrast"] = float(
            np.abs(found.contrast_mean - contrast).max() / contrast.mean() / 1e-2
        )
        if beyond := {name: share for name, share in shares.items() if not share <= 1.0}:
            off[path.name] = beyond
    assert off == {}


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("seconds", [0.01, 0.3, 4.0])
def test_signals_of_any_rate_and_length_get_librosas_values(
    tmp_path: Path, rate: int, seconds: float
) -> None:
    sound = noise(seconds, rate=rate) + sine(700, seconds, rate=rate)
    held_against_librosa(write(tmp_path / "a.wav", sound, rate=rate, tile=2))


def test_digital_silence_between_sounds_counts_as_librosa_counts_it(tmp_path: Path) -> None:
    ticks, _ = clicks(60, 4.0)
    held_against_librosa(write(tmp_path / "a.wav", ticks, subtype="PCM_16"))


@pytest.mark.parametrize("hertz", [220.0, 1000.0, 5000.0])
def test_a_tone_has_its_centroid_at_its_frequency(tmp_path: Path, hertz: float) -> None:
    rate = 22_050
    fade = np.minimum(1.0, np.arange(2 * rate) / 2048)
    tone = sine(hertz, 2.0, rate=rate) * fade * fade[::-1]
    found = spectral(write(tmp_path / "a.wav", tone, rate=rate))
    assert found.centroid_hz_mean == pytest.approx(hertz, rel=0.02)
    assert found.rolloff_hz_mean == pytest.approx(hertz, abs=25)
    assert found.bandwidth_hz_mean is not None
    assert found.bandwidth_hz_mean < 120
    assert found.flatness_mean is not None
    assert found.flatness_mean < 1e-3
    # A tone crosses zero twice a period.
    assert found.zero_crossing_rate_mean == pytest.approx(2 * hertz / rate, rel=0.02)


def test_white_noise_is_flat_and_centred_in_the_band(tmp_path: Path) -> None:
    found = spectral(write(tmp_path / "a.wav", noise(5.0, rate=22_050), rate=22_050))
    assert found.centroid_hz_mean == pytest.approx(NYQUIST / 2, rel=0.01)
    # A uniform spread over the band: its standard deviation is the width over the root of 12.
    assert found.bandwidth_hz_mean == pytest.approx(NYQUIST / 12**0.5, rel=0.01)
    assert found.rolloff_hz_mean == pytest.approx(0.85 * NYQUIST, rel=0.01)
    # The geometric mean of exponentially distributed power is exp(-Euler's constant) of its mean.
    assert found.flatness_mean == pytest.approx(np.exp(-np.euler_gamma), abs=0.01)
    assert found.zero_crossing_rate_mean == pytest.approx(0.5, abs=0.01)


def test_the_middle_of_a_stereo_picture_is_what_counts(tmp_path: Path) -> None:
    """Spectral features are those of the mono mean: what is in opposite phase cancels."""
    low, high = sine(300, 1.0), sine(6000, 1.0)
    stereo = np.stack([low + high, low - high], axis=1)
    found = spectral(write(tmp_path / "a.wav", stereo))
    assert found.centroid_hz_mean is not None
    assert found.centroid_hz_mean < 500


def test_silence_has_no_spectral_shape(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros(44_100))
    result = analyze(path)
    assert result.spectral == Spectral(zero_crossing_rate_mean=0.0, zero_crossing_rate_std=0.0)
    assert result.timbre == Timbre()


def test_a_constant_voltage_lies_at_the_bottom_and_crosses_nothing(tmp_path: Path) -> None:
    found = spectral(write(tmp_path / "a.wav", np.full(44_100, 0.5)))
    assert found.rolloff_hz_mean is not None
    assert found.rolloff_hz_mean < 400
    assert found.zero_crossing_rate_mean == 0.0


def test_gain_moves_only_the_first_mfcc(tmp_path: Path) -> None:
    sound = noise(1.0)
    loud = analyze(write(tmp_path / "a.wav", sound), [Feature.TIMBRE]).timbre
    soft = analyze(write(tmp_path / "b.wav", 0.1 * sound), [Feature.TIMBRE]).timbre
    assert loud is not None
    assert soft is not None
    assert soft.mfcc_mean[1:] == pytest.approx(loud.mfcc_mean[1:], abs=0.01)
    # 20 dB in every band, times the root of the 128 bands.
    assert loud.mfcc_mean[0] - soft.mfcc_mean[0] == pytest.approx(20 * 128**0.5, abs=0.01)
