"""The examples of README and docs: fenced blocks, by what their info string says of them.

`console` is a session whose commands, after `$ `, are run by a test; `python` is a program that is run; `sh` is what
cannot be run here (installing, containers, make) or is run by a test of its own. `yaml` is for
the files of other programs. A block without an info string is no command.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
KINDS = ("console", "python", "sh", "yaml", "mermaid", "")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What stands for ids and files of the reader's own.
MUSIC = "/music"
JOB_ID = "0197c0de-0000-7000-8000-000000000001"
BATCH_ID = "0197c0de-0000-7000-8000-000000000002"
ACTION_ID = "0197c0de-0000-7000-8000-000000000003"


@dataclass(frozen=True)
class Example:
    """A block: where it is, of which kind, and what it holds."""

    place: str
    kind: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a session, and what the document shows of its output."""

    place: str
    line: str
    shown: tuple[str, ...]


def documents() -> list[Path]:
    """README, CHANGELOG and all pages of docs."""
    return [
        REPOSITORY / "README.md",
        REPOSITORY / "CHANGELOG.md",
        *sorted((REPOSITORY / "docs").rglob("*.md")),
    ]


def examples(*kinds: str) -> list[Example]:
    """The blocks of these kinds."""
    return [example for path in documents() for example in _of(path) if example.kind in kinds]


def commands() -> list[Command]:
    """The commands of all sessions."""
    return [command for example in examples("console") for command in _commands_of(example)]


def _of(path: Path) -> Iterator[Example]:
    text = path.read_text()
    for block in FENCE.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        yield Example(f"{path.relative_to(REPOSITORY)}:{line}", block[1], block[2])


def _commands_of(example: Example) -> Iterator[Command]:
    for part in re.split(r"^\$ ", example.text, flags=re.MULTILINE)[1:]:
        line, *shown = part.splitlines()
        yield Command(example.place, line, tuple(shown))
