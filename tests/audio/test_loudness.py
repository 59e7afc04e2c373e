"""Loudness against the nominal values of EBU Tech 3341 and 3342, and plain levels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harken.audio import Feature, Loudness, analyze
from harken.audio.k_weighting import channel_weights, k_weighting
from tests.audio.signals import noise, sine, steps, write

WITHIN_LU = 0.1
# EBU Tech 3341, table 1: (dBFS, seconds) of a stereo 1 kHz tone that is -23 LUFS as a whole.
INTEGRATED: dict[int, Sequence[tuple[float, float]]] = {
    1: [(-23, 20)],
    3: [(-36, 10), (-23, 60), (-36, 10)],
    4: [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
    5: [(-26, 20), (-20, 20.1), (-26, 20)],
}
# EBU Tech 3342, table 1: the tone's levels, 20 s each, and the range in LU.
RANGES: dict[int, tuple[Sequence[float], float]] = {
    1: ((-20, -30), 10),
    2: ((-20, -15), 5),
    3: ((-40, -20), 20),
    4: ((-50, -35, -20, -35, -50), 15),
}


def loudness(path: Path) -> Loudness:
    result = analyze(path, [Feature.LOUDNESS]).loudness
    assert result is not None
    return result


@pytest.mark.parametrize("case", INTEGRATED)
def test_ebu_3341_programme_loudness(tmp_path: Path, case: int) -> None:
    path = write(tmp_path / "a.wav", steps(INTEGRATED[case]), rate=48_000, tile=2)
    assert loudness(path).integrated_lufs == pytest.approx(-23.0, abs=WITHIN_LU)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 88_200, 96_000, 192_000])
def test_ebu_3341_case_2_holds_at_every_sample_rate(tmp_path: Path, rate: int) -> None:
    path = write(tmp_path / "a.wav", steps([(-33, 5)], rate=rate), rate=rate, tile=2)
    found = loudness(path)
    assert found.integrated_lufs == pytest.approx(-33.0, abs=WITHIN_LU)
    assert found.momentary_max_lufs == pytest.approx(-33.0, abs=WITHIN_LU)
    assert found.short_term_max_lufs == pytest.approx(-33.0, abs=WITHIN_LU)


def test_ebu_3341_case_6_weighs_the_five_channels(tmp_path: Path) -> None:
    tones = [sine(1000, 20, dbfs=level, rate=48_000) for level in (-28, -28, -24, -30, -30)]
    path = write(tmp_path / "a.flac", np.stack(tones, axis=1), rate=48_000, subtype="PCM_24")
    assert loudness(path).integrated_lufs == pytest.approx(-23.0, abs=WITHIN_LU)


def test_ebu_3341_case_9_short_term_loudness(tmp_path: Path) -> None:
    tone = steps([(-20, 1.34), (-30, 1.66)] * 5)
    path = write(tmp_path / "a.wav", tone, rate=48_000, tile=2)
    assert loudness(path).short_term_max_lufs == pytest.approx(-23.0, abs=WITHIN_LU)


@pytest.mark.parametrize("shift", range(0, 20, 3))
def test_ebu_3341_case_10_the_loudest_3_s_are_found_wherever_they_begin(
    tmp_path: Path, shift: int
) -> None:
    silence = (-200.0, 0.15 * shift)
    path = write(tmp_path / "a.wav", steps([silence, (-23, 3), (-200, 1)]), rate=48_000, tile=2)
    assert loudness(path).short_term_max_lufs == pytest.approx(-23.0, abs=WITHIN_LU)


def test_ebu_3341_case_12_momentary_loudness(tmp_path: Path) -> None:
    tone = steps([(-20, 0.18), (-30, 0.22)] * 25)
    path = write(tmp_path / "a.wav", tone, rate=48_000, tile=2)
    assert loudness(path).momentary_max_lufs == pytest.approx(-23.0, abs=WITHIN_LU)


@pytest.mark.parametrize("shift", range(0, 20, 3))
def test_ebu_3341_case_13_the_loudest_400_ms_are_found_wherever_they_begin(
    tmp_path: Path, shift: int
) -> None:
    silence = (-200.0, 0.02 * shift)
    path = write(tmp_path / "a.wav", steps([silence, (-23, 0.4), (-200, 1)]), rate=48_000, tile=2)
    assert loudness(path).momentary_max_lufs == pytest.approx(-23.0, abs=WITHIN_LU)


# EBU Tech 3341, cases 15 to 19: share of the sample rate, peak, phase in degrees, dBTP.
TRUE_PEAKS = [
    (4, 0.5, 0.0, -6.0),
    (4, 0.5, 45.0, -6.0),
    (6, 0.5, 60.0, -6.0),
    (8, 0.5, 67.5, -6.0),
    (4, 1.41, 45.0, 3.0),
]


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize(("share", "peak", "degrees", "dbtp"), TRUE_PEAKS)
def test_ebu_3341_true_peak_between_the_samples(
    tmp_path: Path, rate: int, share: int, peak: float, degrees: float, dbtp: float
) -> None:
    tone = sine(rate / share, 1.0, dbfs=20 * np.log10(peak), rate=rate, degrees=degrees)
    fade = np.minimum(1.0, np.arange(tone.shape[0]) / 1000)
    path = write(tmp_path / "a.wav", tone * fade * fade[::-1], rate=rate, tile=2)
    found = loudness(path).true_peak_dbtp
    assert found is not None
    assert dbtp - 0.4 <= found <= dbtp + 0.2


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_ebu_3341_a_single_peak_beside_a_sample(tmp_path: Path, rate: int, quarters: int) -> None:
    """Cases 20 to 23: one band-limited pulse to full scale, falling on or beside a sample."""
    time = np.arange(-rate // 2, rate // 2) - quarters / 4
    pulse = np.sinc(2 * 20_000 / rate * time) * np.exp(-0.5 * (time / 40) ** 2)
    tone = 0.5 * np.sin(2 * np.pi / 6 * time)
    path = write(tmp_path / "a.wav", pulse + tone * (np.abs(time) > 400), rate=rate, tile=2)
    found = loudness(path).true_peak_dbtp
    assert found is not None
    assert -0.4 <= found <= 0.2


@pytest.mark.parametrize("hertz", [50, 1_000, 9_000, 17_000, 19_000])
def test_the_true_peak_of_a_tone_is_its_amplitude(tmp_path: Path, hertz: float) -> None:
    tone = sine(hertz, 1.0, dbfs=-1.0, rate=48_000) * np.hanning(48_000)
    found = loudness(write(tmp_path / "a.wav", tone, rate=48_000))
    assert found.true_peak_dbtp == pytest.approx(-1.0, abs=0.05)
    assert found.sample_peak_dbfs is not None
    assert found.true_peak_dbtp is not None
    assert found.true_peak_dbtp >= found.sample_peak_dbfs


def test_the_true_peak_is_found_in_one_channel_at_the_end(tmp_path: Path) -> None:
    """A stretch that cannot hold the peak is skipped; the one that does never is."""
    rate = 44_100
    quiet = noise(3.0, dbfs=-30, rate=rate)
    loud = quiet.copy()
    loud[-2000:] += sine(rate / 4, 2000 / rate, dbfs=-1.0, rate=rate, degrees=45) * np.hanning(2000)
    path = write(tmp_path / "a.wav", np.stack([quiet, loud], axis=1), rate=rate)
    found = loudness(path)
    assert found.true_peak_dbtp is not None
    assert found.sample_peak_dbfs is not None
    assert found.true_peak_dbtp > found.sample_peak_dbfs + 0.5


@pytest.mark.parametrize("case", RANGES)
def test_ebu_3342_loudness_range(tmp_path: Path, case: int) -> None:
    levels, expected = RANGES[case]
    path = write(tmp_path / "a.wav", steps([(level, 20) for level in levels]), rate=48_000, tile=2)
    assert loudness(path).range_lu == pytest.approx(expected, abs=1.0)


def test_a_full_scale_sine_has_an_rms_of_minus_3_01(tmp_path: Path) -> None:
    found = loudness(write(tmp_path / "a.wav", sine(997, 2.0, dbfs=0.0)))
    assert found.rms_dbfs == pytest.approx(-3.01, abs=0.005)
    assert found.sample_peak_dbfs == pytest.approx(0.0, abs=0.01)
    # Mono counts once: -3.01 LUFS, by the definition of the scale.
    assert found.integrated_lufs == pytest.approx(-3.01, abs=0.05)


def test_rms_is_taken_over_all_channels(tmp_path: Path) -> None:
    stereo = np.stack([sine(997, 1.0, dbfs=0.0), np.zeros(44_100)], axis=1)
    assert loudness(write(tmp_path / "a.wav", stereo)).rms_dbfs == pytest.approx(-6.02, abs=0.01)


def test_silence_has_no_level(tmp_path: Path) -> None:
    found = loudness(write(tmp_path / "a.wav", np.zeros(5 * 44_100), tile=2))
    assert found == Loudness()


def test_loudness_needs_400_ms_and_range_3_s(tmp_path: Path) -> None:
    below = loudness(write(tmp_path / "a.wav", sine(1000, 0.39)))
    assert below.integrated_lufs is None
    assert below.momentary_max_lufs is None
    assert below.rms_dbfs is not None
    above = loudness(write(tmp_path / "b.wav", sine(1000, 2.99)))
    assert above.integrated_lufs is not None
    assert above.range_lu is None
    assert above.short_term_max_lufs is None
    assert loudness(write(tmp_path / "c.wav", sine(1000, 3.0))).range_lu == pytest.approx(
        0, abs=0.1
    )


def test_what_lies_below_the_gate_has_no_loudness(tmp_path: Path) -> None:
    found = loudness(write(tmp_path / "a.wav", sine(1000, 5.0, dbfs=-80)))
    assert found.integrated_lufs is None
    assert found.range_lu is None
    assert found.rms_dbfs == pytest.approx(-83.0, abs=0.1)


def test_the_composed_piece_has_the_loudness_it_was_given(piece_path: Path) -> None:
    assert loudness(piece_path).integrated_lufs == pytest.approx(-16.0, abs=WITHIN_LU)


def test_the_filter_is_the_standards_table_at_48_khz() -> None:
    """ITU-R BS.1770-4, tables 1 and 2."""
    table = [
        [
            1.53512485958697,
            -2.69169618940638,
            1.19839281085285,
            1,
            -1.69065929318241,
            0.73248077421585,
        ],
        [1.0, -2.0, 1.0, 1, -1.99004745483398, 0.99007225036621],
    ]
    assert k_weighting(48_000) == pytest.approx(np.array(table), abs=1e-6)


def test_surrounds_count_more_and_the_bass_effects_not_at_all() -> None:
    assert channel_weights(("FL", "FR", "FC", "LFE", "BL", "BR")).tolist() == [
        1,
        1,
        1,
        0,
        1.41,
        1.41,
    ]
    seven = channel_weights(("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"))
    assert seven.tolist() == [1, 1, 1, 0, 1, 1, 1.41, 1.41]
    assert channel_weights(("FC",)).tolist() == [1]
