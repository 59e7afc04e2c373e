"""Files that are broken, mislabelled or malicious."""

import json
import os
import random
from pathlib import Path

import pytest

from demo.piece import compose
from demo.piece import write as write_piece
from harken.audio import InputError, analyze
from harken.audio.report import file_report
from tests.data.damaged import DAMAGED, SURVIVABLE


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_without_usable_sound_gets_a_specific_error(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, reason = DAMAGED[name]
    path = make(tmp_path)
    with pytest.raises(InputError) as caught:
        analyze(path)
    assert caught.value.kind == "INPUT"
    assert caught.value.reason == reason
    assert len(caught.value.message) > 20
    assert "Errno" not in caught.value.message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", SURVIVABLE)
def test_what_a_damaged_file_still_holds_is_analysed(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, seconds = SURVIVABLE[name]
    result = analyze(make(tmp_path))
    assert result.media is not None
    assert result.media.duration_s == pytest.approx(seconds, rel=0.1)
    assert result.spectral is not None
    assert result.spectral.centroid_hz_mean is not None
    assert capfd.readouterr() == ("", "")


def test_bad_numbers_are_counted_and_do_not_spoil_the_rest(tmp_path: Path) -> None:
    result = analyze(SURVIVABLE["some NaN"][0](tmp_path))
    assert result.media is not None
    assert result.media.non_finite_samples == 111
    assert result.loudness is not None
    assert result.loudness.sample_peak_dbfs == pytest.approx(-4.4, abs=0.1)


def test_a_missing_file_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    assert reason_of(tmp_path / "nowhere.wav") == "FILE_NOT_FOUND"
    assert reason_of(tmp_path / "a.wav" / "below.wav") == "FILE_NOT_FOUND"
    assert reason_of("bad\0name.wav") == "FILE_NOT_FOUND"


def test_a_folder_or_a_pipe_is_no_recording(tmp_path: Path) -> None:
    assert reason_of(tmp_path) == "NOT_A_FILE"
    os.mkfifo(tmp_path / "pipe.wav")
    assert reason_of(tmp_path / "pipe.wav") == "NOT_A_FILE"


@pytest.mark.parametrize(
    "name", ["http://localhost:1/a.wav", "concat:a.wav|b.wav", "pipe:0", "data:audio/wav;base64,"]
)
def test_an_address_is_only_ever_a_file_name(name: str) -> None:
    assert reason_of(name) == "FILE_NOT_FOUND"


def test_nothing_stays_open_after_a_failure(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for make, _ in DAMAGED.values():
        with pytest.raises(InputError):
            analyze(make(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before


def reason_of(path: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        analyze(path)
    return caught.value.reason


def test_a_header_that_promises_millions_of_packets_is_given_up(
    samples: Path, tmp_path: Path
) -> None:
    """A Musepack header counts its frames in four bytes, which may say anything."""
    data = bytearray((samples / "odd" / "fmt_full.mpc").read_bytes())
    start = data.index(b"MP+")
    data[start + 4 : start + 8] = (5_000_000).to_bytes(4, "little")
    path = tmp_path / "millions.mpc"
    path.write_bytes(data)
    result = analyze(path, ["media"])
    assert result.media is not None
    assert result.media.duration_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("extension", [".wav", ".flac", ".mp3", ".ogg", ".m4a", ".aiff", ".wma"])
def test_random_damage_never_gets_past_the_engine(tmp_path: Path, extension: str) -> None:
    """Twenty times bytes are changed or cut off: a result or an input error, nothing else."""
    whole = tmp_path / f"whole{extension}"
    write_piece(whole, compose(duration_s=1.0))
    data = whole.read_bytes()
    rng = random.Random(extension)
    for attempt in range(20):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 5, 50))):
            damaged[rng.randrange(rng.choice((100, len(data))))] = rng.randrange(256)
        path = tmp_path / f"damaged-{attempt}{extension}"
        path.write_bytes(damaged[: rng.choice((len(data), rng.randrange(len(data))))])
        report = file_report(path)
        json.dumps(report, allow_nan=False)
        assert report.get("error", {}).get("kind", "INPUT") == "INPUT", (path, report["error"])
