"""How well the same recording is known in other forms, and others are told apart: precision and recall.

    HARKEN_SAMPLES=../shared/audio python -m benchmarks.duplicates

Each recording is encoded, made quieter and louder, and cut, by `tests/data/variants.py`; each form is compared with
its original, and all recordings with each other. A pair counts as found when its fingerprints fit (as
`harken.jobs.similarity.duplicates` decides), whatever their vectors; how like the vectors are is told beside.
"""

import base64
import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from harken.audio import analyze
from harken.jobs.similarity.fingerprint import Fingerprint, fingerprint_of, is_same, match
from tests.data.variants import ENDINGS, read, variants, write

FOLDERS = ("loops", "music", "notes", "oneshots", "speech", "stems")
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
CLIPPED = "FLAC, 20 dB louder, clipped"  # no level alone: its distortion is another sound's
SHORT_S = 4.0  # what is shorter has few bits to be known by


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a file."""

    vector: Any
    fingerprint: Fingerprint


def known(path: Path) -> Known | None:
    """What the engine finds; None of silence."""
    embedding = analyze(path, ["embedding"]).embedding
    if embedding is None or not embedding.fingerprint:
        return None
    found = fingerprint_of(base64.b64decode(embedding.fingerprint))
    return Known(vector=np.array(embedding.vector), fingerprint=found) if found else None


def main() -> None:
    """Prints the figures."""
    root = Path(os.environ.get("HARKEN_SAMPLES") or "../shared/audio")
    files = [
        path
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in SUFFIXES
    ]
    originals: dict[str, Known] = {}
    found: dict[str, list[tuple[bool, bool, float, float]]] = defaultdict(list)
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            name = str(path.relative_to(root))
            original = known(path)
            if original is None:
                continue
            originals[name] = original
            samples, rate = read(path)
            for form, changed, codec, bit_rate in variants(samples, rate):
                other = Path(folder, f"changed{ENDINGS[codec]}")
                write(other, changed, rate, codec, bit_rate)
                variant = known(other)
                if variant is None:
                    continue  # what was heard is cut off
                fits = match(original.fingerprint, variant.fingerprint)
                same = fits is not None and is_same(fits)
                short = original.fingerprint.duration_s < SHORT_S
                likeness = float(original.vector @ variant.vector)
                found[form].append((same, short, fits.bit_error_rate if fits else 1.0, likeness))
                if not same:
                    error = f"{fits.bit_error_rate:.2f} of {fits.words} words" if fits else "no fit"
                    missed.append(f"{form}: {name} ({error})")
    print(f"{len(originals)} recordings, {sum(map(len, found.values()))} other forms of them\n")
    print("recall    found / of    of 4 s and more    largest error    least likeness of vectors")
    for form, pairs in found.items():
        long = [pair for pair in pairs if not pair[1]]
        print(
            f"{sum(pair[0] for pair in pairs) / len(pairs):6.3f}    "
            f"{sum(pair[0] for pair in pairs):3d} / {len(pairs):3d}     "
            f"{sum(pair[0] for pair in long):3d} / {len(long):3d}          "
            f"{max((pair[2] for pair in pairs if pair[0]), default=0):.3f}                  "
            f"{min(pair[3] for pair in pairs):5.2f}      {form}"
        )
    taken: list[str] = []
    nearest: list[tuple[float, str]] = []
    compared = 0
    for (one, mine), (other, theirs) in combinations(originals.items(), 2):
        compared += 1
        fits = match(mine.fingerprint, theirs.fingerprint)
        if fits is None:
            continue
        nearest.append((fits.sureness, f"{one} and {other}, {fits.words} words"))
        if is_same(fits):
            taken.append(nearest[-1][1])
    clipped = found.pop(CLIPPED)
    honest = [pair[0] for pairs in found.values() for pair in pairs]
    right = sum(honest) + sum(pair[0] for pair in clipped)
    print(
        f"\nrecall over formats, levels and cuts {sum(honest) / len(honest):.4f}, "
        f"with what is clipped {right / (len(honest) + len(clipped)):.4f}; "
        f"precision {right / (right + len(taken)):.4f}"
    )
    print(f"{len(taken)} of {compared} pairs of other recordings taken for the same: {taken}")
    print("the surest of others, where 1 is the same:")
    for sureness, pair in sorted(nearest, reverse=True)[:5]:
        print(f"  {sureness:.3f}  {pair}")
    print(f"missed ({len(missed)}):")
    for line in missed:
        print(f"  {line}")


if __name__ == "__main__":
    main()
