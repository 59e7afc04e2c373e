"""An error of the client as words for people, with what to do about it, and an exit code."""

import os
from dataclasses import dataclass

from harken.client import errors
from harken.client.cli import exit_codes
from harken.client.cli.text import plain


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What to say and how to end."""

    message: str
    hint: str | None = None
    exit_code: int

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


def failure_of(error: errors.HarkenError, server: str, path: str | None = None) -> Failure:
    """What an error means to who typed a command; `path` is the file it was about."""
    match error:
        case errors.ServerUnavailable(answered=False):
            return Failure(
                message=f"No harken server answers at {server}.",
                hint=_start_or_secure(),
                exit_code=exit_codes.NO_SERVER,
            )
        case errors.ServerUnavailable() | errors.DeadlineExceeded():
            return Failure(message=plain(error.message), exit_code=exit_codes.NO_SERVER)
        case errors.NotSupported():
            return Failure(
                message=f"What answers at {server} does not know this call.",
                hint="It is another service, or an older harken than this one.",
                exit_code=exit_codes.REFUSED,
            )
        case errors.RequestRefused():
            return Failure(
                message=_with_violations(error),
                hint=hint_for(error.reason, path),
                exit_code=exit_codes.REFUSED,
            )
        case _:
            return Failure(message=plain(error.message), exit_code=exit_codes.SERVER_FAULT)


def hint_for(reason: str, path: str | None) -> str | None:
    """What to do about a file that the server did not accept."""
    if reason == "SOURCE_OUTSIDE_ROOTS":
        folder = os.path.dirname(os.path.abspath(path)) if path else "DIR"
        return f"Allow its folder when you start the server: harken up --media-root {plain(folder)}"
    if reason == "SOURCE_NOT_FOUND" and path and os.path.exists(path):
        return "The file exists here; the server looks for it on its own machine."
    return None


def _start_or_secure() -> str:
    hint = "Start one with: harken up"
    if os.environ.get("HARKEN_KEY") or os.environ.get("HARKEN_KEY_FILE"):
        return f"{hint}\nOne that speaks TLS is reached with --ca FILE, of its authority, and by a name that it has."
    return hint


def _with_violations(error: errors.RequestRefused) -> str:
    lines = [plain(error.message)]
    if isinstance(error, errors.InvalidRequest):
        lines += [
            plain(f"  {violation.field}: {violation.description}")
            for violation in error.field_violations
            if violation.description not in error.message
        ]
    return "\n".join(lines)
