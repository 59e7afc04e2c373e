"""The command line as a process of its own: what scripts, pipes, terminals and Ctrl-C meet."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harken.v1 import job_service_pb2 as pb
from tests.client.scripted_server import (
    HOLD,
    JOB_ID,
    NO_JOB,
    ScriptedServer,
    a_job,
    whole_run,
)

HARKEN = (sys.executable, "-m", "harken.client.cli")


@pytest.fixture
def environment(server: ScriptedServer) -> dict[str, str]:
    """The environment of a user of the scripted server."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "GRPC_VERBOSITY")
    }
    return {**kept, "HARKEN_SERVER": server.target, "TERM": "xterm", "COLUMNS": "120"}


def _run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*HARKEN, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def _a_whole_run(server: ScriptedServer) -> None:
    server.answers["SubmitAnalysis"] = pb.SubmitAnalysisResponse(job=a_job())
    server.answers["GetJob"] = pb.GetJobResponse(
        job=a_job("SUCCEEDED", result={"rhythm": {"tempo_bpm": 120}})
    )
    server.streams = [whole_run(), whole_run()]


def test_no_server_is_exit_code_3_with_the_way_to_start_one(environment: dict[str, str]) -> None:
    run = _run({**environment, "HARKEN_SERVER": "127.0.0.1:1"}, "submit", "song.flac")
    assert run.returncode == 3
    assert run.stderr == (
        "Error: No harken server answers at 127.0.0.1:1.\nStart one with: harken up\n"
    )
    assert run.stdout == ""


def test_not_found_is_exit_code_4(server: ScriptedServer, environment: dict[str, str]) -> None:
    server.answers["GetJob"] = NO_JOB
    run = _run(environment, "job", JOB_ID)
    assert (run.returncode, run.stderr) == (4, "Error: There is no such job.\n")


def test_a_pipe_gets_plain_lines_without_control_characters(
    server: ScriptedServer, environment: dict[str, str]
) -> None:
    _a_whole_run(server)
    run = _run(environment, "submit", "song.flac", "--watch")
    assert run.returncode == 0
    assert "song.flac: 75% rhythm 140 of 180 s\n" in run.stderr
    assert run.stdout.startswith("song.flac: done\n")
    for text in (run.stdout, run.stderr):
        assert all(character == "\n" or character.isprintable() for character in text)


def _on_a_terminal(environment: dict[str, str], *arguments: str) -> tuple[str, int]:
    """What a terminal receives, and the exit code."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*HARKEN, *arguments], env=environment, stdout=follower, stderr=follower
    )
    os.close(follower)
    received = b""
    try:
        while block := os.read(leader, 65536):
            received += block
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(leader)
    return received.decode(), process.wait()


def test_a_terminal_gets_a_bar_with_stage_percent_time_and_message(
    server: ScriptedServer, environment: dict[str, str]
) -> None:
    _a_whole_run(server)
    text, code = _on_a_terminal(environment, "submit", "song.flac", "--watch")
    assert code == 0
    for words in ("song.flac", "100%", "0:00:0", "Tempo      120.0 bpm", "\x1b[32m"):
        assert words in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor has to come back"


def test_no_color_is_honoured_on_a_terminal(
    server: ScriptedServer, environment: dict[str, str]
) -> None:
    _a_whole_run(server)
    text, code = _on_a_terminal({**environment, "NO_COLOR": "1"}, "submit", "song.flac", "--watch")
    assert code == 0
    assert not any(f"\x1b[{colour}m" in text for colour in (*range(30, 38), *range(90, 98)))


def test_a_dumb_terminal_gets_plain_lines(
    server: ScriptedServer, environment: dict[str, str]
) -> None:
    _a_whole_run(server)
    text, _ = _on_a_terminal(
        {**environment, "TERM": "dumb", "NO_COLOR": "1"}, "submit", "song.flac", "--watch"
    )
    assert "\x1b" not in text
    assert "song.flac: 25% decode" in text


@pytest.fixture
def watching(
    server: ScriptedServer, environment: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """`harken watch` of a job that runs and runs."""
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("RUNNING"))
    server.streams = [[*whole_run()[:3], HOLD]]
    with subprocess.Popen(
        [*HARKEN, "watch", JOB_ID],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert server.holding.wait(20)
        yield process
        process.kill()


def test_ctrl_c_ends_the_watch_and_says_that_the_job_goes_on(
    server: ScriptedServer, watching: "subprocess.Popen[str]"
) -> None:
    watching.send_signal(signal.SIGINT)
    _, words = watching.communicate(timeout=20)
    assert watching.returncode == 130
    assert "Stopped watching; the job goes on." in words
    assert f"harken watch {JOB_ID}" in words
    assert f"harken cancel {JOB_ID}" in words
    assert "Traceback" not in words
    assert not server.of(pb.CancelJobRequest)


def test_a_reader_that_goes_away_ends_the_list_quietly(
    server: ScriptedServer, environment: dict[str, str]
) -> None:
    """`harken jobs --json | head -1`."""
    server.answers["ListJobs"] = pb.ListJobsResponse(jobs=[a_job()] * 1000, next_page_token="more")
    process = subprocess.Popen(
        [*HARKEN, "jobs", "--json", "--limit", "100000"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_a_name_that_the_terminal_cannot_show_is_no_reason_to_stop(
    server: ScriptedServer, environment: dict[str, str]
) -> None:
    server.answers["SubmitAnalysis"] = pb.SubmitAnalysisResponse(job=a_job())
    run = subprocess.run(
        [*HARKEN, "submit", "/music/音.flac"],
        env={**environment, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, f"{JOB_ID}  /music/?.flac\n".encode())


def test_a_file_name_that_is_not_utf8_is_refused_with_words(environment: dict[str, str]) -> None:
    run = subprocess.run(
        [*HARKEN, "submit", b"/music/\xff.wav"], env=environment, capture_output=True, check=False
    )
    assert run.returncode == 4
    assert b"not text in UTF-8" in run.stderr
    assert b"Traceback" not in run.stderr


def test_help_is_there_at_once(environment: dict[str, str]) -> None:
    """By the processor's time, which other processes on the machine do not lengthen."""
    times: list[float] = []
    for _ in range(3):
        process = subprocess.Popen([*HARKEN, "--help"], env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        times.append(usage.ru_utime + usage.ru_stime)
    assert min(times) < 0.5
