"""`python -m demo [FILE]`: start everything, analyse a composed piece or FILE, show what was found, stop everything.

Exit code 0 when the job succeeded and, for the composed piece, what was found is what is known.
"""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.piece import Piece, compose, write
from harken.client import AnalysisResult, Client, JobState

READY = re.compile(r"harken is ready on (\S+)")
STOPPED_WITHIN_S = 30
HARKEN = [sys.executable, "-m", "harken.client.cli"]

TEMPO_TOLERANCE = 0.01  # of the tempo
LOUDNESS_TOLERANCE_LU = 0.2


@dataclass(frozen=True)
class Row:
    """A line of the comparison."""

    name: str
    found: str
    known: str
    agrees: bool


def main() -> int:
    """Run the demo; returns its exit code."""
    with tempfile.TemporaryDirectory(prefix="harken-demo-") as folder:
        if len(sys.argv) > 1:
            path, piece = Path(sys.argv[1]).absolute(), None
            if not path.is_file():
                print(f"There is no file {path}.", file=sys.stderr)
                return 2
        else:
            path, piece = Path(folder, "piece.flac"), compose()
            print(
                f"Composing {len(piece.samples) / piece.sample_rate:.0f} s of music:"
                f" {piece.tempo_bpm:g} bpm, {piece.key} {piece.mode},"
                f" {piece.integrated_lufs:g} LUFS …"
            )
            write(path, piece)
        print("Starting Redis, the database, the server, workers and beat …")
        with running_system(Path(folder, "data"), path.parent) as address:
            print(f"\n$ harken submit {path.name} --watch", flush=True)
            code = subprocess.call([*HARKEN, "submit", str(path), "--watch", "--server", address])
            result = _newest_result(address)
        print("Everything has stopped.")
        if code != 0 or result is None:
            return 1
        return _compare(result, piece) if piece is not None else 0


@contextmanager
def running_system(data: Path, media_root: Path) -> Generator[str]:
    """A `harken up` of its own, with the address that it answers at."""
    command = [*HARKEN, "up", "--data-dir", str(data), "--listen", "127.0.0.1:0"]
    up = subprocess.Popen(
        [*command, "--media-root", str(media_root)], stdout=subprocess.PIPE, text=True
    )
    assert up.stdout is not None
    try:
        ready = next((found for line in up.stdout if (found := READY.search(line))), None)
        if ready is None:
            raise SystemExit(up.wait() or 1)
        yield ready[1]
    finally:
        up.send_signal(signal.SIGINT)
        up.stdout.close()
        up.wait(STOPPED_WITHIN_S)


def _newest_result(address: str) -> AnalysisResult | None:
    with Client(address) as client:
        job = next(client.list_jobs())
        return client.get_job(job).result if job.state is JobState.SUCCEEDED else None


def _compare(result: AnalysisResult, piece: Piece) -> int:
    rows = _rows(result, piece)
    print(f"\n  {'':10}{'found':>14}{'known':>14}")
    for row in rows:
        print(f"  {row.name:10}{row.found:>14}{row.known:>14}  {'✓' if row.agrees else '✗'}")
    return 0 if all(row.agrees for row in rows) else 1


def _rows(result: AnalysisResult, piece: Piece) -> list[Row]:
    rhythm, tonal, loudness = result.rhythm, result.tonal, result.loudness
    assert rhythm is not None
    assert tonal is not None
    assert loudness is not None
    tempo, lufs = rhythm.tempo_bpm or 0.0, loudness.integrated_lufs or 0.0
    return [
        Row(
            "tempo",
            f"{tempo:.1f} bpm",
            f"{piece.tempo_bpm:.1f} bpm",
            abs(tempo / piece.tempo_bpm - 1) < TEMPO_TOLERANCE,
        ),
        Row(
            "key",
            f"{tonal.key} {tonal.mode}",
            f"{piece.key} {piece.mode}",
            (tonal.key, tonal.mode) == (piece.key, piece.mode),
        ),
        Row(
            "loudness",
            f"{lufs:.1f} LUFS",
            f"{piece.integrated_lufs:.1f} LUFS",
            abs(lufs - piece.integrated_lufs) < LOUDNESS_TOLERANCE_LU,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
