"""`harken audit`: who retried, dismissed or cancelled what."""

from itertools import islice

import click

from harken.client.action import Action
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.table import table
from harken.client.cli.text import local_time, plain

_PAGE_SIZE = 200


@click.command()
@click.argument("action_id", required=False, metavar="[ACTION_ID]")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="At most so many actions.",
)
@shared_options
@pass_session
def audit(session: Session, action_id: str | None, limit: int) -> None:
    """Show what was done to jobs, and by whom.

    Of an ACTION_ID all jobs are shown, with what became of them.
    """
    with session.connect() as client:
        if action_id is not None:
            _show_one(session, client.get_action(action_id))
            return
        found = list(islice(client.list_actions(page_size=min(limit, _PAGE_SIZE)), limit))
    if session.as_json:
        for action in found:
            session.emit(action)
        return
    if not found:
        click.echo("Nothing was retried, dismissed or cancelled by the batch.", err=True)
        return
    head = ("ACTION", "TIME", "WHAT", "DONE", "REFUSED", "BY", "REQUEST")
    for line in table(head, map(_row, found)):
        click.echo(line)


def _show_one(session: Session, action: Action) -> None:
    if session.as_json:
        session.emit(action)
        return
    for line in table(
        ("ACTION", "TIME", "WHAT", "DONE", "REFUSED", "BY", "REQUEST"), [_row(action)]
    ):
        click.echo(line)
    click.echo()
    rows = [(each.job_id, each.new_job_id or "", each.reason) for each in action.outcomes]
    for line in table(("JOB", "NEW JOB", "REFUSED"), rows):
        click.echo(line)


def _row(action: Action) -> tuple[str, ...]:
    return (
        action.action_id,
        local_time(action.time),
        action.kind.lower().replace("_", " "),
        f"{action.done_count:,}",
        f"{action.refused_count:,}",
        plain(f"{action.actor} {action.peer}"),
        plain(action.request),
    )
