"""The pages list the commands, the exit codes and the calls that there are."""

import re

import click

from harken.client.cli import cli, exit_codes
from harken.v1 import job_service_pb2, worker_service_pb2
from tests.docs.examples import REPOSITORY, commands

PAGE = (REPOSITORY / "docs" / "command-line.md").read_text()


def test_every_command_has_its_line() -> None:
    rows = re.findall(r"^\| (`harken .+?) \| [^|]+ \|$", PAGE, re.MULTILINE)
    listed = {word for row in rows for word in re.findall(r"`(?:harken )?([a-z-]+)", row)}
    assert listed == set(cli.list_commands(click.Context(cli)))


def test_every_exit_code_has_its_line() -> None:
    rows = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    named = {value for name, value in vars(exit_codes).items() if name.isupper() and name != "HELP"}
    assert {int(row) for row in rows} == named - {exit_codes.BROKEN_PIPE}


def test_every_call_has_its_grpcurl_command() -> None:
    lines = [found.line for found in commands() if found.line.startswith("grpcurl ")]
    for module in (job_service_pb2, worker_service_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                assert any(line.endswith(f" {service.full_name}/{method.name}") for line in lines)
