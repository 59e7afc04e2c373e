"""What is submitted: a file and what is wanted of it."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

POISON = "poison.wav"  # whoever works on it is killed by the harness


@dataclass(frozen=True, kw_only=True)
class Work:
    """A file, features and a priority."""

    path: str
    features: tuple[str, ...]
    priority: int = 5

    def __str__(self) -> str:
        return f"{self.path} {'+'.join(self.features)} {self.priority}"


# Moments of work, with the odd file that is broken, missing in the middle, or takes seconds.
SHORT = (("piece.mp3", "media"), ("piece.flac", "media"), ("piece.flac", "loudness"))
BROKEN = ("broken.wav", "media")
LONG = (("20-minutes.wav", "rhythm"), ("20-minutes.wav", "spectral"))


def short(chance: Random) -> Work:
    """Work that takes a moment."""
    return _work(chance.choice(SHORT), chance)


def any_work(chance: Random) -> Work:
    """Mostly short, sometimes broken, sometimes long."""
    kind = chance.random()
    if kind < 0.12:
        return _work(BROKEN, chance)
    if kind < 0.27:
        return _work(chance.choice(LONG), chance)
    return short(chance)


def poison() -> Work:
    """Work that kills."""
    return Work(path=POISON, features=("rhythm",), priority=9)


def fill(folder: Path, media: Path) -> None:
    """Fills a media root with the files of another one, and poison."""
    for file in media.iterdir():
        (folder / file.name).hardlink_to(file)
    (folder / POISON).hardlink_to(media / "3-hours.wav")


def _work(what: tuple[str, str], chance: Random) -> Work:
    path, feature = what
    return Work(path=path, features=(feature,), priority=chance.choice((1, 5, 5, 5, 9)))
