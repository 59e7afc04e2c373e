"""Results that need not be found again: the file, the features and the engine are those of an earlier job."""

import logging
import os
import time
from collections.abc import Callable

from sqlalchemy import Connection

from harken.jobs import clock, known_results
from harken.jobs.job import Job
from harken.jobs.options import Options, StemKind
from harken.jobs.state import JobState
from harken.settings import Settings
from harken.tasks.job_task import JobTask
from harken.tasks.language_model.endpoint import identity_of as language_model_identity
from harken.tasks.measurement import CACHED_RESULT, tell

LOG = logging.getLogger(__name__)

SETTLED_NS = 2_000_000_000  # as coarse as the times of any file system are


def identity_of(descriptor: int) -> str | None:
    """The identity of an open file's content, without reading it; None where it may change without showing it.

    That is when it was changed a moment ago: a change that follows at once can bear the same time.
    """
    found = os.fstat(descriptor)
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < SETTLED_NS:
        return None
    # The time of the last change of a file's entry cannot be set, as that of its content can.
    numbers = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return "file:" + ":".join(map(str, numbers))


def key_of(job: Job, content: str, settings: Settings) -> str:
    """What the result of a job depends on, digested."""
    from harken.audio import Feature
    from harken.audio.separation.model_file import identity_of as model_identity
    from harken.audio.transcription.whisper import identity_of as whisper_identity
    from harken.audio.version import engine_version

    engine = engine_version()
    options = Options.of_spec(job.spec)
    stems = options.stems
    if stems is not None and StemKind.MODEL in stems.kinds:
        engine += model_identity(settings.stems_model)
    if Feature.TRANSCRIPT in job.features:
        engine += whisper_identity(settings.transcription_model)
    if options.insights is not None and options.insights.language_model:
        engine += language_model_identity(settings)
    return known_results.content_key(content, job.features, engine, job.spec)


def ending(
    task: JobTask, job: Job, key: str | None
) -> Callable[[Connection], JobState | None] | None:
    """The write that ends a job with what is known already; None where nothing is, or it is not wanted."""
    if key is None or job.skip_cache:
        return None
    known_id = task.query(lambda c: known_results.find(c, key, owner=job.owner))
    if known_id is None:
        return None
    tell(CACHED_RESULT)
    LOG.info("job %s has the result of job %s: the file has not changed", job.job_id, known_id)
    return lambda c: known_results.succeed_as(
        c, job.job_id, job.attempt, known_id, key, clock.now(c)
    )
