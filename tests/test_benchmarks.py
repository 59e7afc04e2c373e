"""The benchmark of the engine: that it runs, judges rightly, and says what it does not measure."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks.engine import limit
from benchmarks.engine.contender import PEERS, Contender
from benchmarks.engine.material import ONE_SHOT_S, RATE, music, one_shots
from benchmarks.engine.report import Section, at_least, at_most, text
from benchmarks.service.submit import missing

REPOSITORY = Path(__file__).parents[1]
NEEDED = {"librosa": "pyloudnorm", "Essentia": "essentia"}  # what a peer's first word says it needs


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A quick run without peers: what it printed, and its figures."""
    file = tmp_path_factory.mktemp("bench") / "figures.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.engine", "--quick", "--alone", "--json", str(file)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return {"printed": run.stdout, **json.loads(file.read_text())}


def test_a_quick_run_measures_every_part(smoke: dict[str, Any]) -> None:
    parts = [section["part"] for section in smoke["sections"]]
    assert parts == ["formats", "one-shots", "fresh", "progress", "memory"]
    figures = {
        target["name"]: target["value"]
        for section in smoke["sections"]
        for target in section["targets"]
    }
    assert figures["harken ÷ limit, wav"] > 1
    assert figures["harken ÷ limit, mp3"] > 1
    for name in ("harken, mean of all", "wall, median", "CPU, median", "longest gap, 30 s of mp3"):
        assert figures[name] > 0
    assert 1 < figures["a worker child's own"] < 1000


def test_what_a_run_leaves_out_is_named(smoke: dict[str, Any]) -> None:
    for name in PEERS:
        assert f"{name}: left out by --alone" in smoke["printed"]
    assert "ten hours: not measured, --memory measures it" in smoke["printed"]
    left_out = [
        target["name"]
        for section in smoke["sections"]
        for target in section["targets"]
        # Two pairs of runs seldom tell the cost of reports from noise.
        if target["verdict"] == "not measured" and target["name"] != "cost of reports"
    ]
    assert len(left_out) == 8


@pytest.mark.timeout(300)  # where librosa was never used, it compiles itself for a minute
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_analyses_or_says_what_is_missing(name: str, tmp_path: Path) -> None:
    needed = NEEDED[name.partition(",")[0].partition(" ")[0]]
    (path,) = one_shots(tmp_path / "one-shots", 1)
    with Contender(name) as peer:
        if find_spec(needed) is None:
            assert peer.missing == f"{needed} is not installed"
        else:
            assert peer.missing == ""
            assert peer.cpu_s(path) > 0


def test_the_limit_transforms_every_frame_of_the_engine(tmp_path: Path) -> None:
    piece = music(tmp_path, 3.0)
    frames = 1 + round(piece.duration_s * limit.RATE) // limit.HOP
    by_soundfile, by_pyav = limit.by_soundfile(), limit.by_pyav()
    assert by_soundfile(str(piece.file("wav"))) == {"frames": frames}
    assert by_soundfile(str(piece.file("flac"))) == {"frames": frames}
    padded = 4  # a decoder may leave the encoder's delay in: up to 2,257 samples
    assert 0 <= by_soundfile(str(piece.file("mp3")))["frames"] - frames <= padded
    assert 0 <= by_pyav(str(piece.file("mp3")))["frames"] - frames <= padded


def test_music_is_repeated_to_the_sample(tmp_path: Path) -> None:
    piece = music(tmp_path, 2.0)
    path = piece.repeated("flac", 5.0)
    samples, rate = soundfile.read(path, dtype="float32")
    assert (samples.shape, rate) == ((5 * RATE, 2), RATE)
    again = samples[2 * piece.samples.shape[0] :]
    assert np.abs(again - piece.samples[: again.shape[0]]).max() < 2e-4


def test_a_target_is_met_at_its_bound_and_missed_beyond() -> None:
    assert at_least("ratio", 24.0, 24.0).verdict == "ok"
    assert at_least("ratio", 23.9, 24.0).verdict == "MISSED"
    assert at_most("gap", 100.0, 100.0).verdict == "ok"
    assert at_most("gap", 100.1, 100.0).verdict == "MISSED"
    assert at_most("gap", None, 100.0).verdict == "not measured"


def test_a_table_has_its_columns_under_one_another() -> None:
    section = Section(
        part="part", title="title", columns=("", "s"), rows=(("a", "1.5"), ("longer", "10.25"))
    )
    assert text(section).splitlines() == [
        "",
        "== part: title",
        "              s",
        "  a         1.5",
        "  longer  10.25",
    ]


def test_one_shots_are_the_same_every_time(tmp_path: Path) -> None:
    first, second = (one_shots(tmp_path / name, 6) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert len({path.read_bytes() for path in first}) == 6
    assert all(path.stat().st_size > ONE_SHOT_S * 44_100 * 2 for path in first)


SERVICE_PARTS = {
    "submit": ["requests/s ÷ the better peer's, SQLite", "p99 ÷ the better peer's, PostgreSQL"],
    "batch": ["delay() ÷ SubmitBatch, SQLite", "delay() ÷ SubmitBatch, PostgreSQL"],
    "publish": ["publisher ÷ apply_async()"],
    "path": ["jobs/s ÷ Celery's"],
    "progress": ["one report"],
    "growth": ["submit, SQLite", "inspect, PostgreSQL"],
    "ghz": [],
}


@pytest.mark.timeout(
    400
)  # servers, workers and databases for each part, on a machine that may be busy
def test_a_quick_run_of_the_services_benchmark_measures_every_part(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.service", "--quick", "--json", str(file)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    sections = json.loads(file.read_text())["sections"]
    assert list(dict.fromkeys(section["part"] for section in sections)) == [*SERVICE_PARTS]
    for part, names in SERVICE_PARTS.items():
        of_part = [section for section in sections if section["part"] == part]
        figures = {target["name"]: target["value"] for one in of_part for target in one["targets"]}
        assert {*names} <= {*figures}
        peers_missing = part == "submit" and missing()
        wrong = {
            name: value
            for name, value in figures.items()
            if not (value is None if peers_missing else value > 0)
        }
        assert not wrong
    for package in missing():
        assert f"{package}" in run.stdout
    if which("ghz") is None:
        assert "ghz is not installed" in run.stdout


def test_a_quick_run_of_the_streams_measures_every_part(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.streams", "--quick", "--json", str(file)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    sections = json.loads(file.read_text())["sections"]
    assert [section["part"] for section in sections] == ["latency", "burst", "fan-out", "dropped"]
    figures = {
        target["name"]: target["value"] for section in sections for target in section["targets"]
    }
    # What holds on any machine, however slow.
    assert figures["failures"] == figures["subscriptions left"] == 0
    assert figures["lag of asking ÷ of watching, p50"] > 1
    for name in ("watched, p50", "watched, p99", "one job, events/s", "a batch, events/s"):
        assert figures[name] > 0
