"""How a single sound begins and dies away: envelopes that are known, and drums."""

import tracemalloc
from math import log
from pathlib import Path

import numpy as np
import pytest

from harken.audio import Envelope, analyze
from harken.audio.blocks import SoundBlock
from harken.audio.envelope import HOLD_S, MOST_STEPS, LoudestSound
from tests.audio.signals import Samples, noise, sine, write

RATE = 44_100
TO_MINUS_20_DB = log(10)  # in time constants of an exponential


def envelope_of(samples: Samples, *, rate: int = RATE, block: int = 30_000) -> Envelope:
    listener = LoudestSound()
    channels = np.atleast_2d(samples.astype(np.float32))
    names = ("FL", "FR")[: channels.shape[0]]
    for start in range(0, channels.shape[1], block):
        part = channels[:, start : start + block]
        listener.on_sound(SoundBlock(samples=part, sample_rate=rate, channels=names))
    return listener.finish()


def struck(hertz: float, *, attack_s: float, fall_s: float, seconds: float = 2.0) -> Samples:
    """A tone that rises on a straight line and falls exponentially."""
    t = np.arange(round(seconds * RATE)) / RATE
    level = np.minimum(t / attack_s, 1) * np.exp(-np.maximum(t - attack_s, 0) / fall_s)
    return level * sine(hertz, seconds)


@pytest.mark.parametrize("hertz", [60, 440, 4_000])
@pytest.mark.parametrize("attack_s", [0.002, 0.02, 0.1, 0.5])
@pytest.mark.parametrize("fall_s", [0.05, 0.2])
def test_a_struck_tone_has_its_times(hertz: float, attack_s: float, fall_s: float) -> None:
    found = envelope_of(struck(hertz, attack_s=attack_s, fall_s=fall_s))
    half_wave_s = 0.5 / hertz  # as near as peaks of a wave tell its level
    assert found.attack_s == pytest.approx(0.8 * attack_s, abs=0.0015 + half_wave_s)
    assert found.peak_s == pytest.approx(attack_s, abs=0.004 + 0.6 * half_wave_s)
    assert found.decay_s == pytest.approx(TO_MINUS_20_DB * fall_s, abs=0.002 + half_wave_s)
    # Of a triangle and an exponential together, by integrals.
    mass = attack_s / 2 + fall_s
    centre = (attack_s**2 / 3 + fall_s * (attack_s + fall_s)) / mass
    assert found.temporal_centroid_s == pytest.approx(centre, abs=0.005)
    effective_s = 0.6 * attack_s - log(0.4) * fall_s
    assert found.effective_duration_s == pytest.approx(effective_s, abs=HOLD_S + half_wave_s)


def test_a_sound_that_does_not_die_away_has_no_decay() -> None:
    found = envelope_of(sine(440, 1.0))
    assert found.decay_s is None
    assert found.attack_s == pytest.approx(0, abs=0.001)
    assert found.temporal_centroid_s == pytest.approx(0.5, abs=0.002)
    assert found.effective_duration_s == pytest.approx(1.0, abs=0.002)


def test_the_loudest_of_several_sounds_is_meant() -> None:
    soft, loud = struck(440, attack_s=0.2, fall_s=0.02), struck(440, attack_s=0.01, fall_s=0.1)
    found = envelope_of(np.concatenate([0.3 * soft, loud, 0.05 * soft]))
    assert found.peak_s == pytest.approx(2.01, abs=0.004)
    assert found.attack_s == pytest.approx(0.008, abs=0.003)
    assert found.decay_s == pytest.approx(TO_MINUS_20_DB * 0.1, abs=0.005)


@pytest.mark.parametrize("block", [1, 7, 44, 100_000])
def test_the_blocks_do_not_matter(block: int) -> None:
    sound = struck(440, attack_s=0.01, fall_s=0.02, seconds=0.2)
    assert envelope_of(sound, block=block) == envelope_of(sound)


def test_the_louder_channel_counts() -> None:
    sound = struck(440, attack_s=0.1, fall_s=0.1)
    assert envelope_of(np.stack([0.01 * sound, sound])) == envelope_of(sound)


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.full(10, 1e-6), np.zeros(0)])
def test_silence_has_no_envelope(samples: Samples) -> None:
    assert envelope_of(samples) == Envelope()


@pytest.mark.parametrize("rate", [1, 100, 8_000, 192_000])
@pytest.mark.parametrize("count", [1, 2, 500])
def test_any_rate_and_length_has_one(tmp_path: Path, rate: int, count: int) -> None:
    path = write(tmp_path / "a.wav", noise(count / rate, rate=rate), rate=rate, subtype="PCM_16")
    found = analyze(path, ["envelope"]).envelope
    assert found is not None
    assert found.attack_s is not None
    assert 0 <= (found.peak_s or 0) <= count / rate


def test_hours_take_no_more_memory_than_a_minute_and_lose_precision_alone() -> None:
    listener, rate = LoudestSound(), 1_000
    silence = np.zeros((1, 60 * rate), dtype=np.float32)
    burst = np.ones((1, 60 * rate), dtype=np.float32)
    tracemalloc.start()
    for minute in range(600):
        samples = burst if minute == 300 else silence
        listener.on_sound(SoundBlock(samples=samples, sample_rate=rate, channels=("FC",)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * MOST_STEPS * 4
    found = listener.finish()
    assert found.peak_s == pytest.approx(300 * 60, abs=2)
    assert found.effective_duration_s == pytest.approx(60, abs=3)


def test_drums_begin_at_once_and_die_away(samples: Path) -> None:
    for name in ("snare_sdbkit-snare", "rimshot_x0xproc1-rimshot", "kick_sdbkit-kick"):
        found = analyze(samples / "oneshots" / f"{name}.wav", ["envelope"]).envelope
        assert found is not None
        assert (found.attack_s or 0) < 0.005, name
        assert 0.01 < (found.decay_s or 0) < 0.4, name


def test_a_blown_note_begins_slowly(samples: Path) -> None:
    found = analyze(samples / "notes" / "note_flute-A4.wav", ["envelope"]).envelope
    assert found is not None
    assert (found.attack_s or 0) > 0.05
