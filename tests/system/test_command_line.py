"""The command line as a user runs it: processes of their own against the live system, in pipes and on a terminal."""

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import HARKEN, System, clean_environment

Run = subprocess.CompletedProcess[str]
Cli = Callable[..., Run]

ONE = pytest.mark.parametrize(
    "system", ["sqlite"], indirect=True
)  # where the database makes no difference
NOBODY = "127.0.0.1:1"


@pytest.fixture
def environment(system: System) -> dict[str, str]:
    """The environment of a user of the system."""
    kept = clean_environment(HARKEN_SERVER=system.address, TERM="xterm", COLUMNS="120")
    return {name: value for name, value in kept.items() if name != "NO_COLOR"}


@pytest.fixture
def cli(environment: dict[str, str], media: Path) -> Cli:
    """Runs `harken` in the folder of the recordings, with its output in pipes."""

    def run(*arguments: str, **variables: str) -> Run:
        ended = subprocess.run(
            [*HARKEN, *arguments],
            env={**environment, **variables},
            cwd=media,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        return ended

    return run


@pytest.fixture
def album(media: Path) -> Iterator[Path]:
    """A folder below the media root with two good files, two bad ones and one that is no sound."""
    folder = media / "album"
    (folder / "b-side").mkdir(parents=True)
    (folder / "one.flac").symlink_to(media / "piece.flac")
    (folder / "b-side" / "two.mp3").symlink_to(media / "piece.mp3")
    (folder / "broken.wav").symlink_to(media / "broken.wav")
    (folder / "outside.wav").symlink_to("/etc/passwd")
    (folder / "cover.jpg").touch()
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def lines(run: Run) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_submit_and_watch_tell_in_lines_what_happens_and_then_what_was_found(cli: Cli) -> None:
    run = cli("submit", "piece.flac", "--watch")

    assert run.returncode == 0
    said = run.stderr.splitlines()
    assert said[-1] == "piece.flac: SUCCEEDED"
    assert all(line.startswith("piece.flac: ") for line in said)
    outcome, *found = run.stdout.splitlines()
    assert outcome.startswith("piece.flac: done in ")
    values = {line.split()[0]: line.split()[1:] for line in found}
    assert float(values["Tempo"][0]) == pytest.approx(112, rel=0.02)
    assert values["Tempo"][1] == "bpm"
    assert values["Key"][:2] == ["A", "minor"]
    assert float(values["Loudness"][0]) == pytest.approx(-16, abs=1)
    assert values["Loudness"][1].rstrip(",") == "LUFS"


def test_json_brings_each_message_and_then_the_job_with_its_result(cli: Cli) -> None:
    run = cli("submit", "piece.mp3", "--watch", "--json", "--features", "rhythm,loudness")

    assert (run.returncode, run.stderr) == (0, "")
    *messages, job = lines(run)
    assert "snapshot" in messages[0]
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert set(job["result"]) == {"rhythm", "loudness"}
    assert job["result"]["rhythm"]["tempo_bpm"] == pytest.approx(112, rel=0.02)


def test_a_folder_with_bad_files_lists_them_with_reasons_and_does_the_others(
    cli: Cli, album: Path
) -> None:
    run = cli("batch", "album", "--watch", "--features", "media", "--upload", "never")

    assert run.returncode == 1
    head, *refused, failed, whole = run.stdout.splitlines()
    assert head.endswith("3 files accepted, 1 refused")
    assert [line.startswith(f"{album}/outside.wav: refused: ") for line in refused] == [True]
    assert refused[0].endswith("(SOURCE_OUTSIDE_ROOTS)")
    assert failed.startswith(f"{album}/broken.wav: failed: ")
    assert "INPUT" in failed
    assert whole == "3 files: 2 done, 1 failed, 0 cancelled"
    assert "--media-root" in run.stderr


@ONE
def test_a_batch_in_json_has_what_was_refused_what_failed_and_the_counts(
    cli: Cli, album: Path
) -> None:
    run = cli("batch", "album", "--watch", "--json", "--features", "media", "--upload", "never")

    assert run.returncode == 1
    first, refused, *_, failed, last = lines(run)
    assert last["batch_id"] == first["batch_id"]
    assert (refused["failed_item"]["path"], refused["failed_item"]["reason"]) == (
        str(album / "outside.wav"),
        "SOURCE_OUTSIDE_ROOTS",
    )
    assert failed["source"]["path"] == str(album / "broken.wav")
    assert failed["error"]["kind"] == "KIND_INPUT"
    assert (last["total"], last["succeeded"], last["failed"]) == ("3", "2", "1")


def test_what_has_ended_is_watched_to_its_end_at_once(cli: Cli, system: System) -> None:
    job = system.client.submit("piece.mp3", features=["media"])
    batch = system.client.submit_batch(["piece.mp3"], features=["media"])
    job.wait(60)
    batch.wait(60)

    run = cli("watch", job.job_id, batch.batch_id)

    assert run.returncode == 0
    assert run.stdout.startswith("piece.mp3: done in ")
    assert run.stdout.endswith("1 file: 1 done, 0 failed, 0 cancelled\n")


def test_jobs_can_be_filtered_by_state_batch_label_and_number(cli: Cli, system: System) -> None:
    batch = system.client.submit_batch(
        ["piece.mp3", "broken.wav", "piece.flac"], features=["media"], labels={"take": "seven"}
    )
    batch.wait(60)

    def paths(*arguments: str) -> list[str]:
        return [job["source"]["path"] for job in lines(cli("jobs", "--json", *arguments))]

    of_batch = ("--batch", batch.batch_id)
    assert paths(*of_batch) == ["piece.flac", "broken.wav", "piece.mp3"]
    assert paths(*of_batch, "--state", "failed") == ["broken.wav"]
    assert paths(*of_batch, "--state", "failed", "--state", "succeeded", "--limit", "2") == [
        "piece.flac",
        "broken.wav",
    ]
    assert len(paths(*of_batch, "--label", "take=seven")) == 3
    assert paths(*of_batch, "--label", "take=eight") == []
    table = cli("jobs", *of_batch, "--state", "failed").stdout.splitlines()
    assert table[0].split() == ["JOB", "STATE", "AGE", "TOOK", "REMARK", "FILE"]
    assert "INPUT" in table[1]


@ONE
def test_a_job_is_shown_with_its_result(cli: Cli, system: System) -> None:
    job = system.client.submit("piece.flac", labels={"mood": "calm"})
    job.wait(60)

    run = cli("job", job.job_id)

    assert run.returncode == 0
    for words in (job.job_id, "succeeded", "piece.flac", "mood=calm", "A minor", "112."):
        assert words in run.stdout


def test_a_running_job_is_cancelled(cli: Cli, system: System) -> None:
    job = system.submit("3-hours.wav")
    system.until_running(job.job_id)

    run = cli("cancel", job.job_id)

    assert run.returncode == 0
    assert run.stdout.split() == [job.job_id, "cancelling"]
    watched = cli("watch", job.job_id)
    assert watched.returncode == 1
    assert watched.stdout == "3-hours.wav: cancelled\n"


def test_workers_and_queues_are_listed(cli: Cli) -> None:
    workers, queues = cli("workers"), cli("queues")

    assert (workers.returncode, queues.returncode) == (0, 0)
    head, *rows = workers.stdout.splitlines()
    assert head.split()[:2] == ["WORKER", "STATUS"]
    assert [(row.split()[0].partition("@")[0], row.split()[1]) for row in rows] == [
        ("maintenance", "online"),
        ("worker", "online"),
    ]
    waiting = {row.split()[0]: row.split()[-1] for row in queues.stdout.splitlines()[1:]}
    assert waiting["audio_processing"] == "1"
    assert waiting["maintenance"] == "1"


@ONE
def test_analyze_needs_no_server(cli: Cli) -> None:
    run = cli("analyze", "piece.flac", "broken.wav", "--json", HARKEN_SERVER=NOBODY)

    assert run.returncode == 1
    good, bad = lines(run)
    assert good["tonal"]["key"] == "A"
    assert bad["error"]["kind"] == "INPUT"


@ONE
def test_without_a_server_the_way_to_start_one_is_told(cli: Cli) -> None:
    run = cli("submit", "piece.flac", "--watch", HARKEN_SERVER=NOBODY)
    assert (run.returncode, run.stdout) == (3, "")
    assert NOBODY in run.stderr
    assert "harken up" in run.stderr


@ONE
def test_a_path_outside_the_roots_is_refused_with_the_way_to_allow_it(
    cli: Cli, tmp_path: Path
) -> None:
    outside = tmp_path / "song.wav"
    outside.touch()
    run = cli("submit", str(outside), "--upload", "never")
    assert (run.returncode, run.stdout) == (4, "")
    assert f"harken up --media-root {tmp_path}" in run.stderr


@ONE
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("submit", "piece.flac", "--features", "melody"), "'melody' is no feature"),
        (("submit", "piece.flac", "--priority", "10"), "0<=x<=9"),
        (("jobs", "--state", "dead"), "'dead' is not one of"),
        (("sumbit", "piece.flac"), "No such command 'sumbit'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_was_typed_wrong_is_told(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    run = cli(*arguments)
    assert run.returncode == 2
    assert words in run.stderr + run.stdout


@ONE
@pytest.mark.parametrize("command", ["job", "watch", "cancel"])
def test_an_id_that_is_none_and_one_of_nothing_are_refused(cli: Cli, command: str) -> None:
    malformed = cli(command, "42")
    unknown = cli(command, "0197c0de-0000-7000-8000-000000000000")
    assert (malformed.returncode, unknown.returncode) == (4, 4)
    assert "UUID" in malformed.stderr
    assert "There is no " in unknown.stderr


@ONE
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(cli: Cli, shell: str) -> None:
    run = cli("completion", shell)
    assert run.returncode == 0
    assert "_HARKEN_COMPLETE" in run.stdout


@ONE
def test_what_is_typed_is_completed(cli: Cli) -> None:
    run = cli(_HARKEN_COMPLETE="bash_complete", COMP_WORDS="harken submit --fea", COMP_CWORD="2")
    assert sorted(run.stdout.splitlines()) == ["plain,--feature", "plain,--features"]


@ONE
def test_help_names_all_commands_and_exit_codes(cli: Cli) -> None:
    run = cli("--help")
    assert run.returncode == 0
    for word in ("submit", "batch", "watch", "cancel", "up", "serve", "worker", "Exit codes"):
        assert word in run.stdout


def test_a_terminal_gets_a_bar_that_ends_full_and_then_the_summary(
    system: System, environment: dict[str, str], media: Path
) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*HARKEN, "submit", str(media / "piece.flac"), "--watch"],
        env=environment,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    received = b""
    try:
        while block := os.read(leader, 65536):
            received += block
    except OSError:  # how Linux says that the other side has closed
        pass
    os.close(leader)

    assert process.wait(30) == 0
    shown = received.decode()
    bar, _, summary = shown.partition("piece.flac: done in ")
    assert "━" in bar
    assert "100%" in bar
    assert bar.rindex("\x1b[?25h") > bar.rindex("\x1b[?25l"), "the cursor has to come back"
    assert "Tempo" in summary
    assert "A minor" in summary
