"""Every recording of the shared collection, the odd ones too, goes through the engine."""

import csv
import json
from pathlib import Path

import pytest

from harken.audio import errors
from harken.audio.report import file_report

REASONS = {name for name in dir(errors) if name.isupper()}
FOLDERS = ["loops", "music", "notes", "odd", "oneshots", "speech", "stems", "video"]
# The container of this video holds no sound; its manifest duration is the picture's.
SOUNDLESS = {"video/video_h265_noaudio.mp4"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_gives_a_clean_result_or_a_specific_reason(
    samples: Path, folder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with (samples / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{folder}/")]
    assert rows
    for row in rows:
        name = row["path"]
        report = file_report(samples / name)
        json.dumps(report, allow_nan=False)
        if error := report.get("error"):
            assert error["kind"] == "INPUT", name
            assert error["reason"] in REASONS, name
            assert len(error["message"]) > 20, name
            assert row["decode"] != "ok" or name in SOUNDLESS or not row["duration_s"], name
            continue
        assert name not in SOUNDLESS
        assert row["decode"] == "ok", name
        assert report["media"]["duration_s"] == pytest.approx(float(row["duration_s"]), abs=0.05)
        assert len(report["embedding"].get("vector", [])) in (0, 128)
        assert 0.0 <= report["rhythm"].get("tempo_confidence", 0.0) <= 1.0
        assert 0.0 <= report["tonal"].get("key_confidence", 0.0) <= 1.0
        assert -50.0 <= report["tonal"].get("tuning_cents", 0.0) <= 50.0
    assert capfd.readouterr() == ("", "")
