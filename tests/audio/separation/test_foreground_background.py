"""Background and foreground, held against what was mixed."""

import numpy as np

from harken.audio.separation.foreground_background import foreground_background
from tests.audio.separation.streams import separated, si_sdr
from tests.audio.signals import RATE, chord, noise

BARS = 8


def accompaniment():
    """A bar of four chords, again and again."""
    bar = np.concatenate([chord((root, root + 4, root + 7), 0.5) for root in (48, 53, 55, 50)])
    return np.tile(bar, BARS)


def voice(count):
    """A tone that glides, and is never twice the same."""
    time = np.arange(count) / RATE
    return 0.06 * np.sin(
        2 * np.pi * (300 * time + 60 * time**1.5 + 3 * np.sin(2 * np.pi * 5 * time))
    )


def test_a_voice_over_a_loop_is_told_apart():
    loop = accompaniment()
    sung = voice(loop.shape[0])
    mix = (loop + sung).astype(np.float32)
    _, (background, foreground) = separated(foreground_background(RATE, 1), mix[None])
    assert si_sdr(background[0], loop) > si_sdr(mix, loop) + 3
    assert si_sdr(foreground[0], sung) > si_sdr(mix, sung) + 6


def test_the_whole_comes_out_as_it_went_in_however_it_is_cut():
    samples = noise(20.0, rate=8_000).astype(np.float32).reshape(2, -1)
    whole, stems = separated(foreground_background(8_000, 2), samples, blocks=(11, 70_000, 3))
    _, once = separated(foreground_background(8_000, 2), samples, blocks=(10**9,))
    assert np.array_equal(whole, samples)
    assert np.abs(stems - once).max() < 1e-5


def test_what_is_like_nothing_else_is_background():
    """With a second of sound there is nothing to compare it to."""
    samples = chord((60,), 0.8).astype(np.float32)[None]
    _, (background, foreground) = separated(foreground_background(RATE, 1), samples)
    assert np.abs(background - samples).max() < 1e-5
    assert np.abs(foreground).max() < 1e-5


def test_silence_stays_silent():
    silence = np.zeros((1, 3 * RATE), dtype=np.float32)
    _, stems = separated(foreground_background(RATE, 1), silence)
    assert not stems.any()
