"""Harmonic and percussive, held against librosa and against what was mixed."""

import librosa
import numpy as np
import pytest

from harken.audio.separation.harmonic_percussive import (
    NAMES,
    HarmonicMask,
    harmonic_percussive,
)
from harken.audio.separation.masking import MaskedSeparator
from tests.audio.separation.streams import separated, si_sdr
from tests.audio.signals import RATE, chord, clicks, noise


def at_2048(channels=1):
    return MaskedSeparator(HarmonicMask(1025), NAMES, 2048, channels)


@pytest.mark.filterwarnings("ignore:n_fft")  # librosa warns of signals shorter than a frame
@pytest.mark.parametrize("count", [1, 300, 4_000, 17_000, 200_000])
def test_it_is_what_librosa_makes_of_it_however_it_is_cut(count):
    samples = noise(5.0, seed=count)[:count].astype(np.float32)
    harmonic = librosa.istft(librosa.decompose.hpss(librosa.stft(samples))[0], length=count)
    whole, stems = separated(at_2048(), samples[None], blocks=(1, 999, 30_000))
    assert np.array_equal(whole[0], samples)
    assert np.abs(stems[0, 0] - harmonic).max() < 1e-6


def test_blocks_of_any_length_make_the_same_stems():
    samples = noise(3.0).astype(np.float32).reshape(1, -1)
    _, once = separated(harmonic_percussive(RATE, 1), samples, blocks=(10**9,))
    _, cut = separated(harmonic_percussive(RATE, 1), samples, blocks=(7, 4_096, 60_001))
    assert np.abs(once - cut).max() < 1e-6


def test_a_chord_and_a_metronome_are_told_apart():
    tones, ticks = chord((57, 60, 64), 6.0), clicks(100, 6.0)[0]
    mix = np.stack([tones + ticks, tones - 0.5 * ticks]).astype(np.float32)
    _, (harmonic, percussive) = separated(harmonic_percussive(RATE, 2), mix)
    assert si_sdr(harmonic[0], tones) > si_sdr(mix[0], tones) + 10
    assert si_sdr(percussive[0], ticks) > si_sdr(mix[0], ticks) + 10


def test_what_is_in_opposite_phase_is_told_apart_too():
    """The mean of the channels would be silent."""
    ticks, tones = clicks(100, 4.0)[0], chord((57,), 4.0)
    mix = np.stack([tones + ticks, -(tones + ticks)]).astype(np.float32)
    _, (_, percussive) = separated(harmonic_percussive(RATE, 2), mix)
    assert si_sdr(percussive[0], ticks) > 10


@pytest.mark.parametrize("rate", [1, 100, 8_000, 192_000])
@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_silence_and_odd_rates_come_out_as_they_went_in(rate, count):
    samples = np.zeros((2, count), dtype=np.float32)
    whole, stems = separated(harmonic_percussive(rate, 2), samples)
    assert whole.shape == (2, count)
    assert not stems.any()
