"""Celery's result backend, which carries progress and ends: in Redis, written in one trip.

Before each write Celery asks whether the task has succeeded already, lest a lost worker writes over it. Of a job SQL
knows that: who holds it is the only one to report progress and success, and who reads them compares attempts.
"""

from typing import Any, Final

from celery.backends.redis import RedisBackend, SentinelBackend
from celery.states import SUCCESS

PROGRESS: Final = "PROGRESS"


class Unasked(RedisBackend):
    """Progress and success are written without a look at what is there."""

    def _store_result(
        self, task_id: str, result: Any, state: str, *args: Any, **options: Any
    ) -> Any:
        if state not in (SUCCESS, PROGRESS):
            store: Any = super()._store_result  # pyright: ignore[reportAttributeAccessIssue] # the stubs lack it
            return store(task_id, result, state, *args, **options)
        describe: Any = self._get_result_meta  # pyright: ignore[reportAttributeAccessIssue] # the stubs lack it
        meta = describe(result=result, state=state, traceback=None, request=options.get("request"))
        self.set(self.get_key_for_task(task_id), self.encode({**meta, "task_id": task_id}))
        return result


class UnaskedBySentinels(Unasked, SentinelBackend):
    """The same where Sentinels tell which Redis is the primary."""


# For Celery's loader, by the scheme of the backend's URL.
BACKENDS: Final = {
    scheme: f"{__name__}:{kind.__name__}"
    for scheme, kind in (
        ("redis", Unasked),
        ("rediss", Unasked),
        ("sentinel", UnaskedBySentinels),
    )
}
