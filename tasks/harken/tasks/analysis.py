"""The body of an analysis: one file through the plan of its features, unless an earlier job has found its result."""

from sqlalchemy import Connection

from harken.jobs.files import uploads
from harken.jobs.files.upload_sources import UPLOAD
from harken.jobs.options import Options
from harken.tasks import known
from harken.tasks.sources import PATH, URI, open_source
from harken.tasks.work import Ending, Work

FETCH_SHARE = 0.2  # of a job whose file has to be fetched; how long that takes beside the analysis is up to the network


def run(work: Work) -> Ending:
    """Analyses the job's file. Raises InputError, WorkFailed, SourceError, StorageError, and what reading raises."""
    from harken.audio import Limits  # slow to import: not before it is needed
    from harken.tasks.plan.carry_out import carry_out
    from harken.tasks.plan.plan import plan_of
    from harken.tasks.plan.step import Bench
    from harken.tasks.plan.steps import STEPS

    task, job, settings = work.task, work.job, work.settings
    fetched = 0.0

    def on_fetched(share: float, message: str) -> None:
        nonlocal fetched
        fetched = FETCH_SHARE * share
        work.report("fetch", fetched, message)

    def on_progress(stage: str, fraction: float, message: str) -> None:
        work.report(stage, fetched + fraction * (1 - fetched), message)

    uploaded = None
    if job.source.kind == UPLOAD:
        uploaded = work.read(lambda c: uploads.content_of(c, job.source.value, owner=job.owner))
    key = None if uploaded is None else known.key_of(job, f"sha256:{uploaded.sha256}", settings)
    if ending := known.ending(task, job, key):
        return ending  # before an upload is fetched
    try:
        source = open_source(settings, job, on_fetched, uploaded)
        with source.file as file:
            identity = known.identity_of(file.fileno()) if job.source.kind == PATH else None
            content = f"sha256:{source.sha256}" if job.source.kind == URI else identity
            if content is not None:
                key = known.key_of(job, content, settings)
                if ending := known.ending(task, job, key):
                    return ending
            bench = Bench(
                work=work,
                options=Options.of_spec(job.spec),
                name=source.name,
                descriptor=file.fileno(),
                limits=Limits(longest_s=settings.max_audio_hours * 3600.0),
            )
            outcome = carry_out(plan_of(job.features, STEPS), bench, on_progress)
            if identity is not None and identity != known.identity_of(file.fileno()):
                key = None  # it was changed while it was read
    finally:
        work.measuring.stopwatch.stop()
    if not outcome.complete:
        key = None  # what failed may not fail another time

    def publish(connection: Connection) -> None:
        for write in outcome.publishing:
            write(connection)

    # Without files to publish the end is a single statement.
    alongside = publish if outcome.publishing else None
    return work.done(outcome.result.to_dict(), content_key=key, alongside=alongside)
