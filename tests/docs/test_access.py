"""The commands of the page on access, one after the other, from an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from harken.server.access.rules import RULES, Open
from harken.settings import VARIABLES
from tests.conftest import eventually
from tests.docs.examples import REPOSITORY, examples
from tests.system.conftest import clean_environment
from tests.system.test_two_servers import free_port

NAME = "docs/access.md"
PAGE = (REPOSITORY / NAME).read_text()
LINES = [
    line
    for example in examples("sh")
    if example.place.startswith(f"{NAME}:")
    for line in example.text.splitlines()
]


def test_the_commands_of_the_page_do_what_it_says(redis: str, tmp_path: Path) -> None:
    port = free_port()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = clean_environment(
        HARKEN_DATABASE_URL=f"sqlite:///{tmp_path / 'harken.db'}",
        HARKEN_BROKER_URL=redis,
        HARKEN_MEDIA_ROOTS=str(tmp_path),
        PATH=path,
    )

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    said: dict[str, str] = {}
    servers: list[subprocess.Popen[bytes]] = []
    try:
        for line in LINES:
            command = line.replace("50051", str(port))
            if "harken serve" in line:
                variables = dict(word.split("=", 1) for word in command.split() if "=" in word)
                words = shlex.split(command)[len(variables) :]
                servers.append(
                    subprocess.Popen(words, env={**environment, **variables}, cwd=tmp_path)
                )
                continue
            if "0123456789" in line:
                bobs = (tmp_path / "bob.key").read_text().split("_")[1]
                command = command.replace("0123456789", bobs)
            if servers and "HARKEN_SERVER" in line:
                eventually(lambda command=command: run(command).returncode == 0)
            done = run(command)
            assert done.returncode == 0, f"{line}: {done.stderr}"
            said[line] = done.stdout + done.stderr
    finally:
        for server in servers:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(30)

    assert len(servers) == 1
    assert "No jobs." in next(text for line, text in said.items() if line.endswith("harken jobs"))
    assert "revoked" in said["harken keys list --owner bob"]
    assert len((tmp_path / "ann.key").read_text().splitlines()) == 1


def test_the_table_of_scopes_is_that_of_the_rules() -> None:
    rows = dict(re.findall(r"^\| `(read|submit|cancel)` \| (.+) \|$", PAGE, re.MULTILINE))
    told = {name: set(re.findall(r"`(\w+)`", calls)) for name, calls in rows.items()}
    named = {
        scope: {
            method.rpartition("/")[2]
            for method, rule in RULES.items()
            if not isinstance(rule, Open) and rule.value == scope
        }
        for scope in rows
    }
    assert told == named


def test_the_quotas_of_the_page_are_the_settings() -> None:
    told = set(re.findall(r"^\| `(HARKEN_QUOTA_\w+)` \|", PAGE, re.MULTILINE))
    assert told == {one.name for one in VARIABLES if one.name.startswith("HARKEN_QUOTA_")}
