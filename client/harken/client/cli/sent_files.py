"""Files of this machine that the server cannot see: they are sent to it, a few at a time, and submitted as uploads.

An upload has the id that its content and name make. So whoever begins again after an end of any kind goes on where each
file stands: what is there is not sent again.
"""

import os
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import click

from harken.client import errors
from harken.client.batch import FailedItem
from harken.client.cli.session import Session
from harken.client.cli.text import plain
from harken.client.cli.transfer import Transfer
from harken.client.job import Source

if TYPE_CHECKING:  # it brings gRPC, which `harken --help` has no use for
    from harken.client import Client

AT_ONCE: Final = 4
"""Files that are on their way at a time: one alone waits for answers more than for the line."""
UNSEEN: Final = frozenset({"SOURCE_OUTSIDE_ROOTS", "SOURCE_NOT_FOUND"})
"""Why the server refuses a path that may name a file here all the same."""


def unseen(
    refused: Collection[FailedItem], paths: Sequence[str]
) -> tuple[list[str], list[FailedItem]]:
    """Of the refused those files of this machine that the server cannot see, and the refusals of the others."""
    here = [item for item in refused if item.reason in UNSEEN and _is_readable(paths[item.index])]
    return [paths[item.index] for item in here], [item for item in refused if item not in here]


def send(
    client: "Client", session: Session, paths: Sequence[str]
) -> tuple[list[str], list[Source]]:
    """Sends files; those that were sent, and their sources, in order. What cannot be sent is told.

    Raises errors that another file would meet too, as when the server is away for good.
    """
    progress = _Progress(session, paths)
    with progress, ThreadPoolExecutor(AT_ONCE, thread_name_prefix="upload") as threads:
        outcomes = [threads.submit(_send_one, client, path, progress) for path in paths]
        try:
            sent = [outcome.result() for outcome in outcomes]
        except BaseException:
            for outcome in outcomes:
                outcome.cancel()
            raise
    found: list[tuple[str, Source]] = []
    for path, one in zip(paths, sent, strict=True):
        if isinstance(one, errors.RequestRefused):
            click.echo(f"{plain(path)}: not sent: {plain(one.message)} ({one.reason})", err=True)
        else:
            found.append((path, one))
    return [path for path, _ in found], [source for _, source in found]


class _Progress:
    """How much of all files is there, from several threads."""

    def __init__(self, session: Session, paths: Sequence[str]) -> None:
        self._view = Transfer(session, f"{len(paths):,} files", "upload")
        self._sizes = {path: _size(path) for path in paths}
        self._sent = dict.fromkeys(paths, 0)
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._view.__enter__()

    def __exit__(self, *raised: object) -> None:
        self._view.__exit__(None, None, None)

    def moved(self, path: str, sent: int) -> None:
        """So much of a file was sent, or was there."""
        with self._lock:
            self._sent[path] = min(sent, self._sizes[path])
            self._view.moved(sum(self._sent.values()), sum(self._sizes.values()))


def _send_one(client: "Client", path: str, progress: _Progress) -> Source | errors.RequestRefused:
    try:
        upload = client.media.upload(
            path, by_content=True, on_progress=lambda sent, _: progress.moved(path, sent)
        )
    except (errors.InvalidRequest, errors.LimitExceeded) as error:
        return error
    return Source(upload_id=upload.upload_id)


def _is_readable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.R_OK)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
