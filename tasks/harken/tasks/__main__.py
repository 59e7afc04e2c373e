"""`python -m harken.tasks worker` is `harken worker`, and so for beat."""

import click

from harken.tasks.command import beat, worker

if __name__ == "__main__":
    click.Group(commands={"worker": worker, "beat": beat})(prog_name="harken")
