"""Background and foreground, held against what was mixed."""

import numpy as np

from harken.audio.separation.foreground_background import BackgroundMask, foreground_background
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


def masked(magnitudes, frames_a_second, *, pieces=1):
    mask = BackgroundMask(magnitudes.shape[1], frames_a_second)
    shares = [mask.push(piece) for piece in np.array_split(magnitudes, pieces)]
    return np.concatenate([*shares, mask.finish()])


def test_frames_are_forgotten_once_they_are_out_of_reach_and_change_nothing():
    """With eleven frames a second a thousand are three times what is kept."""
    magnitudes = np.random.default_rng(0).random((1_000, 33), dtype=np.float32)
    once = masked(magnitudes, 11.0)
    assert np.abs(masked(magnitudes, 11.0, pieces=90) - once).max() < 1e-5
    mask = BackgroundMask(33, 11.0)
    ready = mask.push(magnitudes)
    assert ready.shape[0] == 1_000 - 331  # thirty seconds, and the frame around the last of them
    changed = magnitudes.copy()
    changed[:300] = 0
    assert np.array_equal(masked(changed, 11.0)[640:], once[640:])


def test_frames_are_alike_where_those_around_them_are():
    """Each is found at its own place of the loop, though what lies over it is the louder."""
    rng = np.random.default_rng(1)
    loop = np.tile(rng.random((44, 64), dtype=np.float32), (12, 1))
    over = np.zeros_like(loop)
    over[:, :8] = 4 * rng.random((loop.shape[0], 1), dtype=np.float32)
    shares = masked(loop + over, 43.0)
    inside = slice(44, -44)
    assert np.abs(shares[inside, 8:] - 1).max() < 1e-3
    louder = over[inside, :8] > 3
    assert np.median(shares[inside, :8][louder]) < 0.8
