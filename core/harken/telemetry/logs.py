"""How log lines leave a process: for people as each part has them, or one JSON object a line; never with a password.

All lines are those of Python's logging, so that Celery's, gRPC's and Alembic's are among them, and so that what guards
the handlers' locks around a fork (`harken.tasks.fork_barrier`) guards all of them. What a line is about is bound where
that is known, with `about`, and put into the JSON by structlog.
"""

import json
import logging
import re
from contextlib import AbstractContextManager
from typing import Any, Final

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, WrappedLogger

TEXT_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

# Of what other libraries hand to their lines, nothing else: Celery's have the arguments of tasks.
FIELDS: Final = (
    "job_id",
    "batch_id",
    "attempt",
    "owner",
    "key_id",
    "method",
    "code",
    "duration_ms",
    "peer",
)

_PASSWORD = re.compile(r"(?<=://)([^\s/:@]*):[^\s@]+@|\b(password=)[^\s&,;)'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """The text without the passwords of the URLs in it."""
    if "://" not in text and "=" not in text:
        return text  # nearly all lines
    return _PASSWORD.sub(lambda found: found[2] + "***" if found[2] else f"{found[1]}:***@", text)


class TextFormatter(logging.Formatter):
    """Lines as another formatter writes them, without passwords."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return masked(self._inner.format(record))


class JsonFormatter(ProcessorFormatter):
    """An object a line: time, level, logger, process, event, what it is about, and the traceback if there is one."""

    def __init__(self) -> None:
        super().__init__(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.ExtraAdder(allow=FIELDS),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                _add_process,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            ],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=_dumps),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return masked(super().format(record))


def formatter(log_format: str, inner: logging.Formatter | None = None) -> logging.Formatter:
    """The formatter of `text` or `json`; `inner` is how a text line looks, harken's own way when unset."""
    if log_format == "json":
        return JsonFormatter()
    return TextFormatter(inner or logging.Formatter(TEXT_FORMAT))


def configure(level: str, log_format: str) -> None:
    """Sends all lines of this process to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=level, handlers=[handler])


def about(**fields: Any) -> AbstractContextManager[Any]:
    """Within it, lines in JSON carry these fields, of those in `FIELDS`."""
    return structlog.contextvars.bound_contextvars(**fields)


def begin(**fields: Any) -> None:
    """From here to the end of this asyncio task, lines in JSON carry these fields and no others."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**fields)


def note(**fields: Any) -> None:
    """From here to the end of this asyncio task, lines in JSON carry these fields too."""
    structlog.contextvars.bind_contextvars(**fields)


def _add_process(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    event["pid"] = event["_record"].process
    return event


def _dumps(event: EventDict, **_: Any) -> str:
    return json.dumps(event, default=str, ensure_ascii=False)
