"""The body of an analysis: one file through the engine."""

from harken.media import MediaRoots
from harken.tasks.work import Done, Work


def run(work: Work) -> Done:
    """Analyses the job's file. Raises InputError, SourceError, and what reading raises."""
    from harken.audio import analyze  # slow to import: not before it is needed

    job = work.job
    path = MediaRoots(work.settings.media_roots).resolve(job.source.value)
    try:
        result = analyze(
            path, job.features, on_progress=work.report, on_decoded=work.measuring.decoded
        )
    finally:
        work.measuring.stopwatch.stop()
    return Done(result=result.to_dict())
