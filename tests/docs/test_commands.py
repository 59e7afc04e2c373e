"""The page on the command line lists the commands and the exit codes that there are."""

import re

import click
from harken.client.cli import cli, exit_codes

from tests.docs.examples import REPOSITORY

PAGE = (REPOSITORY / "docs" / "command-line.md").read_text()


def test_every_command_has_its_line() -> None:
    rows = re.findall(r"^\| (`harken .+?) \| [^|]+ \|$", PAGE, re.MULTILINE)
    listed = {word for row in rows for word in re.findall(r"`(?:harken )?([a-z]+)", row)}
    assert listed == set(cli.list_commands(click.Context(cli)))


def test_every_exit_code_has_its_line() -> None:
    rows = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    named = {value for name, value in vars(exit_codes).items() if name.isupper() and name != "HELP"}
    assert {int(row) for row in rows} == named - {exit_codes.BROKEN_PIPE}
