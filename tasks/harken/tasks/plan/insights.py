"""Insights: what the rules make of the other features, and what a language model adds where one is asked for."""

import logging
import os
import time
from dataclasses import replace

from harken.audio import Feature, Insights, InsightSource, InsightTag
from harken.audio.insights.groups import NEEDED
from harken.audio.insights.rules import insights_of
from harken.jobs.job import ErrorKind
from harken.jobs.options import InsightsOptions
from harken.tasks.language_model.endpoint import RUNTIME_MISSING, Endpoint
from harken.tasks.language_model.failure import ModelFailure
from harken.tasks.measurement import ANSWERED
from harken.tasks.plan.step import Groups, Report, Step
from harken.tasks.work import WorkFailed

LOG = logging.getLogger(__name__)


class InsightsStep(Step):
    """Hears nothing itself; a group that failed takes its tags with it."""

    feature = Feature.INSIGHTS
    uses = NEEDED
    after = ("speech", "quality")
    cost = 0.05

    @property
    def _options(self) -> InsightsOptions:
        return self.bench.options.insights or InsightsOptions()

    def run(self, groups: Groups, report: Report) -> Insights:
        """The insights; a language model that fails leaves those of the rules, and the reason.

        Raises WorkFailed where one is asked for and none is set up.
        """
        insights = insights_of(groups)
        if not self._options.language_model:
            return insights
        endpoint = Endpoint.of(self.bench.work.settings)
        return self._asked(endpoint, groups, insights, report)

    def _asked(
        self, endpoint: Endpoint, groups: Groups, insights: Insights, report: Report
    ) -> Insights:
        try:
            from harken.tasks.language_model.conversation import ask
            from harken.tasks.language_model.prompt import messages_of
        except ModuleNotFoundError as error:
            raise WorkFailed(
                kind=ErrorKind.INTERNAL,
                reason=RUNTIME_MISSING,
                message="The worker cannot ask a language model: pip install 'harken[language]'",
            ) from error
        job, begun = self.bench.work.job, time.monotonic()
        name = os.path.basename(self.bench.name) if endpoint.sees_names else None
        messages = messages_of(groups, insights, name=name)
        try:
            answer = ask(endpoint, messages, lambda: report(0.0, f"asking {endpoint.model}"))
        except ModelFailure as failure:
            took = time.monotonic() - begun
            self.bench.work.measuring.asked(failure.reason, took)
            LOG.warning(
                "job %s has insights by the rules alone: %s after %.1f s (%s)",
                *(job.job_id, failure.reason, took, failure),
            )
            return replace(insights, fallback_reason=failure.reason)
        self.bench.work.measuring.asked(ANSWERED, time.monotonic() - begun)
        said = (
            InsightTag(name=word, source=InsightSource.LANGUAGE_MODEL)
            for word in dict.fromkeys(answer.tags)
        )
        return replace(
            insights,
            tags=(*insights.tags, *said),
            description=" ".join(answer.description.split()),
            source=InsightSource.LANGUAGE_MODEL,
            model=endpoint.model,
        )
