"""`harken watch`: follow what was submitted before."""

import click

from harken.client.cli import exit_codes
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.target import find
from harken.client.cli.watching import follow_batches, follow_job
from harken.client.job import Job


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="JOB_OR_BATCH_ID...")
@click.option("--items", is_flag=True, help="Tell what happens to each job of a batch too.")
@shared_options
@pass_session
def watch(session: Session, ids: tuple[str, ...], items: bool) -> None:
    """Follow a job or a batch to its end.

    One that has ended already is shown at once. Ctrl-C ends the watch, not the work.
    """
    code = exit_codes.DONE
    with session.connect() as client:
        for target in [find(client, target_id) for target_id in ids]:
            if isinstance(target, Job):
                code = follow_job(client, session, target) or code
            else:
                code = follow_batches(client, session, [target], "batch", items=items) or code
    raise click.exceptions.Exit(code)
