"""The command `harken` itself: finds its commands, turns errors into words and exit codes."""

import os
import sys
import traceback
from typing import Any

import click

from harken.client.channel import target_from
from harken.client.cli import exit_codes
from harken.client.cli.extensions import MissingExtra, extension, extension_names
from harken.client.cli.failure import failure_of
from harken.client.cli.session import Session
from harken.client.errors import HarkenError


class HarkenGroup(click.Group):
    """A group that knows the commands of this package and those of `harken.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # as click calls it
        """The commands of the client in the order they were added, then the others."""
        return [*self.commands, *(name for name in extension_names() if name not in self.commands)]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  # as click calls it
        cmd_name: str,
    ) -> click.Command | None:
        """The command of this name; that of another package is not loaded yet."""
        return self.commands.get(cmd_name) or extension(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands in two sections: those that talk to a server, and the others."""
        names = self.list_commands(ctx)
        own = [name for name in names if name in self.commands]
        others = [name for name in names if name not in self.commands]
        for title, section in (("Commands", own), ("Commands that run harken", others)):
            commands = [(name, self.get_command(ctx, name)) for name in section]
            rows = [(name, found.get_short_help_str(80)) for name, found in commands if found]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; what goes wrong is told in words, with an exit code for scripts."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(exit_codes.INTERRUPTED)
        except BrokenPipeError:
            # Python flushes stdout once more at its end, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(exit_codes.BROKEN_PIPE)
        except (HarkenError, ImportError) as error:
            session = ctx.ensure_object(Session)
            if session.debug:
                traceback.print_exc()
            if isinstance(error, ImportError):
                raise MissingExtra(ctx.invoked_subcommand or "", error) from error
            failure = failure_of(error, target_from(session.server))
            click.echo(f"Error: {failure}", err=True)
            ctx.exit(failure.exit_code)
