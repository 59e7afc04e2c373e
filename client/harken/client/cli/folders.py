"""Folders, patterns and buckets, which `harken submit` has the server list and submits as batches."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from harken.client import errors
from harken.client.batch import Batch
from harken.client.cli.failure import hint_for
from harken.client.cli.session import Session
from harken.client.cli.text import count, plain
from harken.client.enums import Feature
from harken.client.folder import portions
from harken.client.job import BUCKETS, URIS, Source
from harken.client.options import Options

if TYPE_CHECKING:  # both bring gRPC, which `harken --help` has no use for
    from harken.client import Client
    from harken.client.handle import BatchHandle

_WILD = re.compile(r"[*?\[]")
MOST_TOLD = 20  # refusals of a batch; `harken batch` lists all


def is_folder(text: str) -> bool:
    """Whether an argument names many files: a folder, a pattern, or a prefix of a bucket."""
    if text.lower().startswith(BUCKETS):
        return text.endswith("/") or text.count("/") < 3 or bool(_WILD.search(text))
    if text.lower().startswith(URIS):
        return False
    return os.path.isdir(text) or (
        not os.path.lexists(text) and (text.endswith("/") or bool(_WILD.search(text)))
    )


def as_the_server_sees_it(text: str) -> str:
    """The argument for the server: what begins in a folder of this machine, by its absolute path."""
    if text.lower().startswith(BUCKETS) or os.path.isabs(text):
        return text
    wild = _WILD.search(text)
    folder = text[: text.rfind("/", 0, wild.start()) + 1] if wild else text
    return os.path.abspath(text) if os.path.isdir(folder or ".") else text


def submit_folder(
    client: "Client",
    session: Session,
    text: str,
    *,
    every_name: bool,
    features: tuple[Feature, ...] | None,
    priority: int | None,
    labels: Mapping[str, str],
    schedule_timeout: timedelta | None,
    run_timeout: timedelta | None,
    skip_cache: bool,
    options: Options | None,
) -> tuple[list[Batch], bool]:
    """Submits what a place holds and shows it; the batches, and whether all of it was accepted.

    Raises errors.RequestRefused for a place that cannot be listed, and NotFound for one that holds nothing.
    """
    listed = client.media.sources(
        as_the_server_sees_it(text),
        every_name=every_name,
        on_unreadable=lambda folder: click.echo(f"{plain(folder)}: cannot be read", err=True),
    )
    handles: list[BatchHandle] = []
    for portion in portions(listed):
        handle = client.submit_batch(
            portion,
            features=features,
            priority=priority,
            labels=labels,
            schedule_timeout=schedule_timeout,
            run_timeout=run_timeout,
            skip_cache=skip_cache,
            options=options,
        )
        handles.append(handle)
        _show(session, handle, portion)
    if not handles:
        hint = "" if every_name else " Take every file with: --all-files"
        message = f"The server finds no sound or video files there.{hint}"
        raise errors.NotFound(message, reason="NOTHING_THERE")
    if len(handles) > 1 and not session.as_json:
        total = sum(handle.batch.total for handle in handles)
        click.echo(
            f"{plain(text)}: {count(total, 'file')} in {count(len(handles), 'batch', 'batches')}"
        )
    batches = [handle.batch for handle in handles if handle.batch.total]
    return batches, not any(handle.failed_items for handle in handles)


def _show(session: Session, handle: "BatchHandle", portion: list[Source]) -> None:
    if session.as_json:
        session.emit(handle.batch)
    else:
        accepted = count(handle.batch.total, "file")
        click.echo(f"{handle.batch_id}  {accepted} accepted, {len(handle.failed_items):,} refused")
    for item in handle.failed_items[:MOST_TOLD]:
        place = str(portion[item.index])
        if session.as_json:
            fields = {"reason": item.reason, "message": item.message, "place": plain(place)}
            session.emit_data({"failed_item": fields})
        else:
            click.echo(f"{plain(place)}: refused: {plain(item.message)} ({item.reason})")
            if hint := hint_for(item.reason, place):
                click.echo(hint, err=True)
