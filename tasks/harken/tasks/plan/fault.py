"""What an error means that one feature met: its own, or of the whole job."""

import logging
from collections.abc import Callable, Mapping

from harken.audio import Feature, FeatureError, InputError
from harken.audio.result import FaultKind
from harken.jobs.job import ErrorKind, Job
from harken.tasks.failure import OUT_OF_MEMORY, describe
from harken.tasks.progress import Cancelled
from harken.tasks.work import WorkFailed

LOG = logging.getLogger(__name__)

# A wrong disk, a full memory or a passed limit is never a feature's own fault.
OWN: Mapping[ErrorKind, FaultKind] = {
    ErrorKind.INPUT: FaultKind.INPUT,
    ErrorKind.INTERNAL: FaultKind.INTERNAL,
}


def faults_of(job: Job) -> Callable[[Feature, Exception], FeatureError]:
    """What an error of a feature of this job means; raises it where it is one of the whole job."""

    def fault(feature: Feature, error: Exception) -> FeatureError:
        if isinstance(error, Cancelled):
            raise error
        described = describe(error, 0.0)
        kind = OWN.get(described.kind)
        if kind is None or described.reason == OUT_OF_MEMORY:
            raise error
        if not isinstance(error, InputError | WorkFailed):
            LOG.error(
                "job %s attempt %d: the feature %s met a fault, the others go on",
                *(job.job_id, job.attempt, feature),
                exc_info=error,
            )
        return FeatureError(
            feature=feature, kind=kind, reason=described.reason, message=described.message
        )

    return fault


def needed(feature: Feature, failed: FeatureError) -> FeatureError:
    """The error of a feature that needs one which failed."""
    message = f"It needs {failed.feature}, which failed: {failed.message}"
    return FeatureError(feature=feature, kind=failed.kind, reason=failed.reason, message=message)


def missing(feature: Feature) -> FeatureError:
    """The error of a feature that the worker has nothing for."""
    return FeatureError(
        feature=feature,
        kind=FaultKind.INTERNAL,
        reason="FEATURE_NOT_AVAILABLE",
        message=f"The worker's version of harken does not compute {feature}. Run newer workers.",
    )
