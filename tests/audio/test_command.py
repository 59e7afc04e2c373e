"""`python -m harken.audio`, run as people run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harken.audio.__main__ import main
from tests.audio.signals import noise, sine, write
from tests.data.damaged import empty_file, image_named_wav, text_named_ogg


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "harken.audio", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_one_json_object_a_line_in_the_order_given_bad_files_among_them(tmp_path: Path) -> None:
    good = write(tmp_path / "ä b.wav", sine(440, 1.0))
    paths = [text_named_ogg(tmp_path), good, tmp_path / "nowhere.mp3", image_named_wav(tmp_path)]
    done = run("--json", *paths)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["path"] for line in lines] == [str(path) for path in paths]
    assert [line.get("error", {}).get("reason") for line in lines] == [
        "UNREADABLE",
        None,
        "FILE_NOT_FOUND",
        "NO_AUDIO_STREAM",
    ]
    assert all(line["error"]["kind"] == "INPUT" for line in lines if "error" in line)
    assert all(line["error"]["message"] for line in lines if "error" in line)
    assert next(iter(lines[1])) == "path"
    assert lines[1]["media"]["duration_s"] == 1.0
    assert done.returncode == 1
    assert done.stderr == ""


def test_only_the_features_named_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path / "a.wav", noise(1.0)))
    assert main(["--json", "--features", "loudness, media", path]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["path", "media", "loudness"]
    assert main(["--json", "--features", "default", path]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 9


@pytest.mark.parametrize("features", ["melody", "rhythm,melody", "", ","])
def test_an_unknown_feature_is_wrong_usage_and_the_valid_ones_are_named(
    features: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--features", features, "a.wav"])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "rhythm" in said
    assert "embedding" in said


def test_no_file_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--json"])
    assert caught.value.code == 2
    assert "FILE" in capsys.readouterr().err


def test_without_json_a_summary_is_for_people(
    piece_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(piece_path), str(empty_file(tmp_path))]) == 1
    said = capsys.readouterr().out
    for part in ("112.0", "A minor", "-16.0 LUFS", "20.00 s", "empty (0 bytes)", "EMPTY_FILE"):
        assert part in said


def test_a_summary_of_silence_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write(tmp_path / "a.wav", 0 * noise(3.0)))]) == 0
    said = capsys.readouterr().out
    assert "no pulse" in said
    assert "silence" in said


def test_a_reader_that_leaves_early_is_no_error_message(piece_path: Path) -> None:
    command = f"{sys.executable} -m harken.audio --json {piece_path} {piece_path} | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""
