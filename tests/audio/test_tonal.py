"""Key, tuning and chroma of sounds whose notes are known."""

from pathlib import Path

import numpy as np
import pytest

from demo.piece import KEYS, compose
from harken.audio import Feature, Tonal, analyze
from harken.audio.chords import triad_shares
from harken.audio.key import estimate_key
from harken.audio.pitch_classes import Pitches, PitchHistogram
from harken.audio.spectrum import BINS
from tests.audio import degradations
from tests.audio.signals import chord, clicks, noise, sine, write

CADENCES = {
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 10, 14)),
}
VERY_LONG_FRAMES = 200_000  # an hour and a quarter


def tonal(path: Path) -> Tonal:
    found = analyze(path, [Feature.TONAL]).tonal
    assert found is not None
    return found


def heard(magnitude: np.ndarray, *, block: int = 64) -> Pitches | None:
    histogram = PitchHistogram()
    for start in range(0, magnitude.shape[1], block):
        histogram.add(np.ascontiguousarray(magnitude[:, start : start + block]))
    return histogram.finish()


def tones(*bins: int, frames: int = 300) -> np.ndarray:
    """Magnitudes of steady sines in the middle of bins, as a Hann window shows them."""
    magnitude = np.full((BINS, frames), 1e-3, dtype=np.float32)
    for bin_ in bins:
        magnitude[bin_ - 1 : bin_ + 2] = np.array([[25], [50], [25]], dtype=np.float32)
    return magnitude


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_has_the_key_of_its_tonic(tmp_path: Path, tonic: int, mode: str) -> None:
    first, fourth, fifth = CADENCES[mode]
    chords = [
        chord([60 + tonic + step for step in steps], seconds)
        for steps, seconds in ((first, 1.0), (fourth, 0.5), (fifth, 0.5), (first, 1.0))
    ]
    found = tonal(write(tmp_path / "a.wav", np.concatenate(chords)))
    assert (found.key, found.mode) == (KEYS[tonic], mode)
    assert found.key_confidence is not None
    assert 0.3 < found.key_confidence <= 1.0


@pytest.mark.parametrize(("key", "mode"), [("F", "major"), ("C#", "minor"), ("G", "minor")])
def test_a_piece_with_drums_has_the_key_it_was_composed_in(
    tmp_path: Path, key: str, mode: str
) -> None:
    piece = compose(key=key, mode=mode, duration_s=20.0)
    path = write(tmp_path / "a.wav", piece.samples.astype(np.float64), rate=piece.sample_rate)
    found = tonal(path)
    assert (found.key, found.mode) == (key, mode)


@pytest.mark.parametrize("cents", [-48.0, -40.0, -15.0, 0.0, 10.0, 30.0, 48.0])
def test_tuning_is_measured_from_a_440(tmp_path: Path, cents: float) -> None:
    found = tonal(write(tmp_path / "a.wav", chord([57, 61, 64, 69], 2.0, cents=cents)))
    assert found.tuning_cents == pytest.approx(cents, abs=3.0)
    assert (found.key, found.mode) == ("A", "major")


@pytest.mark.parametrize("midi", range(60, 72))
def test_a_note_is_the_strongest_of_the_chroma(tmp_path: Path, midi: int) -> None:
    hertz = 440.0 * 2 ** ((midi - 69) / 12)
    found = tonal(write(tmp_path / "a.wav", sine(hertz, 1.0)))
    assert int(np.argmax(found.chroma_mean)) == midi % 12
    assert max(found.chroma_mean) == pytest.approx(1.0, abs=0.02)
    assert min(found.chroma_mean) >= 0.0


@pytest.mark.parametrize("midi", [33, 45, 57, 64, 81])
@pytest.mark.parametrize("cents", [-30.0, 0.0, 20.0])
def test_a_sine_has_its_own_pitch_to_a_cent_and_is_its_own_tonic(
    tmp_path: Path, midi: int, cents: float
) -> None:
    hertz = 440.0 * 2 ** ((midi - 69 + cents / 100) / 12)
    found = tonal(write(tmp_path / "a.wav", sine(hertz, 2.0)))
    assert found.key == KEYS[midi % 12]
    assert found.tuning_cents == pytest.approx(cents, abs=1.0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("seconds", [0.5, 3.0, 12.0])
def test_noise_has_chroma_but_no_key(tmp_path: Path, seed: int, seconds: float) -> None:
    found = tonal(write(tmp_path / "a.wav", noise(seconds, seed=seed)))
    assert found.key is None
    assert found.mode is None
    assert found.key_confidence is None
    assert found.tuning_cents is None
    assert len(found.chroma_mean) == 12


def test_a_metronome_has_no_key(tmp_path: Path) -> None:
    ticks, _ = clicks(120, 8.0)
    assert tonal(write(tmp_path / "a.wav", ticks)).key is None


@pytest.mark.parametrize("seed", range(8))
def test_a_generated_drum_kit_has_no_key(tmp_path: Path, seed: int) -> None:
    kit = degradations.drums(seed, seconds=6.0, beat_s=0.35 + 0.03 * seed)
    assert tonal(write(tmp_path / "a.wav", kit.astype(np.float64))).key is None


@pytest.mark.parametrize("seed", range(8))
def test_gliding_syllables_have_no_key(tmp_path: Path, seed: int) -> None:
    spoken = degradations.speech_like(seed)
    assert tonal(write(tmp_path / "a.wav", spoken.astype(np.float64))).key is None


@pytest.mark.parametrize("loop", ["loop_Drums_170BPM", "loop_120-funkybeat", "loop_130-discobeat"])
def test_a_drum_loop_has_no_key(samples: Path, loop: str) -> None:
    assert tonal(samples / "loops" / f"{loop}.wav").key is None


@pytest.mark.parametrize("voice", ["speech-female.wav", "speech_libri1.ogg", "speech_libri2.ogg"])
def test_speech_has_no_key(samples: Path, voice: str) -> None:
    assert tonal(samples / "speech" / voice).key is None


@pytest.mark.parametrize(
    "signal", [np.zeros(44_100), np.zeros(1)], ids=["a second of silence", "one silent sample"]
)
def test_silence_has_nothing_tonal(tmp_path: Path, signal: np.ndarray) -> None:
    assert tonal(write(tmp_path / "a.wav", signal)) == Tonal()


@pytest.mark.parametrize(
    "signal",
    [np.full(44_100, 0.5), np.ones(1), np.eye(1, 44_100, 22_050)[0]],
    ids=["direct current", "one sample", "one click"],
)
def test_what_has_no_pitch_has_no_key(tmp_path: Path, signal: np.ndarray) -> None:
    found = tonal(write(tmp_path / "a.wav", signal))
    assert (found.key, found.mode, found.key_confidence, found.tuning_cents) == (None,) * 4


@pytest.mark.parametrize(
    ("note", "key"), [("flute-A4", "A"), ("oboe-A4", "A"), ("violin-B3", "B"), ("soprano-E4", "E")]
)
def test_a_played_note_is_its_own_tonic(samples: Path, note: str, key: str) -> None:
    assert tonal(samples / "notes" / f"note_{note}.wav").key == key


@pytest.mark.parametrize("block", [1, 3, 31, 32, 33, 500])
def test_where_blocks_end_makes_no_difference(block: int) -> None:
    rng = np.random.default_rng(3)
    magnitude = tones(20, 25, 40, 51, frames=500)
    magnitude[:, 100:220] = tones(23, 60, frames=120)
    magnitude *= rng.uniform(0.5, 1.0, magnitude.shape).astype(np.float32)
    whole, cut = heard(magnitude), heard(magnitude, block=block)
    assert whole is not None
    assert cut is not None
    assert cut.classes == pytest.approx(whole.classes, rel=1e-9)
    assert cut.triads == pytest.approx(whole.triads, rel=1e-9)
    assert cut.ending == pytest.approx(whole.ending, rel=1e-9)
    assert cut.pitchedness == pytest.approx(whole.pitchedness, rel=1e-9)
    assert cut.steadiness == pytest.approx(whole.steadiness, rel=1e-9)


def test_an_hour_takes_no_more_memory_than_a_minute() -> None:
    histogram = PitchHistogram()
    block = tones(20, 25, 30, frames=64)
    sizes: list[int] = []
    for count in range(VERY_LONG_FRAMES // 64):
        histogram.add(block)
        if count in (200, VERY_LONG_FRAMES // 64 - 1):
            held = [value for value in vars(histogram).values() if isinstance(value, np.ndarray)]
            waiting = vars(histogram)["_waiting"]
            assert len(waiting) <= 64
            sizes.append(sum(array.nbytes for array in held))
    assert sizes[0] == sizes[1] < 100_000


def test_a_peak_that_does_not_last_does_not_count() -> None:
    fleeting = tones(frames=64)
    for frame in range(0, 64, 2):
        fleeting[:, frame] = tones(20 + 5 * (frame // 2 % 16), frames=1)[:, 0]
    assert heard(fleeting) is None
    assert heard(tones(20, frames=64)) is not None


@pytest.mark.parametrize("level", [1e-6, 1.0, 1e6])
def test_the_level_changes_nothing_but_below_the_floor(level: float) -> None:
    usual, scaled = heard(tones(20, 25, 30)), heard(tones(20, 25, 30) * np.float32(level))
    assert usual is not None
    if level < 1e-4:
        assert scaled is None
    else:
        assert scaled is not None
        assert scaled.classes == pytest.approx(usual.classes, rel=1e-5)


def test_a_triad_is_likest_to_itself_and_shares_add_up() -> None:
    for quality, steps in enumerate(((0, 4, 7), (0, 3, 7))):
        for root in range(12):
            classes = np.zeros(12)
            classes[[(root + step) % 12 for step in steps]] = 1.0
            shares = triad_shares(classes)
            assert int(shares.argmax()) == 12 * quality + root
            assert shares.sum() == pytest.approx(1.0)


def test_even_pitch_classes_have_no_key() -> None:
    even = np.full(12, 2.0)
    pitches = Pitches(
        classes=even, triads=np.full(24, 1 / 24), ending=np.full(24, 1 / 24), tuning_cents=0.0,
        steadiness=1.0, pitchedness=1.0, seconds=10.0,
    )  # fmt: skip
    assert estimate_key(pitches) is None
