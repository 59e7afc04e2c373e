"""Counting a collection page by page, and writing what was found."""

import orjson

from harken.jobs.collection.extent import extent_of
from harken.jobs.collection.report import Report
from harken.jobs.collection.rows import Collection, page, pages
from harken.jobs.collection.statistics import Statistics
from harken.tasks.artifact import new_artifact
from harken.tasks.job_task import utc_now
from harken.tasks.report.document import document
from harken.tasks.work import Ending, Work

STAGE = "report"
PAGE = "report.html"
FIGURES = "statistics.json"


def run(work: Work) -> Ending:
    """Writes the report's two files, as artifacts of its job."""
    wanted = Report.from_spec(work.job.spec or {})
    collection = Collection(owner=work.job.owner, where=wanted.where, before_id=work.job.job_id)
    extent = work.read(lambda c: extent_of(c, collection))
    statistics = Statistics()
    work.report(STAGE, 0.0, f"0 of {extent.jobs:,} analyses")
    for rows in pages(
        lambda after_id, limit: work.read(
            lambda c: page(c, collection, after_id=after_id, limit=limit)
        )
    ):
        statistics.add(rows)
        done, total = statistics.jobs, max(statistics.jobs, extent.jobs)
        work.report(STAGE, done / total, f"{done:,} of {total:,} analyses")
    found = statistics.to_dict(extent)
    figures = orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    html = document(found, wanted, made=utc_now())
    with (
        new_artifact(work, name=PAGE, media_type="text/html; charset=utf-8") as page_file,
        new_artifact(work, name=FIGURES, media_type="application/json") as figures_file,
    ):
        page_file.file.write(html)
        figures_file.file.write(figures)
        keeping = (page_file.finish(), figures_file.finish())
        return work.done(alongside=lambda c: [keep(c) for keep in keeping])
