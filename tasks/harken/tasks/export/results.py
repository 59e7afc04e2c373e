"""Writing what a filter finds to a file, page by page."""

from typing import BinaryIO

from harken.jobs import export
from harken.jobs.export import Export
from harken.tasks.artifact import new_artifact
from harken.tasks.export.rows import pages
from harken.tasks.export.writers import MEDIA_TYPES, WRITERS
from harken.tasks.work import Ending, Work

STAGE = "export"


def run(work: Work) -> Ending:
    """Writes the export's file, as an artifact of its job."""
    wanted = Export.from_spec(work.job.spec or {})
    name = f"results.{wanted.format.value}"
    with new_artifact(work, name=name, media_type=MEDIA_TYPES[wanted.format]) as artifact:
        _write(work, wanted, artifact.file)
        return work.done(alongside=artifact.finish())


def _write(work: Work, wanted: Export, file: BinaryIO) -> None:
    owner, before_id = work.job.owner, work.job.job_id
    total = work.read(lambda c: export.count(c, wanted.where, owner=owner, before_id=before_id))
    work.report(STAGE, 0.0, f"0 of {total:,} rows")
    writer = WRITERS[wanted.format](file)
    done = 0
    for page in pages(
        lambda after_id, limit: work.read(
            lambda c: export.page(
                c, wanted.where, owner=owner, before_id=before_id, after_id=after_id, limit=limit
            )
        )
    ):
        writer.write(page)
        done += len(page)
        # Jobs may end while it is written: there can be more rows than were counted.
        work.report(STAGE, min(done / max(total, 1), 1.0), f"{done:,} of {max(total, done):,} rows")
    writer.close()
