"""What an operator can set: one frozen object, read once from the environment and passed to whoever needs it."""

from harken.settings.settings import Settings, SettingsError, at_place
from harken.settings.variables import VARIABLES, Variable, parse_quota

__all__ = ["VARIABLES", "Settings", "SettingsError", "Variable", "at_place", "parse_quota"]
