"""Insights: what the rules make of the other features, and what a language model adds where one is asked for."""

from harken.audio import Feature, Insights
from harken.audio.insights.groups import NEEDED
from harken.audio.insights.rules import insights_of
from harken.jobs.options import InsightsOptions
from harken.tasks.plan.step import Groups, Report, Step


class InsightsStep(Step):
    """Hears nothing itself; a group that failed takes its tags with it."""

    feature = Feature.INSIGHTS
    uses = NEEDED
    after = ("speech", "quality")
    cost = 0.05

    @property
    def _options(self) -> InsightsOptions:
        return self.bench.options.insights or InsightsOptions()

    def run(self, groups: Groups, report: Report) -> Insights:  # noqa: ARG002
        """The insights."""
        return insights_of(groups)
