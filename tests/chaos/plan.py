"""Which faults strike when: decided before the run, by the seed alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

FIRST_S = 1.5  # some jobs are under way by then
EVERY_S = 2.5  # on average: shorter than most recoveries, so that faults meet
CALM_EVERY = 8  # faults after which it is calm, so that recoveries can be judged by themselves
CALM_S = 22.0  # a lease and its bound


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A fault to come: `seed` decides its details, such as whom it strikes."""

    at_s: float  # after the run's begin
    kind: str
    seed: str


def plan(
    seed: int, duration_s: float, kinds: Sequence[str], *, every_s: float = EVERY_S
) -> tuple[Planned, ...]:
    """The faults of a run. Each kind comes once before one comes again."""
    chance = Random(f"faults {seed}")
    planned: list[Planned] = []
    left: list[str] = []
    at_s = FIRST_S
    while at_s < duration_s:
        if not left:
            left = chance.sample(kinds, len(kinds))
        details = f"{seed} {len(planned)}"
        planned.append(Planned(at_s=round(at_s, 2), kind=left.pop(), seed=details))
        at_s += chance.expovariate(1 / every_s)
        if len(planned) % CALM_EVERY == 0:
            at_s += CALM_S
    return tuple(planned)
