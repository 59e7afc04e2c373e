"""What all commands have in common: the server and the form of the output."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from harken.client.sync import Client

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Session:
    """The options that stand before or after the command's name."""

    server: str | None = None
    ca: str | None = None
    cert: str | None = None
    as_json: bool = False
    debug: bool = False

    def connect(self) -> "Client":
        """A client of the server asked for; nothing is sent before its first call."""
        # gRPC is imported here, and not for `--help` or completion.
        from harken.client.sync import Client

        return Client(self.server, ca=self.ca, cert=self.cert)

    def emit(self, value: Any) -> None:
        """Writes a value of `harken.client` as one line of JSON."""
        from harken.client.json_form import to_dict

        self.emit_data(to_dict(value))

    def emit_data(self, data: dict[str, Any]) -> None:
        """Writes one line of JSON, at once, so that a pipe's reader sees it when it happens."""
        click.echo(json.dumps(data, ensure_ascii=False))


pass_session = click.make_pass_decorator(Session, ensure=True)


def shared_options(command: F) -> F:
    """Adds --server, --ca, --cert, --json and --debug; they may stand before or after the command's name.

    There is none for the key: what stands in a command line everybody on the machine can read.
    """
    options = (
        click.option(
            "--server",
            metavar="HOST:PORT",
            expose_value=False,
            callback=_remember,
            help="The server. [default: $HARKEN_SERVER, else 127.0.0.1:50051]",
        ),
        click.option(
            "--ca",
            metavar="FILE",
            expose_value=False,
            callback=_remember,
            help="Connect by TLS, to a server of this authority (PEM), or `public`. [$HARKEN_CA]",
        ),
        click.option(
            "--cert",
            metavar="FILE",
            expose_value=False,
            callback=_remember,
            help="Show the server this certificate, with its key (PEM). [$HARKEN_CERT]",
        ),
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Print JSON, one object a line, with the contract's field names.",
        ),
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Show a traceback when something fails.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    # Made for the group even when it has none of the options: the command's context shares it.
    session = context.ensure_object(Session)
    if value:
        setattr(session, parameter.name, value)
