"""Fits the weights of tempo_model.py on the even seeds and judges them on the odd ones.

`python -m benchmarks.rhythm.fit FOLDER` prints the constants, then the figures of both halves.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy.optimize import minimize

from benchmarks.rhythm.corpus import Truth, read
from benchmarks.rhythm.pulses import pulses
from benchmarks.rhythm.scores import TOLERANCE, calibration_error, nearly_right, right
from harken.audio import tempo_model
from harken.audio.blocks import Doubles
from harken.audio.tempo import has_pulse, weigh
from harken.audio.tempo_evidence import FRACTIONS, Candidates
from harken.audio.tempo_model import none_terms

# Of the weights towards 0, each in its own spread: more than the held-out half asks for, because
# real music differs from the band more than one half of what it plays from the other.
SHRINKAGE: Final = 8.0
KINDS: Final = ("loop", "slow loop", "clip", "song", "metronome")
DECIMALS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file with its candidates and the right ones among them."""

    truth: Truth
    found: Candidates
    hits: np.ndarray[tuple[int], np.dtype[np.bool_]]
    none: Doubles


def main(folder: Path) -> None:
    """Fit and judge."""
    cases = [case for truth in read(folder) if truth.kind in KINDS if (case := look(truth))]
    weights, none = fit([case for case in cases if not case.truth.held_out])
    show(weights, none)
    for half, held_out in (("fitted", False), ("held out", True)):
        chosen = [case for case in cases if case.truth.held_out == held_out]
        for kind in (*KINDS, "all"):
            judge(
                f"{half:9} {kind:9}", chosen if kind == "all" else _of(chosen, kind), weights, none
            )


def look(truth: Truth) -> Case | None:
    """None where the engine hears no pulse."""
    cache = truth.path.with_suffix(".npy")
    if not cache.exists():
        np.save(cache, pulses(truth.path))
    smoothed, _, found = weigh(np.load(cache), truth.duration_s, lambda _: None)
    # By the weights as they stand, not those about to be fitted: they only tip what is unclear.
    chances = tempo_model.probabilities(found.evidence, found.clarity, truth.duration_s)
    if not has_pulse(smoothed[0], found.clarity, chances, truth.duration_s):
        return None
    return Case(
        truth=truth,
        found=found,
        hits=np.abs(found.bpms / truth.bpm - 1.0) <= TOLERANCE,
        none=none_terms(found.clarity, truth.duration_s),
    )


def fit(cases: list[Case]) -> tuple[Doubles, Doubles]:
    """The weights of the evidence and of the other choice that make the truth likeliest."""
    terms = tempo_model.WEIGHTS.shape[0]
    most = max(case.found.bpms.shape[0] for case in cases)
    spread = np.concatenate([case.found.evidence for case in cases]).std(axis=0) + 1e-6
    evidence = np.zeros((len(cases), most, terms))
    there = np.zeros((len(cases), most), dtype=np.bool_)
    hits = np.zeros((len(cases), most + 1), dtype=np.bool_)
    for number, case in enumerate(cases):
        count = case.found.bpms.shape[0]
        evidence[number, :count] = case.found.evidence / spread
        there[number, :count] = True
        hits[number, 1 : count + 1] = case.hits
        hits[number, 0] = not case.hits.any()
    none = np.stack([case.none for case in cases])

    def cost(unknown: Doubles) -> tuple[float, Doubles]:
        weights, other = unknown[:terms], unknown[terms:]
        utility = np.concatenate(
            [(none @ other)[:, None], np.where(there, evidence @ weights, -1e9)], axis=1
        )
        shares = np.exp(utility - utility.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        right_share = (shares * hits).sum(axis=1, keepdims=True)
        pull = shares - shares * hits / np.maximum(right_share, 1e-30)
        gradient = np.einsum("ij,ijk->k", pull[:, 1:] * there, evidence)
        value = -np.log(np.maximum(right_share, 1e-30)).sum()
        value += SHRINKAGE * (weights**2).sum() + 0.01 * (other**2).sum()
        slope = [gradient + 2 * SHRINKAGE * weights, pull[:, 0] @ none + 0.02 * other]
        return float(value), np.concatenate(slope)

    start = np.zeros(terms + none.shape[1])
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000})
    return np.round(found.x[:terms] / spread, DECIMALS), np.round(found.x[terms:], DECIMALS)


def show(weights: Doubles, none: Doubles) -> None:
    """The constants as they stand in tempo_model.py."""
    values = weights.tolist()
    print("REPEATS: Final = (")
    columns = len(FRACTIONS)
    for row in range(len(tempo_model.REPEATS)):
        print(f"    {tuple(values[columns * row : columns * (row + 1)])},")
    print(")")
    rest = values[columns * len(tempo_model.REPEATS) :]
    print(
        f"CROSS: Final = {tuple(rest[:3])}\nEVEN: Final = {rest[3]}\nCOMB: Final = {rest[4]}\n"
        f"SPEED: Final = {tuple(rest[5:9])}"
    )
    print(f"ONSETS: Final = {tuple(rest[9:11])}\nLOOP: Final = {tuple(rest[11:13])}")
    print(f"NONE: Final = {tuple(none.tolist())}")


def judge(name: str, cases: list[Case], weights: Doubles, none: Doubles) -> None:
    """Acc1, Acc2 and calibration of what has a pulse at all."""
    first: list[bool] = []
    second: list[bool] = []
    confidences: list[float] = []
    logs: list[float] = []
    for case in cases:
        utility = np.concatenate([[case.none @ none], case.found.evidence @ weights])
        shares = np.exp(utility - utility.max())
        shares = shares[1:] / shares.sum()
        bpm = float(case.found.bpms[shares.argmax()])
        first.append(right(bpm, case.truth.bpm))
        second.append(nearly_right(bpm, case.truth.bpm))
        confidences.append(float(shares[np.abs(case.found.bpms / bpm - 1) <= TOLERANCE].sum()))
        logs.append(float(np.log(shares[case.hits].sum() + 1e-6)))
    print(
        f"{name} n {len(cases):4d}  Acc1 {np.mean(first):.3f}  Acc2 {np.mean(second):.3f}  "
        f"mean confidence {np.mean(confidences):.3f}  "
        f"calibration error {calibration_error(confidences, first):.3f}  log {np.mean(logs):.3f}"
    )


def _of(cases: list[Case], kind: str) -> list[Case]:
    return [case for case in cases if case.truth.kind == kind]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
