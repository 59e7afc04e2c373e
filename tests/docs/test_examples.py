"""Every example in README and docs does what it says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.examples import KINDS, MUSIC, REPOSITORY, Command, Example, commands, examples
from tests.system.conftest import System, clean_environment

SESSIONS = [found for found in commands() if not found.line.startswith("grpcurl")]
# What the first word of a line of `sh` may be, and why the line is not run here.
NOT_RUN = {
    "pip": "installs",
    "make": "runs the tests, or the demo, which has a job of its own",
    "harken up": "is what all other examples run against",
    "MEDIA=/music docker": "needs docker; the file is checked in tests/test_packaging.py",
    "harken maintenance": "wants the database; test_maintenance.py and test_similarity.py in tests/system run it",
    "/usr/bin/time": "measures",
    "uvx pip-audit": "asks a service on the internet for known holes",
    "HARKEN_METRICS_LISTEN=": "is what tests/system/test_metrics.py does",
    "curl": "so is that",
    "harken keys": "tests/docs/test_access.py runs the commands of that page in order",
    "harken migrate": "so it does",
    "chmod": "so it does",
    "openssl": "so it does",
    "HARKEN_TLS_CERT=": "so it does",
    "HARKEN_SERVER=": "so it does",
    "OTEL_EXPORTER_OTLP_ENDPOINT=": "is what tests/system/test_traces.py does",
}
WITH_A_TEST_OF_THEIR_OWN = ("export ",)  # tests/docs/test_parts.py


def place(example: Example | Command) -> str:
    """The name of a test."""
    return example.place if isinstance(example, Example) else f"{example.place} {example.line[:50]}"


@pytest.fixture
def environment(live: System) -> dict[str, str]:
    """The environment of a user of the live system, with harken on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return clean_environment(HARKEN_SERVER=live.address, PATH=path, PYTHONWARNINGS="error")


def test_every_block_is_of_a_known_kind() -> None:
    unknown = [example.place for example in examples() if example.kind not in KINDS]
    assert unknown == []
    assert len(examples("python")) > 5
    assert len(SESSIONS) > 10


@pytest.mark.parametrize("example", examples("python"), ids=place)
def test_a_program_runs(
    example: Example, music: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = example.text.replace(MUSIC, str(music))

    run = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout


@pytest.mark.parametrize("command", SESSIONS, ids=place)
def test_a_command_runs_and_shows_what_the_page_shows(
    command: Command, music: Path, environment: dict[str, str]
) -> None:
    if " jq " in command.line and shutil.which("jq") is None:
        pytest.skip("jq is not installed; where it is, as in CI, this runs")

    run = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.line.replace(MUSIC, str(music))],
        env=environment,
        cwd=music,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    # A folder with a broken file ends with 1, as its page says.
    assert run.returncode == (1 if "harken batch" in command.line else 0), run.stderr
    assert "Traceback" not in run.stderr
    for line in command.shown:
        word = line.replace(MUSIC, str(music)).split()[0]
        if not re.fullmatch(r"[\d.]+", word):
            assert word in run.stdout.split()


def test_what_is_not_run_could_not_be_run_here() -> None:
    for example in examples("sh"):
        if example.text.startswith(WITH_A_TEST_OF_THEIR_OWN):
            continue
        for line in example.text.splitlines():
            assert line.startswith(tuple(NOT_RUN)), f"{example.place}: {line}"


def test_make_and_pip_are_asked_for_what_is_there() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    text = "\n".join(example.text for example in examples("sh"))

    targets = re.findall(r"^make (\w+)", text, re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert f"\n{target}:" in makefile
    for found in re.findall(r"'(?:harken|\.)\[(\w+)\]'", text):
        assert found in extras
