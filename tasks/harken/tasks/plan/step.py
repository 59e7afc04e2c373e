"""What a feature is that the engine alone cannot compute: it needs others' output, or makes files."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Connection

from harken.audio import Feature, Limits
from harken.audio.analysis import Analysis
from harken.jobs.options import Options
from harken.tasks.artifact import NewArtifact, new_artifact
from harken.tasks.work import Work

Groups = Mapping[Feature, Any]
Report = Callable[[float, str], None]
"""Is told the share of a step that is done, 0 to 1, and what that is for people; raises what has to stop it."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a step has at hand: the job, its options, the open file, and where artifacts go."""

    work: Work
    options: Options
    name: str  # of the file, whose extension says what it may be
    descriptor: int  # of the file, open; its position is whoever reads it next
    limits: Limits
    _published: list[Callable[[Connection], object]] = field(
        default_factory=list[Callable[[Connection], object]]
    )

    def new_artifact(self, *, name: str, media_type: str) -> AbstractContextManager[NewArtifact]:
        """An artifact to write; `publish` it once it is whole."""
        return new_artifact(self.work, name=name, media_type=media_type)

    def publish(self, artifact: NewArtifact) -> None:
        """Makes the artifact's bytes durable, to be the job's own with its end, if the step ends well."""
        self._published.append(artifact.finish())

    @property
    def published(self) -> tuple[Callable[[Connection], object], ...]:
        """The writes that make the artifacts the job's own."""
        return tuple(self._published)


class Step:
    """Base of the steps, one instance an attempt: name `feature`, override `run`, and `listener` to hear the sound.

    What `listener` gives hears the one pass over the sound that all features share; `run` comes once that is over, the
    groups of `needs` are there, and those of `uses` that did not fail. Either may raise InputError or WorkFailed to say
    what is wrong, which fails this feature alone.
    """

    feature: ClassVar[Feature]
    needs: ClassVar[tuple[Feature, ...]] = ()
    # Computed as those of `needs` are, but the step does without those that fail, as long as one is there.
    uses: ClassVar[tuple[Feature, ...]] = ()
    # Names of features that come first where they are asked for, and may not even be known; their groups are there.
    after: ClassVar[tuple[str, ...]] = ()
    # What `run` costs beside the pass over the sound; 0 where the listener does the work.
    cost: ClassVar[float] = 0.0

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def listener(self) -> Analysis | None:
        """What hears the sound for this step."""
        return None

    def run(self, groups: Groups, report: Report) -> object:
        """The group of the result."""
        raise NotImplementedError

    @property
    def spends(self) -> float:
        """What `run` costs with the options of this job, in passes over the sound."""
        return self.cost

    def close(self) -> None:
        """Gives back what the step holds, however the attempt ends."""
