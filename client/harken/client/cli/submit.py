"""`harken submit`: one job for each file."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import click

from harken.client import errors
from harken.client.batch import Batch
from harken.client.cli import exit_codes
from harken.client.cli.failure import failure_of
from harken.client.cli.folders import is_folder, submit_folder
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
from harken.client.cli.text import plain
from harken.client.cli.transfer import Transfer
from harken.client.cli.watching import follow_batches, follow_job
from harken.client.enums import Feature
from harken.client.job import URIS, Job
from harken.client.options import Options
from harken.client.upload import UploadWhen


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE_OR_PLACE...")
@features_option
@priority_option
@label_option
@schedule_timeout_option
@run_timeout_option
@skip_cache_option
@feature_options
@click.option("--all-files", is_flag=True, help="Of a directory every file, whatever its name.")
@click.option(
    "--upload",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Send the files themselves: where the server cannot see them, always, or never.",
)
@click.option("--watch", is_flag=True, help="Follow each job to its end and show what was found.")
@shared_options
@pass_session
def submit(
    session: Session,
    files: tuple[str, ...],
    features: tuple[Feature, ...] | None,
    priority: int | None,
    labels: Mapping[str, str],
    schedule_timeout: timedelta | None,
    run_timeout: timedelta | None,
    skip_cache: bool,
    options: Options | None,
    all_files: bool,
    upload: UploadWhen,
    watch: bool,
) -> None:
    """Submit sound or video files to be analysed.

    Each file becomes a job. What is below one of the server's media roots it reads itself; other
    files are sent to it. An address, https://… or s3://…, is fetched by a worker.

    A directory, a pattern such as 'music/**/*.flac', or s3://BUCKET/PREFIX/ is listed by the server
    and submitted as batches of up to 10,000 files.
    """
    jobs: list[Job] = []
    batches: list[Batch] = []
    code = exit_codes.DONE
    with session.connect() as client:
        for file in files:
            try:
                if is_folder(file):
                    made, complete = submit_folder(
                        client,
                        session,
                        file,
                        every_name=all_files,
                        features=features,
                        priority=priority,
                        labels=labels,
                        schedule_timeout=schedule_timeout,
                        run_timeout=run_timeout,
                        skip_cache=skip_cache,
                        options=options,
                    )
                    batches += made
                    code = code if complete else exit_codes.JOB_FAILED
                    continue
                with Transfer(session, os.path.basename(file), "upload") as transfer:
                    handle = client.submit(
                        file if file.lower().startswith(URIS) else Path(file),
                        features=features,
                        priority=priority,
                        labels=labels,
                        schedule_timeout=schedule_timeout,
                        run_timeout=run_timeout,
                        skip_cache=skip_cache,
                        options=options,
                        upload=upload,
                        on_upload=transfer.moved,
                    )
            except errors.RequestRefused as error:
                failure = failure_of(error, client.target, file)
                click.echo(f"{_named(file)}: {failure}", err=True)
                code = failure.exit_code
                if session.debug:
                    raise
                continue
            jobs.append(handle.job)
            if not watch:
                _show_submitted(session, handle.job, file)
        if watch:
            for job in jobs:
                code = follow_job(client, session, job) or code
            if batches:
                code = follow_batches(client, session, batches, _title(files)) or code
    raise click.exceptions.Exit(code)


def _title(files: tuple[str, ...]) -> str:
    return os.path.basename(files[0].rstrip("/")) if len(files) == 1 else "files"


def _named(file: str) -> str:
    """The file as it is shown: an address without what may be a secret, its user and its query."""
    if not file.lower().startswith(URIS):
        return plain(file)
    return plain(re.sub(r"//[^/]*@", "//", file.partition("?")[0]))


def _show_submitted(session: Session, job: Job, file: str) -> None:
    if session.as_json:
        session.emit(job)
    else:
        click.echo(f"{job.job_id}  {_named(file)}")
