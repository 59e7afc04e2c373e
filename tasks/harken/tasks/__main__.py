"""`python -m harken.tasks worker` is `harken worker`, and so for beat and maintenance."""

import click

from harken.tasks.command import beat, worker
from harken.tasks.maintenance_command import maintenance

if __name__ == "__main__":
    commands = {"worker": worker, "beat": beat, "maintenance": maintenance}
    click.Group(commands=commands)(prog_name="harken")
