"""Commands of other parts of harken, which join through the entry-point group `harken.commands`.

They are loaded when they are run, so that `harken --help` is quick and works where their extras are
not installed.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from harken.client.cli import exit_codes

GROUP = "harken.commands"

HELP = {
    "up": "Run all of harken on this machine.",
    "serve": "Run a server.",
    "migrate": "Bring the database to this version's tables.",
    "worker": "Run a worker.",
    "beat": "Run the schedule of recurring tasks.",
    "flower": "Run Celery's monitor.",
    "maintenance": "Clean up, optimize, back up and restore the database.",
    "keys": "Make, list and revoke API keys.",
    "analyze": "Analyse files here, without a server.",
}
"""What `harken --help` says of the commands, which would have to be loaded to say it themselves."""


class MissingExtra(click.ClickException):
    """A command needs what the base install does not bring."""

    exit_code = exit_codes.USAGE

    def __init__(self, name: str, error: ImportError) -> None:
        super().__init__(
            f"`harken {name}` needs more than the base install ({error}).\n"
            "Install it with: pip install 'harken[all]'"
        )


class ExtensionCommand(click.Command):
    """Stands for a command of the group until it is run."""

    def __init__(self, entry_point: EntryPoint) -> None:
        text = HELP.get(entry_point.name, f"Provided by {entry_point.module}.")
        super().__init__(entry_point.name, help=text)
        self._entry_point = entry_point

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Loads the command and hands over to it."""
        try:
            command: click.Command = self._entry_point.load()
        except ImportError as error:
            raise MissingExtra(self._entry_point.name, error) from error
        return command.make_context(info_name, args, parent, **extra)


def extension_names() -> list[str]:
    """The names of the group's commands: those known here first, in the order of HELP."""
    names = {entry_point.name for entry_point in entry_points(group=GROUP)}
    known = [name for name in HELP if name in names]
    return known + sorted(names.difference(HELP))


def extension(name: str) -> ExtensionCommand | None:
    """The command of this name, not loaded yet."""
    for entry_point in entry_points(group=GROUP, name=name):
        return ExtensionCommand(entry_point)
    return None
