"""Secrets that are read from files: NAME_FILE in the environment names a file that holds what NAME would.

So they stand in no environment that a program prints, and secrets of Docker and Kubernetes fit as they are.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from harken.settings.errors import SettingsError

SUFFIX = "_FILE"
LARGEST_BYTES = 64 * 1024  # more is no secret, but another file


def with_secrets(environment: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The environment with what the files hold in the place of their names.

    Raises SettingsError for a file that cannot be read or is empty, and where both the file and the value are given.
    """
    found = dict(environment)
    for name in names:
        file = found.pop(name + SUFFIX, "")
        if not file:
            continue
        if found.get(name):
            problem = f"{name} is set too. Set one of them"
            raise SettingsError(name + SUFFIX, problem)
        found[name] = _secret_in(name + SUFFIX, Path(file))
    return found


def _secret_in(variable: str, file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
        # An editor ends a file with a newline, which is no part of the secret.
        secret = content.decode().rstrip("\r\n")
    except OSError as error:
        raise SettingsError(variable, f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(variable, f"{file} holds no text in UTF-8") from error
    if len(content) > LARGEST_BYTES or "\n" in secret or not secret:
        raise SettingsError(variable, f"{file} has to hold one line, the secret")
    return secret
