"""The names of the tasks: what a message says is to be done."""

ANALYZE = "harken.analyze"
CLEAN_UP = "harken.maintenance.clean_up"
OPTIMIZE = "harken.maintenance.optimize"
BACK_UP = "harken.maintenance.back_up"
CLEAN_STORAGE = "harken.maintenance.clean_storage"
MAINTENANCE_TASKS = (CLEAN_UP, OPTIMIZE, BACK_UP, CLEAN_STORAGE)
