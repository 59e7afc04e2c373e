"""The body of an analysis: one file through the engine."""

from harken.tasks.sources import open_source
from harken.tasks.work import Done, Work

FETCH_SHARE = 0.2  # of a job whose file has to be fetched; how long that takes beside the analysis is up to the network


def run(work: Work) -> Done:
    """Analyses the job's file. Raises InputError, SourceError, and what reading raises."""
    from harken.audio import Limits, analyze  # slow to import: not before it is needed

    job, settings = work.job, work.settings
    fetched = 0.0

    def on_fetched(share: float, message: str) -> None:
        nonlocal fetched
        fetched = FETCH_SHARE * share
        work.report("fetch", fetched, message)

    def on_progress(stage: str, fraction: float, message: str) -> None:
        work.report(stage, fetched + fraction * (1 - fetched), message)

    try:
        with open_source(settings, job, on_fetched) as file:
            result = analyze(
                job.source.value,
                job.features,
                on_progress=on_progress,
                on_decoded=work.measuring.decoded,
                descriptor=file.fileno(),
                limits=Limits(longest_s=settings.max_audio_hours * 3600.0),
            )
    finally:
        work.measuring.stopwatch.stop()
    return Done(result=result.to_dict())
