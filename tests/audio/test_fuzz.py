"""Files made to break the engine, by seed. What once did has a test of its own below.

`benchmarks/fuzz.py` goes on for as long as one likes.
"""

import hashlib
from pathlib import Path

import pytest

from harken.audio import InputError, decode
from tests.data.wave_files import (
    by_encoder,
    valid,
)

REPOSITORY = Path(__file__).parent.parent.parent


def test_the_quick_way_to_open_a_wav_reads_the_same_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of WAV, with large packets and a small probe as without."""
    path = tmp_path / "valid.wav"
    for name, data in valid():
        path.write_bytes(data)
        quick = decoded(path)
        with monkeypatch.context() as plain:
            plain.setattr(decode, "_open", lambda file: decode._container(file, decode._OPTIONS))
            assert quick == decoded(path), name


def decoded(path: Path) -> tuple[object, ...]:
    """All that decoding says of a file, the samples as their hash; or the reason for none."""
    digest, shape = hashlib.sha256(), [0, 0]
    try:
        with decode.Recording(str(path)) as recording:
            for block in recording.blocks():
                digest.update(block.samples.T.tobytes())
                shape = [block.samples.shape[0], shape[1] + block.samples.shape[1]]
            tags = dict(recording.container.metadata)
            facts = (recording.stream_codec, recording.sample_rate, recording.channels)
            more = (recording.coded_bytes, recording.coded_s, recording.claimed_s)
            starts = (recording.first_pts_s, recording.non_finite_samples)
    except InputError as error:
        return (error.reason,)
    return (*shape, digest.hexdigest(), *facts, *more, *starts, tags)


def test_a_coding_in_a_wav_is_not_cut_into_packets_of_64_kb(tmp_path: Path) -> None:
    """Flash's ADPCM is another sound then."""
    path = tmp_path / "coded.wav"
    path.write_bytes(by_encoder("adpcm_swf", 1))
    with decode.Recording(str(path)) as recording:
        assert next(recording._packets()).size <= 4096
