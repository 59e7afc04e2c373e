"""The body of an analysis: one file through the engine, unless an earlier job has found its result."""

from harken.jobs import uploads
from harken.jobs.upload_sources import UPLOAD
from harken.tasks import known
from harken.tasks.sources import PATH, URI, open_source
from harken.tasks.work import Ending, Work

FETCH_SHARE = 0.2  # of a job whose file has to be fetched; how long that takes beside the analysis is up to the network


def run(work: Work) -> Ending:
    """Analyses the job's file. Raises InputError, SourceError, StorageError, and what reading raises."""
    from harken.audio import Limits, analyze  # slow to import: not before it is needed

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
    key = None if uploaded is None else known.key_of(job, f"sha256:{uploaded.sha256}")
    if ending := known.ending(task, job, key):
        return ending  # before an upload is fetched
    try:
        source = open_source(settings, job, on_fetched, uploaded)
        with source.file as file:
            identity = known.identity_of(file.fileno()) if job.source.kind == PATH else None
            content = f"sha256:{source.sha256}" if job.source.kind == URI else identity
            if content is not None:
                key = known.key_of(job, content)
                if ending := known.ending(task, job, key):
                    return ending
            result = analyze(
                source.name,
                job.features,
                on_progress=on_progress,
                on_decoded=work.measuring.decoded,
                descriptor=file.fileno(),
                limits=Limits(longest_s=settings.max_audio_hours * 3600.0),
            )
            if identity is not None and identity != known.identity_of(file.fileno()):
                key = None  # it was changed while it was read
    finally:
        work.measuring.stopwatch.stop()
    return work.done(result.to_dict(), content_key=key)
