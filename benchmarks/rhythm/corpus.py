"""Writes what the band plays, and what is true of it: `python -m benchmarks.rhythm.corpus FOLDER`."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from tests.audio.band.instruments import RATE
from tests.audio.band.performance import Take, clip, loop, metronome, ramp, slow_loop, song, step

TRUTH: Final = "truth.json"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A file of the corpus."""

    path: Path
    kind: str  # "loop", "clip", "song", "metronome", "slow loop", "ramp", "step"
    seed: int
    bpm: float
    style: str
    parts: tuple[str, ...]
    duration_s: float
    beats_s: tuple[float, ...]

    @property
    def held_out(self) -> bool:
        """Whether it is for judging alone."""
        return self.seed % 2 == 1


def takes() -> Iterator[tuple[str, int, Take]]:
    """All of the corpus; ramps and steps are for judging alone."""
    kinds: tuple[tuple[str, Callable[[int], Take], Sequence[int]], ...] = (
        ("loop", loop, seeds(1000, 3400)),
        ("clip", clip, seeds(240, 800)),
        ("song", song, seeds(160, 400)),
        ("metronome", metronome, seeds(120, 360)),
        ("slow loop", slow_loop, seeds(80, 400)),
        ("ramp", ramp, range(1, 24, 2)),
        ("step", lambda seed: step(seed, *STEPS[seed % len(STEPS)]), range(1, 24, 2)),
    )
    for kind, play, numbers in kinds:
        for seed in numbers:
            yield kind, seed, play(seed)


def seeds(both: int, fitting: int) -> list[int]:
    """Those below `both`, then the even ones below `fitting`: there is never enough to fit on."""
    return [*range(both), *range(both, fitting, 2)]


STEPS: Final = ((100.0, 130.0), (120.0, 90.0), (90.0, 110.0), (125.0, 104.0))


def main(folder: Path) -> None:
    """Write the corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for kind, seed, take in takes():
        name = f"{kind.replace(' ', '-')}-{seed:03d}.wav"
        soundfile.write(folder / name, take.samples.astype(np.float32), RATE, subtype="PCM_16")
        rows.append(
            {
                "path": name,
                "kind": kind,
                "seed": seed,
                "bpm": take.bpm,
                "style": take.style,
                "parts": take.parts,
                "duration_s": take.duration_s,
                "beats_s": take.beats_s.tolist(),
            }
        )
    (folder / TRUTH).write_text(json.dumps(rows))


def read(folder: Path) -> list[Truth]:
    """What `main` wrote."""
    rows: list[dict[str, Any]] = json.loads((folder / TRUTH).read_text())
    for row in rows:
        row["path"] = folder / row["path"]
        row["parts"], row["beats_s"] = tuple(row["parts"]), tuple(row["beats_s"])
    return [Truth(**row) for row in rows]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
