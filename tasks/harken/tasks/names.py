"""The names of the tasks: what a message says is to be done."""

from harken.jobs.job import JobKind

ANALYZE = "harken.analyze"
CLEAN_UP = "harken.maintenance.clean_up"
OPTIMIZE = "harken.maintenance.optimize"
BACK_UP = "harken.maintenance.back_up"
CLEAN_STORAGE = "harken.maintenance.clean_storage"
MAINTENANCE_TASKS = (CLEAN_UP, OPTIMIZE, BACK_UP, CLEAN_STORAGE)


def task_of(kind: JobKind) -> str:
    """The task that runs jobs of a kind."""
    return ANALYZE if kind is JobKind.ANALYSIS else f"harken.{kind.value}"


JOB_TASKS = tuple(task_of(kind) for kind in JobKind)
