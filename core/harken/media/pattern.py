"""Patterns of paths as shells know them: `*`, `?` and `[…]` within a name, `**` for any folders in between.

A pattern is matched name by name on the way down, so that folders in which nothing can match are not entered. As in
shells, names that begin with a dot are matched only by patterns that do.
"""

import re
from dataclasses import dataclass
from fnmatch import translate
from typing import Final, Self

_WILD: Final = re.compile(r"[*?\[]")
_ANY_FOLDERS: Final = "**"

Places = frozenset[int]
"""Where in a pattern the names so far may have led to."""


@dataclass(frozen=True)
class Pattern:
    """What a path below a folder has to look like; `hidden` lets `*` and `**` match names with a dot as well."""

    parts: tuple[re.Pattern[str] | None, ...]
    hidden: bool

    @classmethod
    def of(cls, text: str, *, hidden: bool = False) -> Self:
        """The pattern of a text such as "**/*.flac"; of none, every file below."""
        names = [name for name in text.split("/") if name] or [_ANY_FOLDERS]
        if names[-1] == _ANY_FOLDERS:
            names.append("*")
        return cls(
            tuple(None if name == _ANY_FOLDERS else _compiled(name, hidden) for name in names),
            hidden,
        )

    @property
    def start(self) -> Places:
        """Before the first name."""
        return self._with_skipped({0})

    def after(self, places: Places, name: str) -> Places:
        """Where one more name leads to; nowhere when nothing below it can match."""
        found: set[int] = set()
        for place in places:
            if place == len(self.parts):
                continue
            part = self.parts[place]
            if part is None:
                if self.hidden or not name.startswith("."):
                    found.add(place)
            elif part.fullmatch(name):
                found.add(place + 1)
        return self._with_skipped(found)

    def goes_on(self, places: Places) -> bool:
        """Whether a folder that led there may hold what matches."""
        return any(place < len(self.parts) for place in places)

    def ends(self, places: Places) -> bool:
        """Whether a file that led there matches."""
        return len(self.parts) in places

    def matches(self, path: str) -> bool:
        """Whether a whole path matches."""
        places = self.start
        for name in path.split("/"):
            places = self.after(places, name)
        return self.ends(places)

    def _with_skipped(self, places: set[int]) -> Places:
        """With the places behind `**`, which may stand for no folder at all."""
        for place in sorted(places):
            at = place
            while at < len(self.parts) and self.parts[at] is None:
                at += 1
                places.add(at)
        return frozenset(places)


def split_place(place: str) -> tuple[str, str]:
    """The folder that a place names, and the pattern of what is wanted below; the latter is empty without one."""
    wild = _WILD.search(place)
    if wild is None:
        return place, ""
    cut = place.rfind("/", 0, wild.start()) + 1
    return place[:cut], place[cut:]


def _compiled(name: str, hidden: bool) -> re.Pattern[str]:
    visible = "" if hidden or name.startswith(".") else r"(?!\.)"
    return re.compile(visible + translate(name))
