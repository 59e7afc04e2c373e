"""One contender, one process: it loads its libraries, then analyses file after file and says what each cost.

    Contender("essentia") ── a path a line ──▶ python -m benchmarks.engine.contender essentia
                          ◀── JSON: cpu_s ────

A process of its own keeps one library's memory, threads and warnings away from the other's.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks.engine import harken_engine, limit, peers

Analyse = Callable[[str], Mapping[str, float | str] | None]

REPOSITORY: Final = Path(__file__).parents[2]
CONTENDERS: Final[Mapping[str, Callable[[], Analyse]]] = {
    "harken": harken_engine.analyze,
    "harken, watched and not": harken_engine.analyze_watched_and_not,
    "limit, soundfile": limit.by_soundfile,
    "limit, PyAV": limit.by_pyav,
    "librosa, typical": peers.librosa_typical,
    "librosa, no CQT": peers.librosa_without_cqt,
    "librosa, shared spectrogram": peers.librosa_shared,
    "Essentia MusicExtractor": peers.essentia_extractor,
}
PEERS: Final = tuple(name for name in CONTENDERS if name.startswith(("librosa", "Essentia")))


class ContenderError(Exception):
    """A contender's process ended; the text is the end of what it wrote."""


class Contender:
    """A contender's process; use `with`. `missing` says what keeps it from running, if anything."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 # closed by __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.engine.contender", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=REPOSITORY,
        )
        self.missing = str(self._answer().get("missing", ""))

    def run(self, path: Path) -> Mapping[str, float | str]:
        """Analyse a file: its `cpu_s`, and whatever else this contender tells."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{path.resolve()}\n")
        self._process.stdin.flush()
        return self._answer()

    def cpu_s(self, path: Path) -> float:
        """CPU seconds that one file takes, all threads together."""
        return float(self.run(path)["cpu_s"])

    def _answer(self) -> Mapping[str, float | str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise ContenderError(f"{self.name}: {self._log.read()[-2000:]}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._process:  # closes the pipes, which ends it, and waits
            pass
        self._log.close()


def serve(name: str) -> None:
    """Be that contender until the input ends."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # Essentia writes to the console
        try:
            analyse = CONTENDERS[name]()
        except ModuleNotFoundError as error:
            print(json.dumps({"missing": f"{error.name} is not installed"}), file=answers)
            return
        print(json.dumps({}), file=answers, flush=True)
        for line in sys.stdin:
            path = line.rstrip("\n")
            began = time.process_time()
            figures = analyse(path)
            spent = time.process_time() - began
            print(json.dumps({"cpu_s": spent, **(figures or {})}), file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
