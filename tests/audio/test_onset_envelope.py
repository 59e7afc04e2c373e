"""The onset envelope, frame by frame: librosa's."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from demo.piece import Piece
from harken.audio.blocks import SAMPLE_RATE, Floats
from harken.audio.mel import BANDS, MelSpool
from harken.audio.mono import MonoStream
from harken.audio.onset_envelope import OnsetEnvelope
from harken.audio.spectrum import SpectrumStream
from harken.audio.spool import FrameSpool
from tests.audio.reference import mono_of

RECORDINGS = [
    "loops/loop_120-funkybeat.wav",
    "music/music_freepd_groovin.mp3",
    "notes/note_violin-B3.wav",
    "oneshots/rain_1-17367-A.ogg",
    "speech/speech_word_yes.wav",
]


def streamed(mono: Floats, piece: int) -> Floats:
    """The envelope of a signal at the engine's rate that arrives `piece` samples at a time."""
    envelope, spectrum = OnsetEnvelope(), SpectrumStream()
    with FrameSpool(BANDS) as spool:
        mel = MelSpool(spool)
        for start in range(0, mono.shape[0], piece):
            for block in spectrum.push(mono[start : start + piece]):
                mel.add(block.power)
        for block in spectrum.finish():
            mel.add(block.power)
        for block in mel.blocks():
            envelope.on_mel(block)
    return envelope.finish()


def held_against_librosa(mono: Floats) -> None:
    mel = librosa.feature.melspectrogram(y=mono, sr=SAMPLE_RATE)
    expected = librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=SAMPLE_RATE)
    found = streamed(mono, 32_768)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-3  # decibels
    assert np.abs(found - expected).mean() < 1e-4 * expected.mean()


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings_get_librosas_envelope(samples: Path, name: str) -> None:
    held_against_librosa(mono_of(samples / name))


def test_a_piece_gets_librosas_envelope(piece: Piece) -> None:
    resampler = MonoStream(piece.sample_rate)
    stereo = np.ascontiguousarray(piece.samples.T)
    held_against_librosa(np.concatenate([resampler.push(stereo), resampler.finish()]))


@pytest.mark.parametrize("size", [777, 5_000, 100_000])
def test_the_pieces_in_which_a_signal_arrives_do_not_matter(piece: Piece, size: int) -> None:
    mono = np.ascontiguousarray(piece.samples[:, 0][: 5 * piece.sample_rate])
    assert streamed(mono, size) == pytest.approx(streamed(mono, mono.shape[0]), abs=1e-5)
