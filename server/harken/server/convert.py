"""Values of the domain as messages of the contract."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp

from harken.jobs import job as domain
from harken.jobs.action import Action, Outcome, Refusal
from harken.jobs.files.artifacts import Artifact
from harken.jobs.files.upload import Upload
from harken.jobs.options import Options
from harken.jobs.queueing import workers
from harken.jobs.state import JobState
from harken.server.inspector import Probe
from harken.server.options import options_message
from harken.server.progress.ticks import Tick
from harken.v1 import (
    action_pb2,
    analysis_result_pb2,
    batch_pb2,
    event_pb2,
    feature_pb2,
    job_pb2,
    job_service_pb2,
    media_pb2,
    source_pb2,
    worker_pb2,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FEATURE = "FEATURE_"
_STATE = "JOB_STATE_"
_KIND = "KIND_"
_STATUS = "STATUS_"

_REFUSALS: Mapping[Refusal, str] = {
    Refusal.JOB_NOT_FOUND: "There is no such job: it was never made here, or was deleted after its retention.",
    Refusal.NOT_TERMINAL: "It has not ended yet. Wait for its end, or cancel it first.",
    Refusal.NOT_FAILED: "It did not fail, so it is no dead letter.",
    Refusal.SCOPE_MISSING: "It is a job of administrators: retry it with a key of the scope admin.",
    Refusal.ALREADY_RETRIED: "It was retried before, as new_job_id. Send force to retry it again.",
    Refusal.ALREADY_DISMISSED: "It was dismissed before.",
}


@cache
def feature_name(number: int) -> str:
    """The domain's name of a feature: "rhythm" of FEATURE_RHYTHM."""
    return feature_pb2.Feature.Name(number).removeprefix(_FEATURE).lower()  # pyright: ignore[reportArgumentType] # a number of the enum, checked before


@cache
def feature_number(name: str) -> feature_pb2.Feature.ValueType:
    """The contract's number of a feature."""
    return feature_pb2.Feature.Value(_FEATURE + name.upper())


@cache
def state_number(state: JobState | None) -> job_pb2.JobState.ValueType:
    """The contract's number of a state; of none, that of UNSPECIFIED."""
    return job_pb2.JobState.Value(_STATE + (state.value if state else "UNSPECIFIED"))


def state_of(number: int) -> JobState:
    """The domain's state of a number."""
    return JobState(job_pb2.JobState.Name(number).removeprefix(_STATE))  # pyright: ignore[reportArgumentType] # a number of the enum, checked before


def kind_of(number: int) -> domain.ErrorKind:
    """The domain's kind of error of a number."""
    return domain.ErrorKind(job_pb2.JobError.Kind.Name(number).removeprefix(_KIND))  # pyright: ignore[reportArgumentType] # a number of the enum, checked before


@cache
def job_kind_number(kind: domain.JobKind) -> job_pb2.Job.Kind.ValueType:
    """The contract's number of a kind of job."""
    return job_pb2.Job.Kind.Value(_KIND + kind.value.upper())


def job_kind_of(number: int) -> domain.JobKind:
    """The domain's kind of job of a number."""
    return domain.JobKind(job_pb2.Job.Kind.Name(number).removeprefix(_KIND).lower())  # pyright: ignore[reportArgumentType] # a number of the enum, checked before


def timestamp(time: datetime | None) -> Timestamp | None:
    """The message of a time, which is None for none."""
    if time is None:
        return None
    # FromDatetime does the same in five times as long.
    since = time - _EPOCH
    return Timestamp(seconds=since // _SECOND, nanos=since.microseconds * 1000)


def duration(length: timedelta | None) -> Duration | None:
    """The message of a length of time, which is None for none."""
    if length is None:
        return None
    message = Duration()
    message.FromTimedelta(length)
    return message


def source_message(source: domain.Source) -> source_pb2.Source | None:
    """The message of a source, which is None for none."""
    if source == domain.NO_SOURCE:
        return None
    return source_pb2.Source(**{source.kind: source.value})


def error_message(error: domain.JobError | None) -> job_pb2.JobError | None:
    """The message of an error, which is None for none."""
    if error is None:
        return None
    return job_pb2.JobError(
        kind=job_pb2.JobError.Kind.Value(_KIND + error.kind.value),
        reason=error.reason,
        message=error.message,
    )


def progress_message(tick: Tick) -> job_pb2.Progress:
    """The message of a tick."""
    return job_pb2.Progress(stage=tick.stage, fraction=tick.fraction, message=tick.message)


def job_message(
    job: domain.Job,
    *,
    tick: Tick | None = None,
    result: Mapping[str, Any] | None = None,
    artifacts: Sequence[Artifact] = (),
) -> job_pb2.Job:
    """The message of a job; a tick counts when it is of the attempt that runs."""
    running = job.state in (JobState.RUNNING, JobState.CANCELLING)
    current = tick if tick is not None and running and tick.attempt == job.attempt else None
    return job_pb2.Job(
        job_id=job.job_id,
        batch_id=job.batch_id,
        state=state_number(job.state),
        revision=job.revision,
        attempt=job.attempt,
        priority=job.priority,
        source=source_message(job.source),
        features=[feature_number(name) for name in job.features],
        labels=job.labels,
        progress=progress_message(current) if current else None,
        error=error_message(job.error),
        result=result_message(result) if result is not None else None,
        create_time=timestamp(job.create_time),
        start_time=timestamp(job.start_time),
        end_time=timestamp(job.end_time),
        stopped_time=timestamp(job.stopped_time),
        worker=job.worker,
        schedule_timeout=duration(job.schedule_timeout),
        run_timeout=duration(job.run_timeout),
        retry_of=job.retry_of,
        kind=job_kind_number(job.kind),
        cached_result=job.cached_from is not None,
        artifacts=[artifact_message(artifact) for artifact in artifacts],
        options=options_message(Options.of_spec(job.spec)) if job.spec else None,
        filename=job.filename,
    )


def result_message(result: Mapping[str, Any]) -> analysis_result_pb2.AnalysisResult:
    """The message of a stored result; what a newer engine wrote and this contract lacks is left out."""
    return ParseDict(dict(result), analysis_result_pb2.AnalysisResult(), ignore_unknown_fields=True)


def artifact_message(artifact: Artifact) -> media_pb2.Artifact:
    """The message of an artifact."""
    return media_pb2.Artifact(
        artifact_id=artifact.artifact_id,
        job_id=artifact.job_id,
        name=artifact.name,
        media_type=artifact.media_type,
        size=artifact.size,
        sha256=artifact.sha256,
        create_time=timestamp(artifact.create_time),
    )


def upload_message(upload: Upload) -> media_pb2.Upload:
    """The message of an upload."""
    return media_pb2.Upload(
        upload_id=upload.upload_id,
        state=media_pb2.Upload.State.Value(f"STATE_{upload.state.value}"),
        filename=upload.filename,
        offset=upload.received,
        size=upload.size,
        sha256=upload.sha256,
        create_time=timestamp(upload.create_time),
        expire_time=timestamp(upload.expire_time),
    )


def batch_message(batch: domain.Batch) -> batch_pb2.Batch:
    """The message of a batch."""
    return batch_pb2.Batch(
        batch_id=batch.batch_id,
        total=batch.total,
        queued=batch.queued,
        running=batch.running,
        succeeded=batch.succeeded,
        failed=batch.failed,
        cancelled=batch.cancelled,
        create_time=timestamp(batch.create_time),
        end_time=timestamp(batch.end_time),
    )


def failed_item(item: domain.RefusedItem) -> job_service_pb2.FailedItem:
    """The message of an item that was not accepted."""
    return job_service_pb2.FailedItem(index=item.index, reason=item.reason, message=item.message)


def outcome_message(outcome: Outcome) -> action_pb2.JobOutcome:
    """The message of what became of one of several jobs."""
    return action_pb2.JobOutcome(
        job_id=outcome.job_id,
        new_job_id=outcome.new_job_id,
        reason=outcome.refusal.value if outcome.refusal else "",
        message=_REFUSALS[outcome.refusal] if outcome.refusal else "",
    )


def action_message(action: Action) -> action_pb2.Action:
    """The message of an action."""
    return action_pb2.Action(
        action_id=action.action_id,
        kind=action_pb2.Action.Kind.Value(_KIND + action.kind.value),
        time=timestamp(action.time),
        actor=action.owner,
        peer=action.peer,
        request=json.dumps(action.request, ensure_ascii=False),
        done_count=action.done,
        refused_count=action.refused,
        outcomes=[outcome_message(outcome) for outcome in action.outcomes],
    )


def transition_event(transition: domain.Transition) -> event_pb2.Event:
    """The event of a change of state."""
    change = event_pb2.Transition(
        to=state_number(transition.after),
        error=error_message(transition.error),
        **{"from": state_number(transition.before)},
    )
    return event_pb2.Event(
        job_id=transition.job_id,
        revision=transition.revision,
        attempt=transition.attempt,
        time=timestamp(transition.time),
        transition=change,
    )


def tick_event(job_id: str, revision: int, tick: Tick) -> event_pb2.Event:
    """The event of a tick."""
    return event_pb2.Event(
        job_id=job_id,
        revision=revision,
        attempt=tick.attempt,
        time=timestamp(tick.time),
        progress=progress_message(tick),
    )


def worker_message(worker: workers.Worker) -> worker_pb2.Worker:
    """The message of a worker."""
    beat = worker.heartbeat
    return worker_pb2.Worker(
        name=beat.name,
        status=worker_pb2.Worker.Status.Value(_STATUS + worker.status.value),
        hostname=beat.hostname,
        pid=beat.pid,
        version=beat.version,
        queues=beat.queues,
        concurrency=beat.concurrency,
        running_jobs=[
            worker_pb2.RunningJob(
                job_id=job.job_id, attempt=job.attempt, start_time=timestamp(job.start_time)
            )
            for job in worker.running
        ],
        jobs_done=beat.jobs_done,
        start_time=timestamp(beat.start_time),
        heartbeat_time=timestamp(worker.heartbeat_time),
        age=duration(worker.age),
    )


def probe_message(probe: Probe | None) -> worker_pb2.Probe:
    """The message of what a worker answered; None is that it did not."""
    if probe is None:
        return worker_pb2.Probe(answered=False)
    return worker_pb2.Probe(
        answered=True,
        pool_pids=probe.pool_pids,
        active_tasks=[
            worker_pb2.ActiveTask(
                task_id=task.task_id,
                name=task.name,
                pid=task.pid,
                start_time=timestamp(task.start_time),
            )
            for task in probe.active
        ],
    )


def queue_message(queue: workers.Queue) -> worker_pb2.Queue:
    """The message of a queue."""
    return worker_pb2.Queue(
        name=queue.name,
        queued=queue.queued,
        running=queue.running,
        oldest_age=duration(queue.oldest_age),
        workers=queue.workers,
    )
