"""`harken batch`: many files at once."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

import click

from harken.client.batch import FailedItem
from harken.client.cli import exit_codes
from harken.client.cli.audio_files import find_files
from harken.client.cli.failure import hint_for
from harken.client.cli.options import feature_options
from harken.client.cli.params import (
    features_option,
    label_option,
    priority_option,
    run_timeout_option,
    schedule_timeout_option,
    skip_cache_option,
)
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.text import count, plain
from harken.client.cli.watching import follow_batches
from harken.client.enums import Feature
from harken.client.handle import BatchHandle
from harken.client.options import Options

MAX_ITEMS = 10_000
"""Items that the server takes in one batch."""
MAX_PATH_BYTES = 16 * 1024 * 1024
"""Bytes of paths in one batch: half of the server's message limit, for what stands around them."""


@click.command()
@click.argument("places", nargs=-1, required=True, type=click.Path(), metavar="DIR_OR_FILE...")
@features_option
@priority_option
@label_option
@schedule_timeout_option
@run_timeout_option
@skip_cache_option
@feature_options
@click.option("--all-files", is_flag=True, help="Take every file, whatever its name.")
@click.option("--watch", is_flag=True, help="Follow the whole to its end and list what failed.")
@shared_options
@pass_session
def batch(
    session: Session,
    places: tuple[str, ...],
    features: tuple[Feature, ...] | None,
    priority: int | None,
    labels: Mapping[str, str],
    schedule_timeout: timedelta | None,
    run_timeout: timedelta | None,
    skip_cache: bool,
    options: Options | None,
    all_files: bool,
    watch: bool,
) -> None:
    """Submit many files, or all sound and video files below directories.

    What cannot be accepted is listed and stops none of the others. More than 10,000 files become
    several batches.
    """
    try:
        files = list(find_files(places, every=all_files))
    except OSError as error:
        raise click.UsageError(f"{plain(str(error.filename))}: {error.strerror}") from error
    if not files:
        hint = "" if all_files else " Take every file with: --all-files"
        raise click.UsageError(f"No sound or video files below {plain(' '.join(places))}.{hint}")
    refused = False
    handles: list[BatchHandle] = []
    with session.connect() as client:
        for chunk in chunks(files):
            handle = client.submit_batch(
                chunk,
                features=features,
                priority=priority,
                labels=labels,
                schedule_timeout=schedule_timeout,
                run_timeout=run_timeout,
                skip_cache=skip_cache,
                options=options,
            )
            handles.append(handle)
            refused = refused or bool(handle.failed_items)
            _show_submitted(session, handle, chunk)
        code = exit_codes.JOB_FAILED if refused else exit_codes.DONE
        batches = [handle.batch for handle in handles if handle.batch.total]
        if watch and batches:
            title = os.path.basename(os.path.abspath(places[0])) if len(places) == 1 else "batch"
            code = follow_batches(client, session, batches, title) or code
    raise click.exceptions.Exit(code)


def chunks(paths: Iterable[str]) -> Iterator[list[str]]:
    """The paths in portions that fit into one batch each."""
    chunk: list[str] = []
    size = 0
    for path in paths:
        bytes_of_path = len(os.fsencode(path))
        if chunk and (len(chunk) == MAX_ITEMS or size + bytes_of_path > MAX_PATH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(path)
        size += bytes_of_path
    if chunk:
        yield chunk


def _show_submitted(session: Session, handle: BatchHandle, paths: list[str]) -> None:
    if session.as_json:
        session.emit(handle.batch)
    else:
        accepted = count(handle.batch.total, "file")
        click.echo(f"{handle.batch_id}  {accepted} accepted, {len(handle.failed_items):,} refused")
    hints: dict[str, None] = {}
    for item in handle.failed_items:
        path = paths[item.index]
        if session.as_json:
            session.emit_data({"failed_item": _with_path(item, path)})
            continue
        click.echo(f"{plain(path)}: refused: {plain(item.message)} ({item.reason})")
        if hint := hint_for(item.reason, path):
            hints[hint] = None
    for hint in list(hints)[:3]:
        click.echo(hint, err=True)


def _with_path(item: FailedItem, path: str) -> dict[str, object]:
    """The item with its path, since an index into what a directory held says little."""
    return {
        "index": item.index,
        "reason": item.reason,
        "message": item.message,
        "path": plain(path),
    }
