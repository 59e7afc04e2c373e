"""The spectrum that Demucs takes: what its own code makes of the sound, and the sound again."""

import numpy as np
import pytest

from harken.audio.separation.demucs_spectrum import frames_of, samples_of, spectrum_of
from tests.audio.signals import chord

SEGMENT = 343_980  # samples, 7.8 s: htdemucs's


def music(count):
    tones = np.concatenate(
        [chord((root, root + 4), 1.0) for root in (48, 53, 55, 60, 52, 57, 50, 62)]
    )
    return np.stack([tones, 0.5 * tones[::-1]])[:, :count].astype(np.float32)


def test_a_segment_of_htdemucs_has_the_shape_that_its_network_takes():
    assert spectrum_of(music(SEGMENT)).shape == (4, 2_048, 336)
    assert frames_of(SEGMENT) == 336


def test_it_is_the_transform_that_demucs_makes():
    """Mirrored by 1,536 samples and more, divided by √4096, without the first two and last two frames and one bin."""
    samples = music(50_000)
    frames = 49
    padded = np.pad(samples, ((0, 0), (1_536, 1_536 + frames * 1_024 - 50_000)), mode="reflect")
    centred = np.pad(padded, ((0, 0), (2_048, 2_048)), mode="reflect")
    window = np.sin(np.pi * np.arange(4_096) / 4_096) ** 2
    starts = range(0, padded.shape[1] + 1, 1_024)
    whole = np.stack([np.fft.rfft(window * centred[:, at : at + 4_096]) for at in starts], axis=2)
    whole /= 64
    trimmed = whole[:, :-1, 2 : 2 + frames]
    expected = np.stack([trimmed.real, trimmed.imag], axis=1).reshape(4, 2_048, frames)
    assert np.abs(spectrum_of(samples) - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("count", [8_820, 50_000, 44_032])
def test_a_spectrum_that_is_left_as_it_is_gives_the_sound_again(count):
    samples = music(count)
    again = samples_of(spectrum_of(samples), count)
    assert again.shape == samples.shape
    # The frames that would lie over the ends as well are not among those that Demucs takes.
    inside = slice(2_560, -2_560)
    assert np.abs(again - samples)[:, inside].max() < 1e-4


def test_less_than_a_mirror_image_has_a_spectrum_too():
    assert spectrum_of(music(800)).shape == (4, 2_048, 1)
    assert np.isfinite(samples_of(spectrum_of(music(800)), 800)).all()
