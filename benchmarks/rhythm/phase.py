"""Fits the weights of beat_phase.py on the even seeds and judges them on the odd ones.

`python -m benchmarks.rhythm.phase FOLDER`, after `benchmarks.rhythm.fit`, prints the constants.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
from scipy.optimize import minimize

from benchmarks.rhythm.corpus import Truth, read
from benchmarks.rhythm.fit import KINDS
from harken.audio import beat_phase
from harken.audio.beat_phase import PHASES, phase_evidence
from harken.audio.beats import LATENCY_S, beat_strength, track_pulses
from harken.audio.blocks import FRAME_RATE, Doubles
from harken.audio.tempo import weigh
from harken.audio.tempo_evidence import LOOP_S, loop_fit

SHRINKAGE: Final = 1.0
SLACK: Final = 0.09  # of a beat by which a phase may be off

Case = tuple[Truth, Doubles, int]


def main(folder: Path) -> None:
    """Fit and judge."""
    cases = [case for truth in read(folder) if truth.kind in KINDS if (case := look(truth))]
    weights = fit([case for case in cases if case[0].seed % 2 == 0])
    print(f"MEAN: Final = {tuple(weights[:5].tolist())}")
    print(f"STRONGEST: Final = {tuple(weights[5:10].tolist())}")
    print(f"AFTER: Final = {tuple(weights[10:15].tolist())}")
    print(f"BEGIN: Final = {weights[15]}\nFOUND: Final = {weights[16]}")
    for half, odd in (("fitted", 0), ("held out", 1)):
        for kind in KINDS:
            chosen = [case for case in cases if case[0].seed % 2 == odd and case[0].kind == kind]
            before = np.mean([label == 0 for _, _, label in chosen])
            after = np.mean(
                [int((terms @ weights).argmax()) == label for _, terms, label in chosen]
            )
            print(f"{half:9} {kind:9} n {len(chosen):4d}  found {before:.3f}  chosen {after:.3f}")


def look(truth: Truth) -> Case | None:
    """The evidence for each phase, and which is right; None where the pulses are not the beats'."""
    envelopes, _, _ = weigh(
        np.load(truth.path.with_suffix(".npy")), truth.duration_s, lambda _: None
    )
    strength = beat_strength(envelopes, truth.bpm)
    beats = track_pulses(strength, truth.bpm, lambda _: None)
    if beats.shape[0] < beat_phase.LEAST_BEATS:
        return None
    times = (np.array(truth.beats_s) + LATENCY_S) * FRAME_RATE
    place = np.interp(times, beats, np.arange(beats.shape[0]), left=np.nan, right=np.nan)
    place = place[np.isfinite(place)] % 1.0
    if not place.shape[0]:
        return None
    phase = float(np.angle(np.exp(2j * np.pi * place).mean()) / (2 * np.pi)) % 1.0
    away = np.abs((phase - np.array(PHASES) + 0.5) % 1.0 - 0.5)
    if away.min() > SLACK:
        return None
    usual, _, _ = loop_fit(np.array([truth.bpm]), truth.duration_s)
    loop = float(usual[0]) if truth.duration_s <= LOOP_S else 0.0
    terms = phase_evidence(envelopes, beats, loop=loop)
    return truth, terms, int(away.argmin())


def fit(cases: list[Case]) -> Doubles:
    """The weights that make the right phases likeliest."""
    evidence = np.stack([terms for _, terms, _ in cases])
    labels = np.array([label for _, _, label in cases])
    rows = np.arange(labels.shape[0])

    def cost(weights: Doubles) -> tuple[float, Doubles]:
        utility = evidence @ weights
        shares = np.exp(utility - utility.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        value = -np.log(np.maximum(shares[rows, labels], 1e-30)).sum()
        shares[rows, labels] -= 1.0
        gradient = np.einsum("ij,ijk->k", shares, evidence) + 2 * SHRINKAGE * weights
        return float(value + SHRINKAGE * (weights**2).sum()), gradient

    start = np.zeros(evidence.shape[2])
    return np.round(minimize(cost, start, jac=True, method="L-BFGS-B").x, 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
