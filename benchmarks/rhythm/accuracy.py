"""How often harken and its peers are right on what the band plays: the held-out half.

`python -m benchmarks.rhythm.accuracy FOLDER`, after `benchmarks.rhythm.corpus` and `.peers`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rhythm.corpus import Truth, read
from benchmarks.rhythm.scores import calibration_error, f_measure, nearly_right, right
from harken.audio import Feature, analyze

Found = Mapping[str, Mapping[str, Any]]


def main(folder: Path) -> None:
    """Print the table."""
    truths = [truth for truth in read(folder) if truth.held_out]
    found: dict[str, Found] = {"harken": {truth.path.name: by_harken(truth) for truth in truths}}
    for path in sorted(folder.glob("peers-*.json")):
        found[path.stem.removeprefix("peers-")] = json.loads(path.read_text())
    print(
        f"{'kind':10} {'by':13} {'n':>4} {'none':>5} {'Acc1':>6} {'Acc2':>6} {'off %':>6} "
        f"{'beats':>6} {'beats > 5 s':>11}"
    )
    for kind in dict.fromkeys(truth.kind for truth in truths):
        for name, results in found.items():
            chosen = [truth for truth in truths if truth.kind == kind]
            judge(kind, name, [truth for truth in chosen if truth.path.name in results], results)
    calibration(truths, found["harken"])


def by_harken(truth: Truth) -> Mapping[str, Any]:
    """The engine's rhythm."""
    rhythm = analyze(truth.path, [Feature.RHYTHM]).rhythm
    assert rhythm is not None
    return {
        "bpm": rhythm.tempo_bpm,
        "beats": rhythm.beats_s,
        "confidence": rhythm.tempo_confidence,
    }


def judge(kind: str, name: str, truths: list[Truth], results: Found) -> None:
    """One line: a tempo that is not found is not right."""
    if not truths:
        return
    bpms = [results[truth.path.name]["bpm"] or None for truth in truths]
    pairs = list(zip(truths, bpms, strict=True))
    first = [right(bpm, truth.bpm) for truth, bpm in pairs]
    second = [nearly_right(bpm, truth.bpm) for truth, bpm in pairs]
    off = [100 * abs(bpm / truth.bpm - 1) for truth, bpm in pairs if bpm and right(bpm, truth.bpm)]
    whole = [
        f_measure(results[truth.path.name]["beats"], truth.beats_s, trimmed_s=0.0)
        for truth in truths
    ]
    later = [
        f_measure(results[truth.path.name]["beats"], truth.beats_s)
        for truth in truths
        if truth.duration_s > 15.0
    ]
    print(
        f"{kind:10} {name:13} {len(truths):4d} {bpms.count(None):5d} {np.mean(first):6.3f} "
        f"{np.mean(second):6.3f} {np.percentile(off, 95) if off else np.nan:6.2f} "
        f"{np.mean(whole):6.3f} {np.mean(later) if later else np.nan:11.3f}"
    )


def calibration(truths: list[Truth], results: Found) -> None:
    """Whether the confidences are probabilities, for music at one tempo."""
    heard = [
        (results[truth.path.name]["confidence"], right(results[truth.path.name]["bpm"], truth.bpm))
        for truth in truths
        if truth.kind not in ("ramp", "step") and results[truth.path.name]["bpm"]
    ]
    confidences, hits = [one for one, _ in heard], [hit for _, hit in heard]
    print(f"\ncalibration error {calibration_error(confidences, hits):.3f} over {len(heard)}")
    for low in range(0, 100, 10):
        inside = [
            hit for one, hit in heard if low <= 100 * one < low + 10 or (one == 1.0 and low == 90)
        ]
        if inside:
            print(
                f"  confidence {low / 100:.1f} to {low / 100 + 0.1:.1f}: {len(inside):4d}, "
                f"right {np.mean(inside):.2f}"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
