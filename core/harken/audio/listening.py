"""The analyses of one run, each on its own: what one of them trips over need not stop the others."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import or_

from harken.audio.analysis import Analysis, Hears
from harken.audio.features import Feature
from harken.audio.result import FeatureError

OnFault = Callable[[Feature, Exception], FeatureError]
"""Says what an error of one analysis means for its feature; raises it where it concerns all of them."""


class Listeners:
    """Hands blocks on to those that hear them, and leaves out from then on what has failed."""

    def __init__(self, analyses: Mapping[Feature, Analysis], on_fault: OnFault | None) -> None:
        self._analyses = dict(analyses)
        self._on_fault = on_fault
        self.errors: list[FeatureError] = []
        self.hears = reduce(or_, (one.hears for one in analyses.values()), Hears.NOTHING)
        self._of_kind: dict[Hears, tuple[tuple[Feature, Analysis], ...]] = {}

    def __iter__(self) -> Iterator[tuple[Feature, Analysis]]:
        """Those that have not failed."""
        return iter(tuple(self._analyses.items()))

    def tell(self, kind: Hears, hand_on: Callable[[Analysis], object]) -> None:
        """Lets each that hears this kind of block have one."""
        if kind not in self._of_kind:
            self._of_kind[kind] = tuple(one for one in self if kind in one[1].hears)
        for feature, analysis in self._of_kind[kind]:
            self.ask(feature, lambda analysis=analysis: hand_on(analysis))

    def ask(self, feature: Feature, what: Callable[[], object]) -> object | None:
        """What an analysis answers; None where it failed. Raises what concerns all, or has no `on_fault` to go to."""
        try:
            return what()
        except Exception as error:
            if self._on_fault is None:
                raise
            self.errors.append(self._on_fault(feature, error))
            self._analyses.pop(feature).close()
            self._of_kind.clear()
            return None
