"""What is wrong with a history."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.chaos.history import History


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A promise that was not kept: which, on what (a job, a watch, a part), and what was seen."""

    promise: str
    what: str  # lost, unexpected, duplicated, …: a word to search for
    subject: str
    seen: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}: {self.subject}: {self.seen}"


Check = Callable[[History], Iterator[Violation]]


def of(promise: str) -> Callable[[str, str, str], Violation]:
    """Makes violations of one promise."""

    def violation(what: str, subject: str, seen: str) -> Violation:
        return Violation(promise=promise, what=what, subject=subject, seen=seen)

    return violation
