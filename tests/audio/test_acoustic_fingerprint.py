"""The acoustic fingerprint: the same recording fits in other forms, another one does not."""

import base64
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile

from demo.piece import compose
from harken.audio import analyze
from harken.audio.acoustic_fingerprint import RATE
from harken.jobs.similarity.fingerprint import Fingerprint, fingerprint_of, is_same, match
from tests.data.variants import ENDINGS, read, variants, write

SOUNDS = (
    "loops/loop_120-funkybeat.wav",
    "loops/loop_130-discobeat.wav",
    "notes/note_violin-B3.wav",
    "music/music_vibe_ace.ogg",
    "speech/speech_cards_001.wav",
    "speech/speech_cards_002.wav",
    "oneshots/voice_December.wav",
    "oneshots/bongo_219157__jagadamba__bongo01.wav",
    "oneshots/bongo_99752__menegass__bongo2.wav",
    "oneshots/bongo_99754__menegass__bongo4.wav",
    "oneshots/kick_sdbkit-kick.wav",
    "oneshots/kick_x0xproc1-kick.wav",
    "oneshots/rimshot_x0xproc1-rimshot.wav",
    "oneshots/rimshot_x0xproc2-rimshot.wav",
    "oneshots/hihat_open_165027__rodrigo-the-mad__mini-open-hihat.wav",
    "oneshots/hihat_open_165028__rodrigo-the-mad__mini-909ish-open-hat.wav",
    "speech/speech_word_yes.wav",
    "speech/speech_word_no.wav",
)


def fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of a file."""
    embedding = analyze(path, ["embedding"]).embedding
    assert embedding is not None
    assert embedding.fingerprint is not None
    found = fingerprint_of(base64.b64decode(embedding.fingerprint))
    assert found is not None
    return found


def same(one: Fingerprint, other: Fingerprint) -> bool:
    fits = match(one, other)
    return fits is not None and is_same(fits)


@pytest.mark.parametrize(
    "name",
    [
        "loops/loop_120-funkybeat.wav",
        "loops/loop_Bass_A_Major_72BPM.wav",
        "oneshots/snare_501249__veiler__brian-snare-loud.wav",
        "oneshots/clap_493707__bastianpusch__handclap01.wav",
        "speech/speech_word_yes.wav",
    ],
)
def test_the_same_recording_is_known_in_every_other_form(
    samples: Path, tmp_path: Path, name: str
) -> None:
    whole = fingerprint(samples / name)
    sound, rate = read(samples / name)
    for form, changed, codec, bit_rate in variants(sound, rate):
        path = tmp_path / f"changed{ENDINGS[codec]}"
        write(path, changed, rate, codec, bit_rate)
        assert same(whole, fingerprint(path)), form


def test_other_recordings_are_not_taken_for_the_same(samples: Path) -> None:
    found = {name: fingerprint(samples / name) for name in SOUNDS}
    taken = [pair for pair in combinations(found, 2) if same(found[pair[0]], found[pair[1]])]
    assert taken == []


def test_where_the_beginning_was_cut_is_told(samples: Path, tmp_path: Path) -> None:
    sound, rate = read(samples / "music/music_vibe_ace.ogg")
    write(tmp_path / "cut.flac", sound[:, 2 * rate :], rate, "flac", None)
    fits = match(
        fingerprint(samples / "music/music_vibe_ace.ogg"), fingerprint(tmp_path / "cut.flac")
    )
    assert fits is not None
    assert fits.offset_s == pytest.approx(-2, abs=1.5 / RATE)


def test_another_section_of_the_same_song_is_not_the_same(samples: Path, tmp_path: Path) -> None:
    sound, rate = read(samples / "music/music_vibe_ace.ogg")
    for name, start in (("one", 0), ("other", 30)):
        part = sound[:, start * rate : (start + 25) * rate]
        write(tmp_path / f"{name}.flac", part, rate, "flac", None)
    assert not same(fingerprint(tmp_path / "one.flac"), fingerprint(tmp_path / "other.flac"))


def test_two_that_begin_alike_and_go_on_otherwise_are_not_the_same(tmp_path: Path) -> None:
    """As two episodes with the same opening do: a later stretch tells them apart."""
    chance = np.random.default_rng(1)
    piece = compose(duration_s=40)
    opening = piece.samples[:, 0] if piece.samples.ndim == 2 else piece.samples
    for name in ("one", "other"):
        rest = chance.normal(0, 0.1, 60 * piece.sample_rate) * np.repeat(
            chance.uniform(0, 1, 240), piece.sample_rate // 4
        )
        soundfile.write(
            tmp_path / f"{name}.wav", np.concatenate([opening, rest]), piece.sample_rate
        )
    one, other = fingerprint(tmp_path / "one.wav"), fingerprint(tmp_path / "other.wav")
    fits = match(one, other)
    assert fits is not None
    assert fits.bit_error_rate > 0.1
    assert (one.stretches[0] == other.stretches[0]).mean() > 0.95
    assert not is_same(fits)


def test_silence_and_what_is_no_fingerprint_have_none(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(22_050), 22_050)
    embedding = analyze(tmp_path / "silence.wav", ["embedding"]).embedding
    assert embedding is not None
    assert embedding.fingerprint is None
    assert fingerprint_of(b"") is None
    assert fingerprint_of(b"\x63" * 40) is None  # of another version


def test_a_single_sample_has_something_to_be_compared_or_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.array([0.5]), 22_050)
    embedding = analyze(tmp_path / "one.wav", ["embedding"]).embedding
    assert embedding is not None
    if embedding.fingerprint is not None:
        found = fingerprint_of(base64.b64decode(embedding.fingerprint))
        assert found is not None
        match(found, found)
