"""`harken workers` and `harken queues`: who works, and what waits."""

from collections.abc import Iterator

import click

from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.table import table
from harken.client.cli.text import NOTHING, age, ago, plain
from harken.client.worker import Probe, Queue, Worker


@click.command()
@click.option("--deep", is_flag=True, help="Ask each of them through Celery too.")
@shared_options
@pass_session
def workers(session: Session, deep: bool) -> None:
    """Show the workers of the last day.

    That is what the database knows of them. With --deep each is asked what it does now, which needs
    the broker: one that is online and does not answer hangs, or is cut off from the broker.
    """
    with session.connect() as client:
        found = client.inspect_workers(deep=deep)
    if deep and found and all(worker.probe is None for worker in found):
        click.echo("The broker does not answer: the workers could not be asked.", err=True)
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
    for worker in found:
        if worker.probe is not None:
            click.echo()
            for line in _probe_lines(worker.name, worker.probe):
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


def _probe_lines(name: str, probe: Probe) -> Iterator[str]:
    if not probe.answered:
        yield f"{plain(name)} does not answer."
        return
    yield f"{plain(name)} answers. Pool: {' '.join(map(str, probe.pool_pids)) or NOTHING}"
    for task in probe.active_tasks:
        since = ago(task.start_time)
        yield f"  {plain(task.name)} {plain(task.task_id)} in process {task.pid} for {since}"


def _queue_row(queue: Queue) -> tuple[str, ...]:
    return (
        plain(queue.name),
        f"{queue.queued:,}",
        f"{queue.running:,}",
        age(queue.oldest_age),
        str(queue.workers),
    )
