"""Short sounds: one whose attack is cut is known again, and its next of kin is not taken for it."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harken.audio.blocks import SAMPLE_RATE
from harken.audio.excerpts import Excerpt
from harken.audio.waveform_signs import FEWEST, KEPT, LONGEST_S, waveform_signs
from harken.jobs.similarity.fingerprint import is_same, match
from harken.jobs.similarity.waveform_signs import match_waveforms, waveform_signs_of
from tests.audio.test_acoustic_fingerprint import fingerprint, same
from tests.data.variants import ENDINGS, variants, write

RATE = 44_100
DRUM_HZ = (187.0, 411.0, 702.0, 1_330.0)


def hit(seed: int, *, duration_s: float = 0.3) -> Any:
    """A take of one drum: the skin rings the same each time, the stick's noise never."""
    time_s = np.arange(round(duration_s * RATE)) / RATE
    chance = np.random.default_rng(seed)
    ring = sum(np.sin(2 * np.pi * hertz * time_s) / (1 + n) for n, hertz in enumerate(DRUM_HZ))
    noise = chance.normal(0, 1, time_s.shape[0])
    return 0.2 * (ring * np.exp(-time_s / 0.06) + noise * np.exp(-time_s / 0.04))


def note(hertz: float, *, duration_s: float = 0.8) -> Any:
    """A synthesizer's note: a bright tone that always begins at the same phase."""
    time_s = np.arange(round(duration_s * RATE)) / RATE
    harmonics = range(1, int(10_000 / hertz))
    tone = sum(np.sin(2 * np.pi * n * hertz * time_s) / n for n in harmonics)
    return 0.3 * tone * np.exp(-time_s / 0.3) * np.minimum(time_s / 0.005, 1)


def loop(bpm: float, *, beats: int = 6) -> Any:
    """The same three samples of a kit in a row, at some tempo."""
    step = round(60 / bpm * RATE)
    samples = np.zeros(step * beats)
    for beat in range(beats):
        sound = hit(beat % 3)[: samples.shape[0] - beat * step]
        samples[beat * step : beat * step + sound.shape[0]] += sound
    return samples


def kept(folder: Path, name: str, samples: Any) -> Any:
    """The fingerprint of samples, as a file has it."""
    path = folder / f"{name}.wav"
    soundfile.write(path, samples, RATE)
    return fingerprint(path)


def test_a_hit_is_known_in_every_other_form_its_attack_cut_off_too(tmp_path: Path) -> None:
    original = kept(tmp_path, "original", hit(1))
    for form, changed, codec, bit_rate in variants(np.array([hit(1)], dtype=np.float32), RATE):
        path = tmp_path / f"changed{ENDINGS[codec]}"
        write(path, changed, RATE, codec, bit_rate)
        assert same(original, fingerprint(path)), form


def test_takes_of_one_drum_are_told_apart(tmp_path: Path) -> None:
    takes = [kept(tmp_path, str(seed), hit(seed)) for seed in range(8)]
    assert [same(one, other) for one, other in combinations(takes, 2)] == [False] * 28


def test_a_synthesizers_notes_a_semitone_apart_are_other_sounds(tmp_path: Path) -> None:
    notes = [kept(tmp_path, str(n), note(220 * 2 ** (n / 12))) for n in range(6)]
    assert [same(one, other) for one, other in combinations(notes, 2)] == [False] * 15


def test_a_loop_of_the_same_hits_at_another_tempo_is_another_loop(tmp_path: Path) -> None:
    loops = [kept(tmp_path, str(bpm), loop(bpm)) for bpm in (110, 116, 120, 124, 140)]
    assert [same(one, other) for one, other in combinations(loops, 2)] == [False] * 10


def test_where_an_attack_was_cut_is_told_to_the_sample(tmp_path: Path) -> None:
    cut = 1_000
    fits = match(
        kept(tmp_path, "whole", hit(1)),
        kept(tmp_path, "cut", np.concatenate([np.zeros(500), hit(1)[cut:]])),
    )
    assert fits is not None
    assert is_same(fits)
    assert fits.offset_s == pytest.approx(-(cut - 500) / RATE, abs=1.5 / SAMPLE_RATE)


def test_two_tones_of_one_pitch_prove_nothing() -> None:
    """However well they fit: a tone's signs are all the same one."""
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tones = [np.sin(2 * np.pi * 440 * time_s + phase).astype(np.float32) for phase in (0.0, 1.0)]
    one, other = (signs_of(tone) for tone in tones)
    fits = match_waveforms(one, other)
    assert fits is not None
    assert fits.bit_error_rate < 0.1
    assert fits.independent < 10


def test_what_is_noise_has_thousands_of_independent_signs() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    fits = match_waveforms(signs_of(noise), signs_of(noise))
    assert fits is not None
    assert (fits.bit_error_rate, fits.offset_s) == (0, 0)
    # Half, as what is alike in both by chance counts too; a tone has a handful.
    assert 0.4 * SAMPLE_RATE < fits.independent <= SAMPLE_RATE


def signs_of(sound: Any) -> Any:
    found = waveform_signs_of(packed(sound))
    assert found is not None
    return found


def packed(sound: Any, duration_s: float = 1.0) -> bytes:
    return waveform_signs(Excerpt(stretches=np.asarray(sound)[None], whole=True), duration_s)


def test_long_recordings_silence_and_clicks_have_no_signs() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * KEPT).astype(np.float32)
    assert packed(noise, LONGEST_S + 0.01) == b""
    assert packed(np.zeros(SAMPLE_RATE, dtype=np.float32)) == b""
    assert packed(noise[: FEWEST - 1]) == b""
    assert packed(noise[:0]) == b""
    assert waveform_signs_of(b"") is None


def test_they_take_some_kilobytes_at_most() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * KEPT).astype(np.float32)
    assert len(packed(noise)) < 4_200
    assert signs_of(noise).signs.shape == (KEPT,)


def test_a_constant_level_is_no_reason_to_fail() -> None:
    flat = np.full(SAMPLE_RATE, 0.5, dtype=np.float32)
    one = signs_of(flat)
    match_waveforms(one, one)
