"""The pitch of one voice or instrument: known tones, what has none, and notes that people have named."""

import csv
from math import log2
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from benchmarks.pitch import errors, harken_frames
from benchmarks.voices import SPEAKERS, Speaker, spoken
from harken.audio import Pitch, analyze
from harken.audio.pitch.candidates import HOP, WINDOW
from harken.audio.pitch.path import HELD
from harken.audio.pitch.tracker import PitchTracker
from tests.audio.signals import Samples, chord, noise, sine, write

RATE = 22_050
NONE = Pitch(voiced_share=0.0)


def pitch_of(samples: Samples, block: int = 50_000) -> Pitch:
    tracker = PitchTracker()
    for start in range(0, samples.shape[0], block):
        tracker.on_mono(samples[start : start + block].astype(np.float32))
    return tracker.finish()


def cents(hertz: float | None, of: float) -> float:
    assert hertz is not None
    return 1200 * log2(hertz / of)


def tone(hertz: float, seconds: float = 1.0) -> Samples:
    return sine(hertz, seconds, rate=RATE)


def saw(hertz: float) -> Samples:
    overtones = range(1, int(10_000 / hertz) + 1)
    return sum(tone(hertz * k) / k for k in overtones) * np.ones(RATE)


@pytest.mark.parametrize("hertz", [45, 50, 82.4, 110, 220, 440, 880, 1_500, 2_000, 2_150])
@pytest.mark.parametrize("wave", [tone, saw])
def test_a_steady_tone_has_its_frequency(hertz: float, wave) -> None:
    found = pitch_of(wave(hertz))
    assert cents(found.f0_hz_median, hertz) == pytest.approx(0, abs=10)
    assert cents(found.f0_hz_high, hertz) - cents(found.f0_hz_low, hertz) < 15
    assert found.voiced_share == 1.0
    assert found.confidence is not None
    assert 0.6 < found.confidence <= 1.0


@pytest.mark.parametrize(("hertz", "midi", "off"), [(440, 69, 0), (448, 69, 31.2), (265, 60, 22.2)])
def test_the_note_is_the_nearest_with_what_it_is_off(hertz: float, midi: int, off: float) -> None:
    found = pitch_of(tone(hertz))
    assert found.midi_note == midi
    assert found.cents == pytest.approx(off, abs=2)


@pytest.mark.parametrize("hertz", [60, 440, 1_900])
def test_vibrato_is_followed_around_its_middle(hertz: float) -> None:
    t = np.arange(2 * RATE) / RATE
    wave = np.sin(2 * np.pi * hertz * t + 0.03 * hertz / 5 * np.sin(2 * np.pi * 5 * t))
    found = pitch_of(0.3 * wave)
    assert cents(found.f0_hz_median, hertz) == pytest.approx(0, abs=10)
    # 3 % to each side, nearly to the ends: a sine stays there longest.
    assert cents(found.f0_hz_high, hertz) == pytest.approx(50, abs=6)
    assert cents(found.f0_hz_low, hertz) == pytest.approx(-52, abs=6)


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("silence", np.zeros(RATE)),
        ("white noise", noise(3.0, rate=RATE)),
        ("brown noise", np.cumsum(noise(3.0, rate=RATE)) / 100),
        ("constant", np.ones(RATE)),
        ("click", np.eye(1, RATE, 5_000)[0]),
        ("below the range", tone(25)),
        ("above the range", tone(4_000)),
        ("far above the range", tone(7_000)),
        ("too low a level", 1e-5 * tone(440)),
    ],
)
def test_what_has_no_pitch_gets_none(name: str, samples: Samples) -> None:
    assert pitch_of(samples) == NONE


@pytest.mark.parametrize("notes", [(60, 64, 67), (60, 66), (60, 61)])
def test_several_notes_at_once_have_one_pitch_at_most(notes: tuple[int, ...]) -> None:
    """Maybe that of which they are overtones: C, E and G are those of a C two octaves below."""
    found = pitch_of(chord(notes, 1.0, rate=RATE))
    if found.f0_hz_median is not None:
        assert cents(found.f0_hz_high, found.f0_hz_low or 0) < 100


def test_a_tone_between_noises_is_voiced_for_as_long_as_it_lasts() -> None:
    found = pitch_of(np.concatenate([noise(1.0, rate=RATE), tone(330), noise(2.0, rate=RATE)]))
    assert cents(found.f0_hz_median, 330) == pytest.approx(0, abs=5)
    assert found.voiced_share == pytest.approx(0.25, abs=0.04)


def test_two_notes_are_the_ends_of_the_range() -> None:
    found = pitch_of(np.concatenate([tone(220), tone(330)]))
    assert cents(found.f0_hz_low, 220) == pytest.approx(0, abs=5)
    assert cents(found.f0_hz_high, 330) == pytest.approx(0, abs=5)


@pytest.mark.parametrize("block", [100, 4_096, 10_000_000])
def test_the_blocks_do_not_matter(block: int) -> None:
    """Longer than the frames that are held, so that portions are decided on the way."""
    seconds = 2.5 * HELD * 256 / RATE
    t = np.arange(round(seconds * RATE)) / RATE
    glide = 0.3 * np.sin(2 * np.pi * 100 * t * (1 + t / 30))
    whole = pitch_of(glide)
    assert pitch_of(glide, block) == whole
    assert whole.voiced_share == 1.0
    assert cents(whole.f0_hz_low, 100 * (1 + 0.05 * 2 * seconds / 30)) == pytest.approx(0, abs=10)


@pytest.mark.parametrize("count", [1, 100, 1_576, 1_577, 2_000])
def test_a_recording_of_a_moment_has_a_result(tmp_path: Path, count: int) -> None:
    path = write(tmp_path / "a.wav", sine(440, 1.0, rate=RATE)[:count], rate=RATE)
    found = analyze(path, ["pitch"]).pitch
    assert found is not None
    assert found.voiced_share is not None


@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)
def test_voices_of_known_pitch_are_followed_in_voice_and_pause(speaker: Speaker) -> None:
    """Glides, jitter, breath and the noise of a room; an octave or a pause is hardly ever wrong."""
    samples, truth = spoken(speaker, seed=20)
    gross, voicing = errors(harken_frames(samples), truth, HOP, WINDOW // 2)
    assert gross < 0.08
    assert voicing < 0.13
    found = pitch_of(samples)
    assert cents(found.f0_hz_median, float(np.median(truth[truth > 0]))) == pytest.approx(0, abs=50)
    assert found.voiced_share == pytest.approx(np.mean(truth > 0), abs=0.13)


def test_labelled_notes_are_right_and_no_further_off_than_by_librosa(samples: Path) -> None:
    """Within 50 cents each, and near what librosa.pyin finds in their first second and a half."""
    with (samples / "manifest.csv").open() as manifest:
        notes = [row for row in csv.DictReader(manifest) if row["pitch"]]
    assert len(notes) >= 6
    for row in notes:
        path, named = samples / row["path"], float(librosa.note_to_hz(row["pitch"]))
        found = analyze(path, ["pitch"]).pitch
        assert found is not None
        assert cents(found.f0_hz_median, named) == pytest.approx(0, abs=50), row["path"]
        assert found.midi_note == librosa.note_to_midi(row["pitch"])
        assert (found.voiced_share or 0) > 0.9
        stored, rate = soundfile.read(path, always_2d=True)
        mono = stored[: round(1.5 * rate)].mean(axis=1)
        sound = librosa.resample(mono, orig_sr=rate, target_sr=RATE)
        theirs, _, _ = librosa.pyin(sound, fmin=100, fmax=2_000, sr=RATE)
        ours = pitch_of(sound)
        assert cents(ours.f0_hz_median, float(np.nanmedian(theirs))) == pytest.approx(0, abs=25)
