"""`harken submit`: one job for each file."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import click

from harken.client import errors
from harken.client.cli import exit_codes
from harken.client.cli.failure import failure_of
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
from harken.client.cli.watching import follow_job
from harken.client.enums import Feature
from harken.client.job import Job
from harken.client.upload import UploadWhen


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@features_option
@priority_option
@label_option
@schedule_timeout_option
@run_timeout_option
@skip_cache_option
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
    upload: UploadWhen,
    watch: bool,
) -> None:
    """Submit sound or video files to be analysed.

    Each file becomes a job. What is below one of the server's media roots it reads itself; other
    files are sent to it.
    """
    for file in files:
        if os.path.isdir(file):
            raise click.UsageError(f"{plain(file)} is a directory. Use: harken batch {plain(file)}")
    jobs: list[Job] = []
    code = exit_codes.DONE
    with session.connect() as client:
        for file in files:
            try:
                with Transfer(session, os.path.basename(file)) as transfer:
                    handle = client.submit(
                        Path(file),
                        features=features,
                        priority=priority,
                        labels=labels,
                        schedule_timeout=schedule_timeout,
                        run_timeout=run_timeout,
                        skip_cache=skip_cache,
                        upload=upload,
                        on_upload=transfer.moved,
                    )
            except errors.RequestRefused as error:
                failure = failure_of(error, client.target, file)
                click.echo(f"{plain(file)}: {failure}", err=True)
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
    raise click.exceptions.Exit(code)


def _show_submitted(session: Session, job: Job, file: str) -> None:
    if session.as_json:
        session.emit(job)
    else:
        click.echo(f"{job.job_id}  {plain(file)}")
