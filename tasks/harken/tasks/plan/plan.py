"""What has to be done for the features asked for, and in which order: pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from harken.audio import IN_FILES, Feature
from harken.jobs.job import ErrorKind
from harken.tasks.plan.step import Step
from harken.tasks.work import WorkFailed

# The pass over the sound, of which the cost of a step is counted in multiples.
PASS_COST = 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the engine computes itself, also for others alone, the steps in their order, and what nothing computes."""

    asked: tuple[Feature, ...]
    heard: tuple[Feature, ...]
    steps: tuple[type[Step], ...]
    missing: tuple[Feature, ...] = ()


def plan_of(features: Collection[str], steps: Mapping[Feature, type[Step]]) -> Plan:
    """The plan for features; each step comes after those whose groups it reads. Raises WorkFailed for unknown ones."""
    if unknown := sorted({*features} - {*Feature}):
        # Of a newer server, while workers are exchanged: a later attempt may meet a newer worker.
        message = (
            f"The worker's version of harken does not know {', '.join(unknown)}. Run newer workers."
        )
        raise WorkFailed(kind=ErrorKind.TRANSIENT, reason="FEATURE_NOT_AVAILABLE", message=message)
    asked = {Feature(name) for name in features}
    wanted: dict[Feature, None] = {}
    _add(asked, asked, steps, wanted, ())
    return Plan(
        asked=tuple(feature for feature in Feature if feature in asked),
        heard=tuple(f for f in Feature if f in wanted and f not in steps and f not in IN_FILES),
        steps=tuple(steps[feature] for feature in wanted if feature in steps),
        missing=tuple(f for f in Feature if f in wanted and f not in steps and f in IN_FILES),
    )


def _add(
    features: Iterable[Feature],
    asked: Collection[Feature],
    steps: Mapping[Feature, type[Step]],
    wanted: dict[Feature, None],
    waiting: tuple[Feature, ...],
) -> None:
    """Adds features behind what they need."""
    for feature in sorted(features, key=list(Feature).index):
        if feature in waiting:
            circle = " → ".join((*waiting, feature))
            raise ValueError(f"These features need each other: {circle}.")
        if feature in wanted:
            continue
        if feature in steps:
            step = steps[feature]
            first = {*step.needs, *step.uses} | {f for f in asked if f.value in step.after}
            _add(first, asked, steps, wanted, (*waiting, feature))
        wanted[feature] = None
