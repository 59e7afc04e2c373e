"""Each fault by a signal that has it in a known measure, and sound without a fault."""

from pathlib import Path

import numpy as np
import pytest

from harken.audio import ProblemKind, Quality, analyze
from harken.audio.blocks import SoundBlock
from harken.audio.quality.meter import QualityMeter
from harken.audio.quality.windows import WINDOW_S
from tests.audio.quality.heard import kinds, quality_of, rounded
from tests.audio.signals import Samples, noise, sine, write

RATE = 44_100


def music(seconds: float = 3.0, *, seed: int = 0, rate: int = RATE) -> Samples:
    """Pink noise that swells twice a second: something of everything, nothing wrong with it."""
    spectrum = np.fft.rfft(noise(seconds, rate=rate, seed=seed))
    hertz = np.fft.rfftfreq(round(seconds * rate), 1 / rate)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 30)), round(seconds * rate))
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 2 * np.arange(pink.shape[0]) / rate)
    shaped = pink * swell
    return 0.5 * shaped / np.abs(shaped).max()


def stereo(seconds: float = 3.0) -> Samples:
    """Two channels that share a part."""
    shared = music(seconds)
    return np.stack([shared + 0.4 * music(seconds, seed=1), shared + 0.4 * music(seconds, seed=2)])


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_nothing_is_wrong_with_plain_sound(rate: int, channels: int) -> None:
    sound = np.stack([music(2.0, seed=seed, rate=rate) for seed in range(channels)])
    assert quality_of(rounded(sound, 24), rate=rate).problems == ()


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_clipped_crests_are_counted_however_soft_they_were_made(gain: float) -> None:
    wave = rounded(gain * np.clip(sine(1_000, 1.0, dbfs=6.0), -0.9, 0.9), 16)
    found = quality_of(wave)
    assert found.clipping is not None
    # A crest each half wave; the first and last may be cut by the file's ends.
    assert found.clipping.stretch_count == pytest.approx(2_000, abs=2)
    flat = np.abs(wave) >= 0.9 * gain - 2**-15
    assert found.clipping.samples == pytest.approx(np.count_nonzero(flat), rel=0.01)
    assert found.channels[0].clip_level_dbfs == pytest.approx(20 * np.log10(0.9 * gain), abs=0.01)
    first = found.clipping.stretches[0]
    assert first.start_s == pytest.approx(np.flatnonzero(flat)[0] / RATE)
    assert len(found.clipping.stretches) == 100


def test_music_that_was_clipped_is_told_and_the_same_music_unclipped_is_not() -> None:
    sound = music()
    clipped = rounded(np.clip(sound, -0.3, 0.3), 16)
    assert ProblemKind.CLIPPING in kinds(quality_of(clipped))
    assert ProblemKind.CLIPPING in kinds(quality_of(0.5 * clipped))
    assert ProblemKind.CLIPPING not in kinds(quality_of(rounded(sound, 16)))


@pytest.mark.parametrize("bits", [8, 16, 24])
@pytest.mark.parametrize("hertz", [20, 50, 440])
def test_round_crests_of_low_tones_are_not_clipped(bits: int, hertz: float) -> None:
    found = quality_of(rounded(sine(hertz, 1.0, dbfs=-1.0), bits))
    assert found.clipping is not None
    assert found.clipping.stretch_count == 0


def test_a_square_wave_is_meant_to_be_flat() -> None:
    assert ProblemKind.CLIPPING not in kinds(quality_of(0.5 * np.sign(sine(100.5, 1.0))))


def test_samples_beyond_full_scale_are_counted() -> None:
    sound = 0.5 * music()
    sound[1000:1007] = 1.5
    found = quality_of(sound)
    assert found.clipping is not None
    assert found.clipping.samples_over_full_scale == 7
    assert ProblemKind.OVER_FULL_SCALE in kinds(found)


@pytest.mark.parametrize("base", [49.9, 50.0, 60.0, 60.1])
def test_hum_under_music_has_its_frequency_and_level(base: float) -> None:
    pauses = np.repeat([1.0, 0.02, 1.0, 0.02, 1.0], 4 * RATE)
    sound = music(20.0) * pauses
    for k, dbfs in ((1, -50), (2, -44), (3, -56)):
        sound += sine(k * base, 20.0, dbfs=dbfs)
    found = quality_of(sound)
    assert found.hum is not None
    assert found.hum.base_hz == pytest.approx(base, abs=0.05)
    powers = [10 ** (db / 10) / 2 for db in (-50, -44, -56)]
    assert found.hum.level_dbfs == pytest.approx(10 * np.log10(sum(powers)), abs=2.0)
    assert found.hum.harmonics == 3
    assert (found.hum.prominence_db or 0) > 10
    assert ProblemKind.HUM in kinds(found)


def test_a_bass_that_plays_the_mains_own_notes_is_no_hum() -> None:
    steps = np.repeat([1.0, 0.0, 1.0, 1.0, 0.0, 1.0], 2 * RATE)
    bass = sum(sine(50 * k, 12.0, dbfs=-30 - 3 * k) for k in range(1, 5)) * steps
    assert ProblemKind.HUM not in kinds(quality_of(bass + noise(12.0, dbfs=-70)))
    drone = sum(sine(48.999 * k, 12.0, dbfs=-30 - 3 * k) for k in range(1, 5))
    assert ProblemKind.HUM not in kinds(quality_of(drone + noise(12.0, dbfs=-70)))
    assert ProblemKind.HUM not in kinds(quality_of(sine(50, 12.0, dbfs=-30)))


def test_an_offset_is_measured_for_each_channel() -> None:
    sound = stereo()
    sound -= sound.mean(axis=1, keepdims=True)
    found = quality_of(sound + np.array([[0.01], [-0.002]]))
    assert [one.dc_offset for one in found.channels] == pytest.approx([0.01, -0.002], abs=1e-5)
    assert ProblemKind.DC_OFFSET in kinds(found)


def test_the_swing_of_a_drum_is_no_offset() -> None:
    t = np.arange(RATE // 2) / RATE
    drum = 0.8 * np.exp(-t / 0.05) * np.sin(2 * np.pi * 3 * t + 1.0)
    assert abs(quality_of(drum).channels[0].dc_offset or 0) > 0.01
    assert ProblemKind.DC_OFFSET not in kinds(quality_of(drum))


def test_silence_at_the_ends_is_measured() -> None:
    sound = np.concatenate([np.zeros(3 * RATE), noise(1.0), np.zeros(RATE // 2)])
    found = quality_of(sound)
    assert found.silence is not None
    assert found.silence.start_s == pytest.approx(3.0, abs=0.001)
    assert found.silence.end_s == pytest.approx(0.5, abs=0.001)
    assert found.silence.digital_share == pytest.approx(3.5 / 4.5, abs=0.001)
    assert kinds(found) == {ProblemKind.LONG_SILENCE}


def test_gaps_within_sound_are_found_where_they_are() -> None:
    sound = rounded(music(), 16)
    for at, length in ((0.7, 0.02), (1.5, 0.1), (2.2, 0.003)):
        start = round(at * RATE)
        # A lost packet begins and ends anywhere in the wave; here surely not at its zero crossings.
        while min(abs(sound[start - 1]), abs(sound[start + round(length * RATE)])) < 0.05:
            start += 1
        sound[start : start + round(length * RATE)] = 0.0
    found = quality_of(sound)
    assert found.silence is not None
    assert found.silence.dropout_count == 3
    starts = [gap.start_s for gap in found.silence.dropouts]
    assert starts == pytest.approx([0.7, 1.5, 2.2], abs=0.02)
    lengths = [gap.duration_s for gap in found.silence.dropouts]
    assert lengths == pytest.approx([0.02, 0.1, 0.003], abs=0.0005)
    assert ProblemKind.DROPOUTS in kinds(found)


@pytest.mark.parametrize("before", [1, 5, 43, 44, 45, 59, 60])
def test_a_gap_is_found_wherever_the_windows_part_it(before: int) -> None:
    sound = rounded(music(), 16)
    window = round(WINDOW_S * RATE)
    length = 60  # 1.4 ms; of the shortest that counts each part may be too short
    for edge in range(window, sound.shape[0] - window, window):
        part = sound[edge - before - 1 : edge - before + length + 1]
        part[0] = part[-1] = 0.3  # it jumps to nothing and back
        part[1:-1] = 0.0
    found = quality_of(sound)
    assert found.silence is not None
    assert found.silence.dropout_count == len(range(window, sound.shape[0] - window, window))


def test_rests_and_8_bit_zero_crossings_are_no_gaps() -> None:
    t = np.arange(round(0.4 * RATE)) / RATE
    note = np.exp(-t / 0.05) * sine(220, 0.4)
    note[-2000:] = 0.0
    found = quality_of(np.concatenate([rounded(np.tile(note, 6), 16), rounded(sine(30, 1.0), 8)]))
    assert found.silence is not None
    assert found.silence.dropout_count == 0


@pytest.mark.parametrize(("stored", "used"), [(24, 16), (24, 20), (16, 8), (24, 24), (16, 16)])
def test_bits_that_are_stored_and_bits_that_are_used(
    tmp_path: Path, stored: int, used: int
) -> None:
    path = write(tmp_path / "a.wav", rounded(music(), used), subtype=f"PCM_{stored}")
    found = analyze(path, ["quality"]).quality
    assert found is not None
    assert found.resolution is not None
    assert (found.resolution.stored_bits, found.resolution.effective_bits) == (stored, used)
    assert (ProblemKind.PADDED_BITS in kinds(found)) is (used < stored)


def test_floating_point_needs_more_than_24_bits(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", music() / 3, subtype="FLOAT")
    found = analyze(path, ["quality"]).quality
    assert found is not None
    assert found.resolution is not None
    assert (found.resolution.stored_bits, found.resolution.effective_bits) == (32, None)


def test_unrelated_and_inverted_and_equal_channels() -> None:
    one, other = noise(3.0, seed=1), noise(3.0, seed=2)
    apart = quality_of(np.stack([one, other])).stereo
    assert apart is not None
    assert apart.correlation == pytest.approx(0, abs=0.02)
    assert apart.side_to_mid_db == pytest.approx(0, abs=0.2)
    assert apart.mono_loss_db == pytest.approx(3.01, abs=0.1)
    assert apart.balance_db == pytest.approx(0, abs=0.1)
    inverted = quality_of(np.stack([one, -one]))
    assert inverted.stereo is not None
    assert inverted.stereo.correlation == pytest.approx(-1)
    assert inverted.stereo.mono_loss_db is None
    assert kinds(inverted) == {ProblemKind.INVERTED_POLARITY}
    equal = quality_of(np.stack([one, one]))
    assert equal.stereo is not None
    assert (equal.stereo.identical, equal.stereo.mono_loss_db) == (True, pytest.approx(0))
    assert kinds(equal) == {ProblemKind.DUAL_MONO}


def test_equal_channels_with_dither_of_their_own_are_told_and_narrow_stereo_is_not() -> None:
    rng = np.random.default_rng(0)
    mono = music()
    dither = (rng.random((2, 2, mono.shape[0])) - 0.5).sum(axis=0) * 2.0**-15
    found = quality_of(rounded(mono + dither, 16))
    assert found.stereo is not None
    assert (found.stereo.identical, found.stereo.nearly_identical) == (False, True)
    narrow = np.stack([mono, mono + 0.003 * music(seed=3)])
    assert ProblemKind.DUAL_MONO not in kinds(quality_of(narrow))


def test_a_moment_of_opposite_polarity_shows_in_the_lowest_correlation() -> None:
    one = noise(4.0)
    other = one.copy()
    other[RATE : 2 * RATE] *= -1
    found = quality_of(np.stack([one, other])).stereo
    assert found is not None
    assert found.correlation == pytest.approx(0.5, abs=0.02)
    assert found.correlation_min == pytest.approx(-1.0, abs=1e-6)


def test_a_silent_and_a_softer_channel() -> None:
    sound = music()
    assert ProblemKind.SILENT_CHANNEL in kinds(quality_of(np.stack([sound, 0 * sound])))
    softer = quality_of(np.stack([0.25 * sound + 0.1 * music(seed=4), sound]))
    assert softer.stereo is not None
    assert softer.stereo.balance_db == pytest.approx(-11.4, abs=0.5)
    assert ProblemKind.IMBALANCE in kinds(softer)


@pytest.mark.parametrize("block", [1, 997, 17_640, 200_000])
def test_the_blocks_do_not_matter(block: int) -> None:
    sound = rounded(np.clip(stereo(1.0), -0.4, 0.4), 16)
    sound[:, 20_000:20_500] = 0.0
    assert quality_of(sound, block=block) == quality_of(sound)


@pytest.mark.parametrize("rate", [1, 100, 8_000, 192_000])
@pytest.mark.parametrize("count", [1, 2, 500])
def test_any_rate_and_length_has_one(tmp_path: Path, rate: int, count: int) -> None:
    path = write(tmp_path / "a.wav", noise(count / rate, rate=rate), rate=rate, subtype="PCM_16")
    found = analyze(path, ["quality"]).quality
    assert found is not None
    assert found.channels[0].rms_dbfs is not None


@pytest.mark.parametrize("count", [1, 882, 100_000])
def test_silence_is_silent_and_nothing_else(count: int) -> None:
    found = quality_of(np.zeros((2, count)))
    assert ProblemKind.SILENT in kinds(found)
    assert kinds(found) <= {ProblemKind.SILENT, ProblemKind.DUAL_MONO}
    assert found.channels[0].peak_dbfs is None


def test_of_no_sound_at_all_there_is_nothing_to_say() -> None:
    assert quality_of(np.zeros((1, 0))) == Quality()


def test_what_is_kept_of_a_long_recording_is_bounded() -> None:
    meter, rate = QualityMeter(), 1_000
    part = noise(300.0, rate=rate)[None].astype(np.float32)
    for _ in range(4):
        meter.on_sound(SoundBlock(samples=part, sample_rate=rate, channels=("FC",)))
    before = meter._mains._count  # pyright: ignore[reportPrivateUsage] — what would grow
    for _ in range(4):
        meter.on_sound(SoundBlock(samples=part, sample_rate=rate, channels=("FC",)))
    assert meter._mains._stride > 1  # pyright: ignore[reportPrivateUsage] — as above
    assert before < 2_048
    assert meter._mains._count < 2_048  # pyright: ignore[reportPrivateUsage] — as above
    assert meter.finish().channels[0].rms_dbfs == pytest.approx(-20, abs=0.1)
