"""Carrying a plan out: the pass over the sound, then the steps; what fails alone does not stop the others."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

import harken.audio
from harken.audio import AnalysisResult, Feature, FeatureError, InputError
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
    listeners = _listeners(steps, faults, errors)
    done = PASS_COST if plan.heard or listeners else 0.0
    total = done + sum(step.spends for step in steps)
    groups: dict[Feature, Any] = {}
    if done:
        share = done / total
        heard = _hear(
            plan, bench, listeners, faults, lambda *tick: _part(on_progress, share, *tick)
        )
        errors.update((error.feature, error) for error in heard.errors)
        groups |= {f: getattr(heard, f.value) for f in plan.heard if f not in errors}
    for step in steps:
        feature, begun = step.feature, done
        done += step.spends

        def report(share: float, message: str, step: Step = step, begun: float = begun) -> None:
            spent = begun + step.spends * min(max(share, 0.0), 1.0)
            on_progress(step.feature, spent / max(total, step.spends, 1e-9), message)

        failed = _missing_for(step, errors)
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


def _missing_for(step: Step, errors: Mapping[Feature, FeatureError]) -> FeatureError | None:
    """Why a step cannot run: one that it needs failed, or all that it uses did, as of a file that is none."""
    needed = [errors[need] for need in step.needs if need in errors]
    used = [errors[one] for one in step.uses if one in errors]
    if used and len(used) == len(step.uses):
        needed += used
    return needed[0] if needed else None


def _part(on_progress: OnProgress, whole: float, stage: str, fraction: float, message: str) -> None:
    on_progress(stage, fraction * whole, message)


def _listeners(
    steps: list[Step],
    faults: Callable[[Feature, Exception], FeatureError],
    errors: dict[Feature, FeatureError],
) -> dict[Feature, Analysis]:
    """What hears the sound for the steps."""
    listeners: dict[Feature, Analysis] = {}
    for step in steps:
        try:
            listener = step.listener()
        except Exception as error:
            errors[step.feature] = faults(step.feature, error)
            continue
        if listener is not None:
            listeners[step.feature] = listener
    return listeners


def _hear(
    plan: Plan,
    bench: Bench,
    listeners: Mapping[Feature, Analysis],
    faults: Callable[[Feature, Exception], FeatureError],
    on_progress: OnProgress,
) -> AnalysisResult:
    """The one pass over the sound, which the engine's features and the steps' listeners share.

    A file whose sound cannot be read fails all of these and none of the steps that do without.
    """
    try:
        return harken.audio.analyze(
            bench.name,
            plan.heard,
            on_progress=on_progress,
            on_decoded=bench.work.measuring.decoded,
            descriptor=bench.descriptor,
            limits=bench.limits,
            listeners=listeners,
            on_fault=faults,
        )
    except InputError as error:
        hearing = (*plan.heard, *listeners)
        return AnalysisResult(errors=tuple(faults(feature, error) for feature in hearing))


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
