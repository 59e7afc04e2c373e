"""Carrying a plan out: the pass over the sound, then the steps; what fails alone does not stop the others."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

import harken.audio
from harken.audio import AnalysisResult, Feature, FeatureError
from harken.audio.analysis import Analysis
from harken.jobs.job import ErrorKind
from harken.tasks.plan import fault
from harken.tasks.plan.plan import PASS_COST, Plan
from harken.tasks.plan.step import Bench, Step
from harken.tasks.work import WorkFailed

# Told the stage, the share of the whole plan that is done, and what that is for people.
OnProgress = Callable[[str, float, str], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a plan led to: the result, which may be partial, and the writes that publish its artifacts."""

    result: AnalysisResult
    publishing: tuple[Callable[[Connection], object], ...]

    @property
    def complete(self) -> bool:
        """Whether every feature that was asked for is there, and nothing stands in for what failed."""
        insights = self.result.insights
        return not self.result.errors and not (insights and insights.fallback_reason)


def carry_out(plan: Plan, bench: Bench, on_progress: OnProgress) -> Outcome:
    """Computes the features of a plan.

    Raises WorkFailed with the first error when no feature could be computed, and all that concerns the whole job.
    """
    benches = {step.feature: replace(bench, _published=[]) for step in plan.steps}
    steps = [step(benches[step.feature]) for step in plan.steps]
    with ExitStack() as cleanup:
        for step in steps:
            cleanup.callback(step.close)
        return _carried_out(plan, bench, benches, steps, on_progress)


def _carried_out(
    plan: Plan,
    bench: Bench,
    benches: Mapping[Feature, Bench],
    steps: list[Step],
    on_progress: OnProgress,
) -> Outcome:
    faults = fault.faults_of(bench.work.job)
    errors = {feature: fault.missing(feature) for feature in plan.missing}
    heard = _hear(plan, bench, steps, faults, errors, on_progress)
    groups: dict[Feature, Any] = {f: getattr(heard, f.value) for f in plan.heard if f not in errors}
    done = PASS_COST
    for step in steps:
        feature, begun = step.feature, done
        done += step.cost

        def report(share: float, message: str, step: Step = step, begun: float = begun) -> None:
            spent = begun + step.cost * min(max(share, 0.0), 1.0)
            on_progress(step.feature, spent / plan.cost, message)

        failed = next((errors[need] for need in step.needs if need in errors), None)
        if feature in errors:
            continue
        if failed is not None:
            errors[feature] = fault.needed(feature, failed)
            continue
        try:
            report(0.0, "")
            groups[feature] = step.run(groups, report)
        except Exception as error:
            errors[feature] = faults(feature, error)
    return _outcome(plan, groups, errors, benches)


def _hear(
    plan: Plan,
    bench: Bench,
    steps: list[Step],
    faults: Callable[[Feature, Exception], FeatureError],
    errors: dict[Feature, FeatureError],
    on_progress: OnProgress,
) -> AnalysisResult:
    """The one pass over the sound, which the engine's features and the steps' listeners share."""
    listeners: dict[Feature, Analysis] = {}
    for step in steps:
        try:
            listener = step.listener()
        except Exception as error:
            errors[step.feature] = faults(step.feature, error)
            continue
        if listener is not None:
            listeners[step.feature] = listener
    share = PASS_COST / plan.cost
    result = harken.audio.analyze(
        bench.name,
        plan.heard,
        on_progress=lambda stage, fraction, message: on_progress(stage, fraction * share, message),
        on_decoded=bench.work.measuring.decoded,
        descriptor=bench.descriptor,
        limits=bench.limits,
        listeners=listeners,
        on_fault=faults,
    )
    errors.update((error.feature, error) for error in result.errors)
    return result


def _outcome(
    plan: Plan,
    groups: Mapping[Feature, Any],
    errors: Mapping[Feature, FeatureError],
    benches: Mapping[Feature, Bench],
) -> Outcome:
    failed = tuple(errors[feature] for feature in plan.asked if feature in errors)
    found = {feature.value: groups[feature] for feature in plan.asked if feature in groups}
    if failed and not found:
        first = failed[0]
        kind = ErrorKind[first.kind.name]
        raise WorkFailed(kind=kind, reason=first.reason, message=first.message)
    published = (benches[f].published for f in plan.asked if f in benches and f not in errors)
    return Outcome(
        result=AnalysisResult(**found, errors=failed),
        publishing=tuple(write for writes in published for write in writes),
    )
