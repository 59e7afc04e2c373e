"""`harken workers` and `harken queues`: who works, and what waits."""

import click

from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.table import table
from harken.client.cli.text import age, ago, plain
from harken.client.worker import Queue, Worker


@click.command()
@shared_options
@pass_session
def workers(session: Session) -> None:
    """Show the workers of the last day."""
    with session.connect() as client:
        found = client.inspect_workers()
    if session.as_json:
        for worker in found:
            session.emit(worker)
        return
    if not found:
        click.echo("No worker has beaten for a day. Start one with: harken worker", err=True)
        return
    head = ("WORKER", "STATUS", "JOBS", "DONE", "UP", "SEEN", "VERSION", "QUEUES")
    for line in table(head, map(_worker_row, found)):
        click.echo(line)


@click.command()
@shared_options
@pass_session
def queues(session: Session) -> None:
    """Show the queues and what waits in them."""
    with session.connect() as client:
        found = client.list_queues()
    if session.as_json:
        for queue in found:
            session.emit(queue)
        return
    head = ("QUEUE", "QUEUED", "RUNNING", "OLDEST", "WORKERS")
    for line in table(head, map(_queue_row, found)):
        click.echo(line)


def _worker_row(worker: Worker) -> tuple[str, ...]:
    return (
        plain(worker.name),
        worker.status.lower(),
        f"{len(worker.running_jobs)}/{worker.concurrency}",
        f"{worker.jobs_done:,}",
        ago(worker.start_time),
        f"{age(worker.age)} ago",
        plain(worker.version),
        plain(",".join(worker.queues)),
    )


def _queue_row(queue: Queue) -> tuple[str, ...]:
    return (
        plain(queue.name),
        f"{queue.queued:,}",
        f"{queue.running:,}",
        age(queue.oldest_age),
        str(queue.workers),
    )
