"""`harken cancel`: stop what was submitted."""

from typing import TYPE_CHECKING

import click

from harken.client import errors
from harken.client.batch import Batch
from harken.client.cli import exit_codes
from harken.client.cli.failure import failure_of
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.target import find
from harken.client.cli.text import count, plain
from harken.client.job import Job

if TYPE_CHECKING:
    from harken.client.sync import Client


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="JOB_OR_BATCH_ID...")
@shared_options
@pass_session
def cancel(session: Session, ids: tuple[str, ...]) -> None:
    """Cancel jobs and batches.

    A queued job never starts; a running one stops as soon as its worker hears of it. What has
    ended stays as it is.
    """
    code = exit_codes.DONE
    with session.connect() as client:
        for target_id in ids:
            try:
                after = _cancel(client, find(client, target_id))
            except errors.RequestRefused as error:
                failure = failure_of(error, client.target)
                click.echo(f"{plain(target_id)}: {failure}", err=True)
                code = failure.exit_code
                if session.debug:
                    raise
                continue
            if session.as_json:
                session.emit(after)
            else:
                click.echo(f"{target_id}  {_state(after)}")
    raise click.exceptions.Exit(code)


def _cancel(client: "Client", target: Job | Batch) -> Job | Batch:
    if isinstance(target, Job):
        return client.cancel_job(target)
    return client.cancel_batch(target)


def _state(target: Job | Batch) -> str:
    if isinstance(target, Job):
        return target.state.lower()
    return (
        f"{count(target.cancelled, 'job')} cancelled, {target.running:,} stopping, "
        f"{target.succeeded + target.failed:,} had ended"
    )
