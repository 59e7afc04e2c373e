"""Draws docs/pictures/run.svg: what a terminal shows of `make demo`. Run it with: python docs/pictures/draw_run.py."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
COLUMNS = 96
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
# What rich and click send to a terminal: colours are kept, movements are followed, the rest is dropped.
CONTROL = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|\r|\n")


def record(command: list[str]) -> str:
    """All that a terminal receives of a command. Raises CalledProcessError when it fails."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=follower, stderr=follower
    )
    os.close(follower)
    received = b""
    try:
        while block := os.read(leader, 65536):
            received += block
    except OSError:  # how Linux says that the other side has closed
        pass
    os.close(leader)
    if process.wait() != 0:
        raise subprocess.CalledProcessError(process.returncode, command, received)
    return received.decode()


def screen(received: str) -> list[str]:
    """The lines that a terminal shows in the end, with their colours."""
    lines = [""]
    row = 0
    end = 0
    for control in CONTROL.finditer(received):
        lines[row] += received[end : control.start()]
        end = control.end()
        numbers, letter = control.groups()
        if control[0] == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif letter == "m":
            lines[row] += control[0]
        elif letter == "K":
            lines[row] = ""
        elif letter == "A":
            row = max(row - int(numbers or 1), 0)
    lines[row] += received[end:]
    return lines


def main() -> None:
    """Record, draw, write."""
    shown = screen(record([sys.executable, "-m", "demo"]))
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115 # for the process's life
    console.print(Text.from_ansi("\n".join(["$ make demo", *shown]).rstrip()))
    svg = console.export_svg(title="harken", unique_id="run")
    # A reader's own monospaced font will do: a picture in a README loads nothing from elsewhere.
    svg = FONT_FACE.sub("", svg).replace("Fira Code, monospace", "monospace")
    (HERE / "run.svg").write_text(svg)


if __name__ == "__main__":
    main()
