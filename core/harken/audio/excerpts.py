"""What the fingerprint listens to: a short recording whole, pieces of a long one.

Sounds are told apart within seconds, and hours must not cost more than minutes. So a recording of
up to 19 s is kept as it is. Of a longer one every second, fourth, eighth … piece of 1.5 s stays,
evenly spread from the beginning, and the loudest piece too: an hour of silence around one clap is
a clap. Which pieces stay depends on nothing but the signal.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME, HOP, Floats, SpectrumBlock
from harken.audio.padding import with_zeros

FINE_FRAME: Final = 512  # samples, 23 ms: the length over which speech stands still
FINE_HOP: Final = 128  # samples, 6 ms: a drum's attack takes one to three of them
PIECE_FRAMES: Final = 256
PIECE: Final = (PIECE_FRAMES - 1) * FINE_HOP + FINE_FRAME  # samples, 1.5 s
MOST_PIECES: Final = 12  # 18 s; and one that is not yet full
LEAST_PEAK: Final = 1e-5  # -100 dBFS; whatever stays below is silence
AUDIBLE: Final = np.float32(0.01)  # of the peak, -40 dB: where a sound is taken to begin and end
ONSET_SPAN: Final = 64  # samples, 3 ms
FRAME_OVERLAP: Final = FRAME - HOP  # samples that two blocks of frames share


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """Stretches of the mono signal, shape (stretches, samples)."""

    stretches: Floats
    whole: bool  # the one stretch is the whole recording

    def around(self, size: int) -> Floats:
        """The stretches under frames of `size` samples, the first of which begin with them.

        A whole recording has zeros around it, so that the first frame is around its first sample;
        what is around the stretches of a cut one is not known.
        """
        return with_zeros(self.stretches, size // 2, size // 2) if self.whole else self.stretches


def heard(excerpt: Excerpt) -> Excerpt | None:
    """A whole recording without the silence before and after; None for nothing but silence.

    To the sample, so that the frames of a hit begin with it, wherever its file begins. A long
    recording loses its silent stretches; if a single one is heard, that is the recording.
    """
    level = np.abs(excerpt.stretches)
    peak = level.max(initial=0.0)
    if peak <= LEAST_PEAK:
        return None
    loud = excerpt.stretches[level.max(axis=1) > AUDIBLE * peak]
    if loud.shape[0] > 1:
        return Excerpt(stretches=loud, whole=False)
    # Over 3 ms: a single sample would cross the line here or there by the rounding of 16 bits.
    total = np.cumsum(with_zeros(loud[0] ** 2, ONSET_SPAN, ONSET_SPAN - 1), dtype=np.float64)
    energy = total[ONSET_SPAN:] - total[:-ONSET_SPAN]  # of the span that ends with each sample
    audible = energy > AUDIBLE**2 * energy.max()
    # The first sample with enough behind it, the last with enough before it.
    start = int(audible.argmax())
    end = max(start + 1, loud.shape[1] - int(audible[::-1].argmax()))
    return Excerpt(stretches=loud[:, start:end], whole=True)


class Excerpts:
    """Collects the excerpt of a recording from its spectrum's blocks."""

    def __init__(self) -> None:
        self._piece: Floats = np.empty(PIECE, dtype=np.float32)
        self._filled = 0  # samples of it
        self._after: Floats = np.zeros(
            0, dtype=np.float32
        )  # belong to the next block, if there is one
        self._pieces: dict[int, Floats] = {}
        self._count = 0
        self._every = 1
        self._loudest: tuple[float, int, Floats] = (-1.0, 0, self._after)

    def add(self, block: SpectrumBlock) -> None:
        """Take in the samples that begin under the next block's frames."""
        inside = block.signal.shape[0] - block.tail
        # Frames overlap: the samples after the last hop come again with the next block.
        new = min(inside, block.signal.shape[0] - FRAME_OVERLAP)
        self._after = block.signal[max(new, block.lead) : inside].copy()
        self._push(block.signal[block.lead : new])

    def finish(self) -> Excerpt:
        """What was kept; the rest of the samples counts as a piece of its own."""
        self._push(self._after)
        last = self._piece[: self._filled]
        if self._every == 1:
            return Excerpt(
                stretches=np.concatenate([*self._pieces.values(), last])[None], whole=True
            )
        self._keep(with_zeros(last, 0, PIECE - last.shape[0]))
        _, at, piece = self._loudest
        chosen = {**self._pieces, at: piece}
        return Excerpt(stretches=np.stack([chosen[n] for n in sorted(chosen)]), whole=False)

    def _push(self, signal: Floats) -> None:
        while signal.shape[0] > 0:
            taken = signal[: PIECE - self._filled]
            self._piece[self._filled : self._filled + taken.shape[0]] = taken
            self._filled += taken.shape[0]
            signal = signal[taken.shape[0] :]
            if self._filled == PIECE:
                self._keep(self._piece)
                self._filled = 0

    def _keep(self, piece: Floats) -> None:
        energy = float(piece @ piece)
        if energy > self._loudest[0]:
            self._loudest = (energy, self._count, piece.copy())
        if self._count % self._every == 0:
            self._pieces[self._count] = piece.copy()
        self._count += 1
        if len(self._pieces) > MOST_PIECES:
            self._every *= 2
            self._pieces = {n: kept for n, kept in self._pieces.items() if n % self._every == 0}
