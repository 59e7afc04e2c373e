"""Whose jobs they are, as long as there is no access control."""

OWNER = "local"
