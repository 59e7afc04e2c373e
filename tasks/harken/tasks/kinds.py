"""Which body does which kind of job: adding one is a module and a line here, beside the kind itself."""

from collections.abc import Mapping

from harken.jobs.job import JobKind
from harken.tasks import analysis
from harken.tasks.export import results
from harken.tasks.owner import archive, erase
from harken.tasks.report import body as report
from harken.tasks.work import Body

BODIES: Mapping[JobKind, Body] = {
    JobKind.ANALYSIS: analysis.run,
    JobKind.EXPORT: results.run,
    JobKind.OWNER_EXPORT: archive.run,
    JobKind.OWNER_ERASE: erase.run,
    JobKind.REPORT: report.run,
}
