"""What an operator can set: one frozen object, read once from the environment and passed to whoever needs it."""

from harken.settings.errors import SettingsError
from harken.settings.parsing import parse_quota
from harken.settings.secret_files import SUFFIX, with_secrets
from harken.settings.settings import Settings, at_place
from harken.settings.variables import VARIABLES, Variable, secret_names

__all__ = [
    "SUFFIX",
    "VARIABLES",
    "Settings",
    "SettingsError",
    "Variable",
    "at_place",
    "parse_quota",
    "secret_names",
    "with_secrets",
]
