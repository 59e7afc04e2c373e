"""The documented grpcurl commands, run against the live server, which describes itself by reflection."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2

from tests.docs.examples import ACTION_ID, BATCH_ID, JOB_ID, REPOSITORY, Command, commands
from tests.system.conftest import System

DOCUMENTED = [found for found in commands() if found.line.startswith("grpcurl ")]
SERVICES = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "harken.v1.CollectionService",
    "harken.v1.ExportService",
    "harken.v1.JobService",
    "harken.v1.MediaService",
    "harken.v1.OwnerService",
    "harken.v1.SimilarityService",
    "harken.v1.WorkerService",
]
PERMISSION_DENIED = 64 + 7  # grpcurl adds 64 to the status

# One database is enough here: what is tested is how the server is spoken to.
pytestmark = pytest.mark.parametrize("system", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Grpcurl:
    """grpcurl against the live system, with a job and a batch that have ended."""

    binary: str
    system: System
    job_id: str
    batch_id: str
    action_id: str

    def run(self, line: str) -> "subprocess.CompletedProcess[str]":
        """Runs a documented command with this server's address, ids and files."""
        stand_ins = {
            "localhost:50051": self.system.address,
            JOB_ID: self.job_id,
            BATCH_ID: self.batch_id,
            ACTION_ID: self.action_id,
            "song.flac": "piece.flac",
        }
        for shown, real in stand_ins.items():
            line = line.replace(shown, real)
        _, *arguments = shlex.split(line)
        return subprocess.run(
            [self.binary, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    def call(self, line: str) -> list[dict[str, Any]]:
        """The messages that a documented command prints."""
        run = self.run(line)
        assert run.returncode == 0, run.stderr
        return list(messages(run.stdout))


def messages(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a text, one after another."""
    decoder = json.JSONDecoder()
    text = text.strip()
    while text:
        message, end = decoder.raw_decode(text)
        yield message
        text = text[end:].strip()


@pytest.fixture(scope="module")
def binary() -> str:
    """Where grpcurl is: on the path, or where `.ci/run` puts it."""
    found = shutil.which("grpcurl") or shutil.which("grpcurl", path=REPOSITORY / ".venv" / "go")
    if found:
        return found
    reason = (
        "grpcurl is not installed: go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3"
    )
    if os.environ.get("HARKEN_REQUIRE_GRPCURL") == "1":
        pytest.fail(f"HARKEN_REQUIRE_GRPCURL is set, and {reason}")
    pytest.skip(reason)


@pytest.fixture
def grpcurl(binary: str, system: System, media: Path) -> Grpcurl:
    """Grpcurl against the live system."""
    job = system.client.submit("piece.flac")
    batch = system.client.submit_batch(["piece.flac", "broken.wav"], features=["media"])
    job.wait(60)
    batch.wait(60)
    system.client.dismiss_jobs([job])  # which is refused, since it has not failed, and recorded
    action = next(system.client.list_actions())
    return Grpcurl(binary, system, job.job_id, batch.batch_id, action.action_id)


@pytest.mark.parametrize(
    "command", DOCUMENTED, ids=lambda command: command.line.removeprefix("grpcurl -plaintext ")[:80]
)
def test_a_documented_command_does_what_its_page_says(grpcurl: Grpcurl, command: Command) -> None:
    run = grpcurl.run(command.line)

    if command.shown:  # only the refused one shows its output
        assert run.returncode == PERMISSION_DENIED
        assert run.stderr.splitlines() == list(command.shown)
    else:
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout


def documented(part: str) -> str:
    """The first documented command that holds a text."""
    return next(command.line for command in DOCUMENTED if part in command.line)


def test_the_list_names_all_services(grpcurl: Grpcurl) -> None:
    assert grpcurl.run("grpcurl -plaintext localhost:50051 list").stdout.split() == SERVICES


def test_a_job_is_shown_with_its_result(grpcurl: Grpcurl) -> None:
    (answer,) = grpcurl.call(documented("JobService/GetJob"))
    assert answer["job"]["state"] == "JOB_STATE_SUCCEEDED"
    assert answer["job"]["result"]["rhythm"]["tempoBpm"] == pytest.approx(112, rel=0.02)


def test_a_stream_ends_with_its_job(grpcurl: Grpcurl) -> None:
    (submitted,) = grpcurl.call(documented("JobService/SubmitAnalysis"))
    line = documented("JobService/StreamProgress").replace(JOB_ID, submitted["job"]["jobId"])

    followed = grpcurl.call(line)

    assert "snapshot" in followed[0]
    assert all(message["resumeToken"] for message in followed)
    events = [
        event for message in followed for event in message.get("events", {}).get("events", [])
    ]
    changes = [event["transition"]["to"] for event in events if "transition" in event]
    assert changes[-1:] in (["JOB_STATE_SUCCEEDED"], [])
    assert changes or followed[0]["snapshot"]["job"]["state"] == "JOB_STATE_SUCCEEDED"


def test_a_repeated_request_id_gives_the_same_job(grpcurl: Grpcurl) -> None:
    line = documented("request_id")
    first, second = grpcurl.call(line), grpcurl.call(line)
    assert first[0]["job"]["jobId"] == second[0]["job"]["jobId"]


def test_a_bad_item_is_named_beside_the_batch(grpcurl: Grpcurl) -> None:
    (answer,) = grpcurl.call(documented("JobService/SubmitBatch"))
    assert answer["batch"]["total"] == "1"  # 64-bit integers are texts in JSON
    assert [(item["index"], item["reason"]) for item in answer["failedItems"]] == [
        (1, "SOURCE_NOT_FOUND")
    ]


def test_the_health_service_says_serving(grpcurl: Grpcurl) -> None:
    assert grpcurl.call(documented("Health/Check")) == [{"status": "SERVING"}]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_answers_under_both_of_its_names(system: System, version: str) -> None:
    """Without grpcurl: old clients ask for v1alpha, new ones for v1 first."""
    with grpc.insecure_channel(system.address) as channel:
        ask = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        requests = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="harken.v1.JobService"),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="harken.v1.Nothing"),
        ]
        services, file, nothing = list(ask(iter(requests), timeout=10))

    assert [found.name for found in services.list_services_response.service] == SERVICES
    assert file.file_descriptor_response.file_descriptor_proto
    assert nothing.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
