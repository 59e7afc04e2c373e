"""What can be wrong with a request to the job domain.

JobsError
├── JobNotFound            no job of this owner has the id
├── BatchNotFound          no batch of this owner has the id
├── ActionNotFound         no action of this owner has the id
├── ArtifactNotFound       no artifact of this owner has the id
├── ArtifactDenied         the artifact is of a kind of job that is not for this caller
├── UploadNotFound         no upload of this owner has the id
├── UploadIncomplete       not all of the upload's bytes have arrived
├── UploadBusy             another call is receiving the upload
├── UploadElsewhere        the upload does not stand where the caller wants to go on
├── UploadIdReused         the upload_id is that of other bytes
├── UploadInUse            jobs wait for the upload, or read it
├── UploadLost             the upload was deleted, or taken over, while it was received
├── RequestIdReused        the request_id came before, with another payload
├── KeyNotFound            no API key has the id
├── InvalidKey             an API key cannot be made like that
├── QuotaExceeded          the owner has all that it may have
├── BackupFailed           a backup cannot be made, is broken, or cannot be restored
├── NoVectorIndex          the index of vectors cannot be made
├── NoEmbedding            the job has nothing to search by
├── CollectionTooLarge     there is more than is told at once
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


class ArtifactNotFound(JobsError):
    """No artifact of this owner has the id."""

    def __init__(self, artifact_id: str) -> None:
        super().__init__(
            f"There is no artifact {artifact_id}: it was never made here, or was deleted with its job."
        )
        self.artifact_id = artifact_id


class ArtifactDenied(JobsError):
    """The artifact is of a kind of job that is not for this caller."""

    def __init__(self, artifact_id: str) -> None:
        super().__init__(
            f"Artifact {artifact_id} is for administrators. Fetch it with a key of the scope admin."
        )
        self.artifact_id = artifact_id


class UploadNotFound(JobsError):
    """No upload of this owner has the id."""

    def __init__(self, upload_id: str) -> None:
        super().__init__(
            f"There is no upload {upload_id}: it was never made here, was deleted, or has expired."
            " Upload the file again."
        )
        self.upload_id = upload_id


class UploadIncomplete(JobsError):
    """Not all of the upload's bytes have arrived."""

    def __init__(self, upload_id: str, received: int) -> None:
        super().__init__(
            f"Of upload {upload_id} only {received} bytes have arrived. Send the rest first."
        )
        self.upload_id = upload_id
        self.received = received


class UploadBusy(JobsError):
    """Another call is receiving the upload."""

    def __init__(self, upload_id: str) -> None:
        super().__init__(
            f"Another call is sending upload {upload_id}, or has just been lost."
            " Try again in a moment, or upload under an id of your own."
        )
        self.upload_id = upload_id


class UploadElsewhere(JobsError):
    """The upload does not stand where the caller wants to go on: `received` bytes are there."""

    def __init__(self, upload_id: str, offset: int, received: int) -> None:
        super().__init__(
            f"Upload {upload_id} cannot go on at byte {offset}: {received} bytes have arrived."
            f" Send those from offset {received} on."
        )
        self.upload_id = upload_id
        self.received = received


class UploadIdReused(JobsError):
    """The upload_id is that of other bytes."""

    def __init__(self, upload_id: str) -> None:
        super().__init__(
            f"The upload_id {upload_id} is that of a file of another size or sha256."
            " Send a new upload_id with a new file."
        )
        self.upload_id = upload_id


class UploadInUse(JobsError):
    """Jobs wait for the upload, or read it."""

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"Jobs wait for upload {upload_id}, or read it. Cancel them first.")
        self.upload_id = upload_id


class UploadLost(JobsError):
    """The upload was deleted, or taken over, while it was received."""

    def __init__(self, upload_id: str) -> None:
        super().__init__(
            f"Upload {upload_id} was deleted, or another call took it over, while it was received."
            " Ask for it with GetUpload, and go on where it stands."
        )
        self.upload_id = upload_id


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


class NoVectorIndex(JobsError):
    """The index of vectors cannot be made."""


class NoEmbedding(JobsError):
    """The job has nothing to search by."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(f"Job {job_id} has no embedding: {why}")
        self.job_id = job_id


class CollectionTooLarge(JobsError):
    """There is more in the collection than is told at once."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The collection {why}, which is too much for an answer at once."
            " Have a report made (CreateReport, `harken stats --report FILE`), or narrow the filter."
        )


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
