"""A source's bytes on their way here: what every kind of remote source gives to `fetch`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The blocks of an answer that has begun; `size` is what was announced, None where nothing was."""

    size: int | None
    blocks: Iterator[bytes]


@dataclass
class Cut:
    """The way to end a stream from another thread, which may wait for it in vain; `act` is set once there is one."""

    act: Callable[[], None] | None = None
    wanted: bool = False

    def take(self, act: Callable[[], None]) -> None:
        """Says how to end it; that is done at once where it was wanted before."""
        self.act = act
        if self.wanted:
            act()

    def now(self) -> None:
        """Ends it."""
        self.wanted = True
        if self.act is not None:
            self.act()
