"""The names of the tasks: what a message says is to be done."""

ANALYZE = "harken.analyze"
CLEAN_UP = "harken.maintenance.clean_up"
