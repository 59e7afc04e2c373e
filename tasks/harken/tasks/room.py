"""How many bytes more the owner of a job may keep, for files that the job makes."""

from dataclasses import dataclass
from typing import Self

from harken.jobs.files.stored_bytes import stored_bytes
from harken.jobs.job import ErrorKind
from harken.jobs.owners.quotas import Quota
from harken.settings import parse_quota
from harken.tasks.work import Work, WorkFailed


@dataclass(frozen=True, kw_only=True)
class Room:
    """What was left to an owner when the job's files were begun; None is any number."""

    left: float | None

    @classmethod
    def of(cls, work: Work) -> Self:
        """The room of a job's owner."""
        everyone, owners = parse_quota(work.settings.quota_stored_bytes)
        quota, owner = Quota(everyone=everyone, owners=owners), work.job.owner
        if quota.of(owner) is None:
            return cls(left=None)
        return cls(left=quota.left(owner, work.read(lambda c: stored_bytes(c, owner=owner))))

    def check(self, size: int) -> None:
        """Raises WorkFailed when files of so many bytes are more than that."""
        if self.left is not None and size > self.left:
            message = (
                f"The files that the job makes are more than the {self.left:,.0f} bytes that are left of what the owner"
                " may keep. Delete jobs and uploads that are not needed any more, or ask for fewer files."
            )
            raise WorkFailed(kind=ErrorKind.INPUT, reason="QUOTA_EXCEEDED", message=message)
