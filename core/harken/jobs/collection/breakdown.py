"""Names of many jobs or results, counted as they come."""

from collections.abc import Iterable, Sequence
from typing import Any

# Codecs, reasons and rates are far fewer; the others are counted together, so that memory is bounded whatever comes.
MOST_NAMES = 200
LONGEST_NAME = 100  # characters


class Breakdown:
    """How often each name occurs; `names` are there from the beginning, and in that order."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._fixed = bool(names)
        self._counts: dict[str, int] = dict.fromkeys(names, 0)
        self._seconds: dict[str, float] = dict.fromkeys(names, 0.0)
        self._with = 0
        self._none = 0
        self._other = 0

    def add(self, names: Iterable[object], duration_s: float = 0.0) -> None:
        """Counts the names of one job or result, each once; None is no name."""
        texts = {str(name)[:LONGEST_NAME]: None for name in names if name is not None}
        if not texts:
            self._none += 1
            return
        self._with += 1
        for text in texts:
            if text not in self._counts and len(self._counts) >= MOST_NAMES:
                self._other += 1
                continue
            self._counts[text] = self._counts.get(text, 0) + 1
            self._seconds[text] = self._seconds.get(text, 0.0) + duration_s

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the contract's names."""
        names = list(self._counts)
        if not self._fixed:
            names.sort(key=lambda name: (-self._counts[name], name))
        return {
            "count": self._with,
            "none_count": self._none,
            "shares": [
                {"name": name, "count": self._counts[name], "duration_s": self._seconds[name]}
                for name in names
            ],
            "other_count": self._other,
        }
