"""Insights by rules: pure functions of the groups; a group that is missing takes its tags with it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from harken.audio.features import Feature
from harken.audio.insights.activity import activity_tags
from harken.audio.insights.camelot import camelot, compatible_keys
from harken.audio.insights.description import description_of
from harken.audio.insights.form import form_tags
from harken.audio.insights.groups import Groups
from harken.audio.insights.levels import level_tags
from harken.audio.insights.result import Insights, InsightTag
from harken.audio.insights.tempo import tempo_tags
from harken.audio.insights.tone import sure_key, tone_tags

# Adding a rule is a module and a line here.
RULES: Final[tuple[Callable[[Groups], Iterable[InsightTag]], ...]] = (
    form_tags,
    tempo_tags,
    tone_tags,
    level_tags,
    activity_tags,
)


def insights_of(groups: Mapping[Feature, Any]) -> Insights:
    """What the rules make of the groups that are there."""
    known = Groups.of(groups)
    tags = tuple(tag for rule in RULES for tag in rule(known))
    key = sure_key(known)
    return Insights(
        tags=tags,
        camelot=None if key is None else camelot(*key[:2]),
        compatible_keys=() if key is None else compatible_keys(*key[:2]),
        description=description_of(tags, known),
    )
