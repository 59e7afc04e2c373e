"""What the key is made of: a piece that is tuned 23 cents too high."""

from typing import Final

import numpy as np

from benchmarks import key as keys
from demo.piece import KEYS
from docs.pictures.engine.canvas import HARKEN, PEER, THIRD, label, panels, save
from harken.audio.pitch_classes import PitchHistogram
from harken.audio.spectral_peaks import STEPS, add_lasting_peaks, no_marks
from tests.audio import progressions

SEED: Final = keys.FIRST_SEED + 1
CENTS: Final = 23.0
TRIADS: Final = 7  # the most frequent are shown
TRIAD_NAMES: Final = (*KEYS, *(f"{name} minor" for name in KEYS))


def draw_key() -> None:
    """The lasting peaks folded into an octave, and the triads they make."""
    made = progressions.compose(SEED, cents=CENTS)
    histogram, steps = PitchHistogram(), np.zeros((1, STEPS))
    marks, strengths = no_marks(), np.zeros(2)
    for block in keys.blocks(made.samples):
        histogram.add(block)
        add_lasting_peaks(block, marks, 0, block.shape[1], steps, strengths)
    pitches = histogram.finish()
    assert pitches is not None
    figure, (left, right) = panels(2.9, 2, (1.7, 1))
    semitones = np.arange(STEPS) * len(KEYS) / STEPS
    left.vlines(range(len(KEYS)), 0, 1.08, color=PEER, lw=0.8, ls=":", label="A4 = 440 Hz")
    left.bar(semitones, steps[0] / steps.max(), len(KEYS) / STEPS, color=HARKEN)
    left.set_xticks(range(len(KEYS)), KEYS)
    left.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0.42, 1.0))
    label(
        left,
        f"lasting peaks in 120 steps of an octave: {made.key} {made.mode}, tuned {made.cents:+.0f} cents",
        "",
        "",
    )
    best = np.argsort(-pitches.triads)[:TRIADS][::-1]
    right.barh(range(TRIADS), pitches.triads[best], color=THIRD)
    right.set_yticks(range(TRIADS), [TRIAD_NAMES[at] for at in best])
    label(right, "triads, share of the time", "", "")
    print(
        f"key: {made.key} {made.mode}, {made.cents:+.1f} cents; tuning found {pitches.tuning_cents:+.1f}"
    )
    save(figure, "key")
