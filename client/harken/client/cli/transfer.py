"""Showing how a file goes over the line; nothing is shown before its first byte does."""

from types import TracebackType
from typing import Self

from harken.client.cli.session import Session
from harken.client.cli.view import View, view_for


class Transfer:
    """The view of one file's way, an "upload" or a "download", begun when it is needed."""

    def __init__(self, session: Session, title: str, way: str) -> None:
        self._session = session
        self._title = title
        self._way = way
        self._view: View | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._view is not None:
            self._view.__exit__(kind, error, trace)

    def moved(self, done: int, size: int) -> None:
        """So many of so many bytes were moved."""
        if self._view is None:
            self._view = view_for(self._session, self._title)
            self._view.__enter__()
        self._view.transfer(self._way, done, size)
