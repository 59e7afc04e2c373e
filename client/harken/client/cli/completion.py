"""`harken completion`: the script that lets a shell complete what is typed."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_HARKEN_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    r"""Print the completion script of a shell.

    \b
    bash: echo 'eval "$(harken completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(harken completion zsh)"' >> ~/.zshrc
    fish: harken completion fish > ~/.config/fish/completions/harken.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    template = kind(context.find_root().command, {}, "harken", VARIABLE)
    click.echo(kind.source_template % template.source_vars())
