"""What somebody may ask for. No scope implies another one."""

from enum import StrEnum


class Scope(StrEnum):
    """A kind of calls."""

    READ = "read"  # look at jobs, follow them, fetch what came of them
    SUBMIT = "submit"  # make jobs, and bring the files for them
    CANCEL = "cancel"  # stop jobs, and set them aside
    ADMIN = "admin"  # what is about an owner as a whole, or about the system


ALL_SCOPES = frozenset(Scope)
