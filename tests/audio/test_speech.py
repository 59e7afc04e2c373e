"""Speech of known words, pauses and noise; music and noise alone; and recordings that people have labelled."""

import csv
from pathlib import Path

import numpy as np
import pytest

from demo.piece import Piece
from harken.audio import Speech, analyze
from tests.audio.signals import Samples, noise, sine, write
from tests.audio.spoken import RATE, Spoken, speak


def speech_of(tmp_path: Path, samples: Samples, rate: int = RATE) -> Speech:
    found = analyze(write(tmp_path / "sound.wav", samples, rate=rate), ["speech"]).speech
    assert found is not None
    return found


def heard_noise(spoken: Spoken, snr_db: float, *, pink: bool) -> Samples:
    """Noise of 60 Hz to 11 kHz, that far below what is spoken while it is."""
    count = spoken.samples.shape[0]
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[hertz < 60] = 0
    if pink:
        spectrum /= np.sqrt(np.maximum(hertz, 1))
    made = np.fft.irfft(spectrum, count)
    said = np.concatenate(
        [spoken.samples[round(a * RATE) : round(b * RATE)] for a, b in spoken.phrases]
    )
    return made / made.std() * said.std() * 10 ** (-snr_db / 20)


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return speak(6, seed=9)


def assert_phrases(found: Speech, spoken: Spoken, within_s: float) -> None:
    assert found.segment_count == len(spoken.phrases) == len(found.segments)
    for segment, (start, end) in zip(found.segments, spoken.phrases, strict=True):
        assert segment.start_s == pytest.approx(start, abs=within_s)
        assert segment.end_s == pytest.approx(end, abs=within_s)


@pytest.mark.parametrize(
    ("seed", "pitch_hz", "rate_hz"),
    [(0, 110, 4.5), (1, 160, 4.0), (2, 220, 5.5), (3, 95, 3.5), (4, 140, 5.0)],
)
def test_phrases_pauses_and_syllables_are_found(
    tmp_path: Path, seed: int, pitch_hz: float, rate_hz: float
) -> None:
    spoken = speak(4, seed=seed, pitch_hz=pitch_hz, rate_hz=rate_hz)
    found = speech_of(tmp_path, spoken.samples)
    assert_phrases(found, spoken, within_s=0.1)
    said = sum(end - start for start, end in spoken.phrases)
    assert found.speech_s == pytest.approx(said, rel=0.03)
    assert found.syllable_count == pytest.approx(spoken.syllables, rel=0.05)
    assert found.syllable_rate_hz == pytest.approx(spoken.syllables / said, rel=0.1)
    pauses = [b[0] - a[1] for a, b in zip(spoken.phrases, spoken.phrases[1:], strict=False)]
    assert found.pause_count == 3
    assert found.pause_s_mean == pytest.approx(np.mean(pauses), abs=0.1)
    assert found.pause_s_longest == pytest.approx(max(pauses), abs=0.1)
    assert found.speech_share == pytest.approx(said * RATE / spoken.samples.shape[0], abs=0.03)
    assert 0 < (found.voiced_s or 0) < said


@pytest.mark.parametrize("pink", [False, True], ids=["white", "pink"])
@pytest.mark.parametrize("snr_db", [15, 20, 30])
def test_noise_beside_speech_is_measured_and_hides_no_phrase(
    tmp_path: Path, spoken: Spoken, snr_db: float, pink: bool
) -> None:
    found = speech_of(tmp_path, spoken.samples + heard_noise(spoken, snr_db, pink=pink))
    assert found.snr_db == pytest.approx(snr_db, abs=1.5)
    assert_phrases(found, spoken, within_s=0.12)
    assert found.syllable_count == pytest.approx(spoken.syllables, rel=0.1)
    assert (found.noise_share or 0) > 0.15


@pytest.mark.parametrize(
    ("snr_db", "pink"), [(0, False), (5, False), (10, False), (5, True), (10, True)]
)
def test_in_loud_noise_the_ratio_of_what_is_found_is_right(
    tmp_path: Path, spoken: Spoken, snr_db: float, pink: bool
) -> None:
    found = speech_of(tmp_path, spoken.samples + heard_noise(spoken, snr_db, pink=pink))
    assert found.snr_db == pytest.approx(snr_db, abs=3)


def test_the_level_changes_nothing(tmp_path: Path) -> None:
    spoken = speak(3)
    loud = speech_of(tmp_path, spoken.samples)
    quiet = speech_of(tmp_path, spoken.samples * 0.02)
    assert [segment.start_s for segment in quiet.segments] == pytest.approx(
        [segment.start_s for segment in loud.segments], abs=0.03
    )
    assert quiet.syllable_count == loud.syllable_count


def hum() -> Samples:
    return sum(sine(50 * k, 6.0, dbfs=-30) / k for k in range(1, 9)) * np.ones(6 * 44_100)


@pytest.mark.parametrize("make", [lambda: noise(6.0), hum], ids=["white noise", "hum"])
def test_what_is_no_speech_has_none(tmp_path: Path, make) -> None:
    found = speech_of(tmp_path, make(), rate=44_100)
    assert (found.segment_count, found.speech_share, found.speech_s) == (0, 0.0, 0.0)
    assert (found.snr_db, found.syllable_rate_hz, found.pause_s_mean) == (None, None, None)


def test_noise_is_noise(tmp_path: Path) -> None:
    assert speech_of(tmp_path, noise(6.0), rate=44_100).noise_share == pytest.approx(1.0)


def test_music_is_music(tmp_path: Path, piece: Piece) -> None:
    found = speech_of(tmp_path, piece.samples, rate=piece.sample_rate)
    assert (found.music_share or 0) > 0.9
    assert found.segment_count == 0


def test_music_after_speech_is_told_apart(tmp_path: Path, spoken: Spoken, piece: Piece) -> None:
    music = piece.samples.mean(axis=1)
    said = np.interp(
        np.arange(round(spoken.samples.shape[0] * piece.sample_rate / RATE))
        * RATE
        / piece.sample_rate,
        *(np.arange(spoken.samples.shape[0]), spoken.samples),
    )
    found = speech_of(tmp_path, np.concatenate([said, music]), rate=piece.sample_rate)
    said_s = said.shape[0] / piece.sample_rate
    assert found.segments[-1].end_s is not None
    assert found.segments[-1].end_s < said_s + 1.5
    assert found.music_share == pytest.approx(20.0 / (20.0 + said_s), abs=0.1)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(44_100), np.zeros(1), np.full(22_050, 0.5)],
    ids=["silence", "sample", "DC"],
)
def test_the_shares_of_what_is_no_sound_sum_to_1(tmp_path: Path, samples: Samples) -> None:
    found = speech_of(tmp_path, samples)
    shares = (found.speech_share, found.music_share, found.noise_share, found.silence_share)
    assert sum(share or 0 for share in shares) == pytest.approx(1.0)
    assert found.segment_count == 0
    assert found.snr_db is None


def test_recordings_are_speech_or_not_as_people_say(samples: Path) -> None:
    with (samples / "manifest.csv").open() as file:
        labelled = [
            (row["path"], row["kind"] == "speech" or row["class"] == "voice")
            for row in csv.DictReader(file)
            if row["kind"] in ("speech", "music", "loop", "stem") or row["class"] == "voice"
        ]
    assert labelled
    wrong = []
    for name, is_speech in labelled:
        found = analyze(samples / name, ["speech"]).speech
        assert found is not None
        heard = 1.0 - (found.silence_share or 0)
        if ((found.speech_share or 0) > 0.4 * heard) is not is_speech:
            wrong.append(name)
    assert wrong == []
