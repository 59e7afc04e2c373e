"""Stems become FLAC files that sum to the whole, whatever its level."""

from contextlib import ExitStack
from tempfile import TemporaryFile

import numpy as np
import pytest
import soundfile

from harken.audio import InputError
from harken.audio.separation.separator import Parts
from harken.audio.separation.stem_files import StemFiles
from tests.audio.signals import noise


@pytest.fixture
def files():
    """Makes files, and takes them away."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(TemporaryFile())


def written(files, blocks, *, channels=("FL", "FR"), rate=44_100):
    stems = StemFiles(("a", "b"), rate, channels, files)
    for whole in blocks:
        stems.add(Parts(whole=whole, stems=0.3 * whole[None]))
    return stems.finish()


def numbers(stem):
    stem.file.seek(0)
    return soundfile.read(stem.file, dtype="int32", always_2d=True)[0].T >> 8


def of_16_bits(seconds, seed=0):
    samples = np.rint(noise(seconds, dbfs=-80, seed=seed) * 32768) / 32768
    return samples.astype(np.float32).reshape(2, -1)


def test_of_16_bits_the_stems_sum_to_exactly_what_was_there_however_soft(files):
    whole = of_16_bits(1.0)
    one, other = written(files, [whole[:, :9_000], whole[:, 9_000:]])
    assert np.array_equal(numbers(one) + numbers(other), np.rint(whole * 2**23))
    assert (one.gain_db, one.size) == (0.0, one.file.seek(0, 2))


def test_a_whole_beyond_full_scale_is_halved_from_the_beginning_and_nothing_is_clipped(files):
    soft, loud = of_16_bits(4.0), 2.7 * noise(4.0, dbfs=-3, seed=1).reshape(2, -1)
    blocks = [soft, soft[:, :100], np.clip(loud, -3.5, 3.5).astype(np.float32), soft]
    one, other = written(files, blocks)
    assert one.gain_db == other.gain_db == pytest.approx(-12.04, abs=0.01)
    whole = np.concatenate(blocks, axis=1)
    summed = numbers(one) + numbers(other)
    assert np.abs(summed - whole.astype(float) * 2**21).max() <= 1.5
    assert np.abs(numbers(one) - 0.3 * whole.astype(float) * 2**21).max() <= 1.5


def test_energies_say_how_much_of_the_whole_a_stem_is(files):
    one, other = written(files, [of_16_bits(1.0)])
    assert one.energy_share == pytest.approx(0.09 / (0.09 + 0.49), rel=1e-4)
    assert other.energy_share == pytest.approx(0.49 / (0.09 + 0.49), rel=1e-4)
    assert one.rms_dbfs == pytest.approx(-80 + 20 * np.log10(0.3), abs=0.3)


def test_silence_has_no_level(files):
    one, _ = written(files, [np.zeros((2, 100), dtype=np.float32)])
    assert (one.rms_dbfs, one.energy_share) == (None, None)
    assert numbers(one).shape == (2, 100)


@pytest.mark.parametrize(("channels", "rate"), [(("FC",) * 9, 44_100), (("FC",), 700_000)])
def test_what_flac_cannot_hold_is_said_at_once(files, channels, rate):
    with pytest.raises(InputError, match="FLAC holds 8 channels") as refused:
        StemFiles(("a", "b"), rate, channels, files)
    assert refused.value.reason == "NOT_FOR_FLAC"
