"""Taking turns: A B C A B C …, so that whatever slows the machine slows all of them."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from benchmarks.engine.contender import PEERS, Contender

# A process that has waited for the others finds its memory and the processor's caches cold: a short run would measure
# that, not the work. A worker goes from file to file.
TURN_S: Final = 1.0  # CPU seconds, at least


class Field:
    """The contenders that take part, and why others do not; use `with`."""

    def __init__(self, names: Iterable[str], *, alone: bool) -> None:
        self._stack = ExitStack()
        self.absent: dict[str, str] = {}
        self.present: dict[str, Contender] = {}
        for name in names:
            if alone and name in PEERS:
                self.absent[name] = "left out by --alone"
                continue
            contender = self._stack.enter_context(Contender(name))
            if contender.missing:
                self.absent[name] = f"{contender.missing}: make bench-engine brings it"
            else:
                self.present[name] = contender

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *of_an_error: object) -> None:
        self._stack.close()


def interleaved(
    contenders: Mapping[str, Contender], path: Path, rounds: int
) -> dict[str, list[float]]:
    """CPU seconds that each took for a file, in `rounds` rounds after one that is not counted.

    In its turn a contender runs until it has spent TURN_S; the median of these runs counts.
    """
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            turn: list[float] = []
            while sum(turn) < TURN_S:
                turn.append(contender.cpu_s(path))
            if number > 0:
                spent[name].append(statistics.median(turn))
    return spent


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The ratio of two medians."""
    return statistics.median(over) / statistics.median(under)
