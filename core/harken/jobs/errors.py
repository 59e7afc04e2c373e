"""What can be wrong with a request to the job domain.

JobsError
├── JobNotFound            no job of this owner has the id
├── BatchNotFound          no batch of this owner has the id
├── ActionNotFound         no action of this owner has the id
├── RequestIdReused        the request_id came before, with another payload
├── KeyNotFound            no API key has the id
├── InvalidKey             an API key cannot be made like that
├── QuotaExceeded          the owner has all that it may have
├── BackupFailed           a backup cannot be made, is broken, or cannot be restored
├── StillAlive             servers or workers are at work on a database that is to be replaced
├── PositionAhead          a log position from the future
├── PositionExpired        a log position after which rows were deleted
└── SchemaMismatch         the database has another schema than this version of harken
"""

from datetime import timedelta


class JobsError(Exception):
    """Base of all errors of the job domain."""


class JobNotFound(JobsError):
    """No job of this owner has the id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"There is no job {job_id}: it was never made here, or was deleted after its retention."
        )
        self.job_id = job_id


class BatchNotFound(JobsError):
    """No batch of this owner has the id."""

    def __init__(self, batch_id: str) -> None:
        super().__init__(
            f"There is no batch {batch_id}: it was never made here, or was deleted after its retention."
        )
        self.batch_id = batch_id


class ActionNotFound(JobsError):
    """No action of this owner has the id."""

    def __init__(self, action_id: str) -> None:
        super().__init__(
            f"There is no action {action_id}: it was never made here, or was deleted after a year."
        )
        self.action_id = action_id


class RequestIdReused(JobsError):
    """The request_id came before, with another payload. `made_id` is the job or batch it made then."""

    def __init__(self, request_id: str, made_id: str) -> None:
        super().__init__(
            f"The request_id {request_id} already made {made_id} of another payload."
            " Send a new request_id with a new payload."
        )
        self.request_id = request_id
        self.made_id = made_id


class KeyNotFound(JobsError):
    """No API key has the id."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no key {key_id!r}. `harken keys list` names those there are.")
        self.key_id = key_id


class InvalidKey(JobsError):
    """An API key cannot be made like that."""


class QuotaExceeded(JobsError):
    """The owner has all that it may have of something. `retry_after` is when asking again may help, None is never."""

    def __init__(
        self, owner: str, quota: str, what: str, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(what)
        self.owner = owner
        self.quota = quota
        self.retry_after = retry_after


class PositionAhead(JobsError):
    """A position in the transition log that it has not reached, as after a restore from a backup."""

    def __init__(self, position: int) -> None:
        super().__init__(
            f"The transition log has not reached position {position}. Start again without a token."
        )
        self.position = position


class PositionExpired(JobsError):
    """A position in the transition log after which rows of the target were deleted, with the jobs they were of."""

    def __init__(self, position: int) -> None:
        super().__init__(
            f"What came after position {position} of the transition log was deleted, some time after the jobs ended."
            " Start again without a token."
        )
        self.position = position


class BackupFailed(JobsError):
    """A backup cannot be made, is broken, or cannot be restored."""


class StillAlive(JobsError):
    """Servers or workers are at work on a database that is to be replaced."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(
            f"At work on this database: {', '.join(names)}. Stop all servers and workers and wait 15 s;"
            " --force goes on regardless, and what they do meanwhile is lost or refused."
        )
        self.names = names


class SchemaMismatch(JobsError):
    """The database has another schema than this version of harken."""

    def __init__(self, found: str | None, wanted: str) -> None:
        super().__init__(
            f"The database has schema {found or 'none'}, this harken needs {wanted}."
            " Run `harken migrate` with a harken of the right version."
        )
        self.found = found
        self.wanted = wanted
