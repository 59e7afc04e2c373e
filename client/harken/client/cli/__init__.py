"""The command line `harken`: submit files, watch them, see what was found.

Each command is a module of its own. What a command prints goes to stdout, what it says about its
work to stderr. Exit codes: `exit_codes`.
"""

import os
import sys
from typing import Any

import click

from harken.client.cli import exit_codes
from harken.client.cli.audit import audit
from harken.client.cli.batch import batch
from harken.client.cli.cancel import cancel
from harken.client.cli.completion import completion
from harken.client.cli.download import download
from harken.client.cli.export import export
from harken.client.cli.group import HarkenGroup
from harken.client.cli.jobs import dead_letters, job, jobs
from harken.client.cli.owner import owner
from harken.client.cli.retry import dismiss, retry
from harken.client.cli.session import shared_options
from harken.client.cli.show import show
from harken.client.cli.sounds import duplicates, similar
from harken.client.cli.stats import stats
from harken.client.cli.submit import submit
from harken.client.cli.watch import watch
from harken.client.cli.workers import queues, workers


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"harken {version('harken')}")
        context.exit()


@click.group(
    cls=HarkenGroup,
    epilog=exit_codes.HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@shared_options
@click.pass_context
def cli(context: click.Context) -> None:
    """Analyse sound: tempo, key, loudness, timbre and more.

    Try it: harken up in one terminal, harken submit FILE --watch in another.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


for _command in (
    *(submit, batch, watch, jobs, job, show, cancel, download),
    *(dead_letters, retry, dismiss, audit),
    *(similar, duplicates),
    *(export, stats, owner),
    *(workers, queues, completion),
):
    cli.add_command(_command)


def main(arguments: list[str] | None = None) -> Any:
    """Runs the command line and exits."""
    # gRPC would write its own log lines between ours; who wants them sets the variable.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is no reason to stop.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
    return cli.main(args=arguments, prog_name="harken")
