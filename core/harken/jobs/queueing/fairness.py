"""Whose job is next among jobs of the same urgency: that of the owner who has the least in flight for its weight."""

import heapq
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

DEFAULT_WEIGHT = 1.0


def choose(
    candidates: Mapping[str, Sequence[T]],
    *,
    in_flight: Mapping[str, int],
    weights: Mapping[str, float],
    room: int,
) -> list[T]:
    """At most `room` of the candidates, in the order in which they are to go.

    `candidates` are each owner's jobs in the order of submission, `in_flight` counts what each owner's slots and
    messages are taken up with. An owner of weight 2 gets two places for one of an owner of weight 1; unnamed ones have
    weight 1. Of two that are even, the owner who is named first goes first.
    """

    def turn(owner: str, taken: int) -> float:
        share = weights.get(owner, DEFAULT_WEIGHT)
        return (in_flight.get(owner, 0) + taken + 1) / share

    turns = [(turn(owner, 0), place, owner, 0) for place, owner in enumerate(candidates)]
    heapq.heapify(turns)
    chosen: list[T] = []
    while turns and len(chosen) < room:
        _, place, owner, taken = heapq.heappop(turns)
        if taken < len(candidates[owner]):
            chosen.append(candidates[owner][taken])
            heapq.heappush(turns, (turn(owner, taken + 1), place, owner, taken + 1))
    return chosen
