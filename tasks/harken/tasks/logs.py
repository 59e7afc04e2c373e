"""Celery's lines in harken's format: as Celery writes them, without passwords, or as JSON."""

import logging
from typing import Any

from celery import signals

from harken.tasks.app import SETTINGS
from harken.telemetry import logs

# The client of language models would write a line for each request.
logging.getLogger("httpx2").setLevel(logging.WARNING)


def put_in_format(logger: logging.Logger, **_: Any) -> None:
    """Wraps the formatters that Celery has just given to a logger's handlers."""
    for handler in logger.handlers:
        handler.setFormatter(logs.formatter(SETTINGS.log_format, handler.formatter))


signals.after_setup_logger.connect(put_in_format, weak=False)
signals.after_setup_task_logger.connect(put_in_format, weak=False)
