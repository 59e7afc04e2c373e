"""Insights beside the groups of one analysis, where the engine works alone."""

from harken.audio.features import Feature
from harken.audio.insights.groups import NEEDED
from harken.audio.insights.rules import insights_of
from harken.audio.result import AnalysisResult


def heard_for(wanted: tuple[Feature, ...]) -> tuple[Feature, ...]:
    """What has to be computed so that insights are found with the features that are wanted."""
    heard = {*wanted, *NEEDED} - {Feature.INSIGHTS}
    return tuple(feature for feature in Feature if feature in heard)


def with_insights(result: AnalysisResult, wanted: tuple[Feature, ...]) -> AnalysisResult:
    """The groups that are wanted alone, and what the rules make of all that were computed."""
    groups = {feature: getattr(result, feature.value) for feature in heard_for(wanted)}
    kept = {feature.value: groups[feature] for feature in wanted if feature in groups}
    errors = tuple(error for error in result.errors if error.feature in wanted)
    return AnalysisResult(**kept, insights=insights_of(groups), errors=errors)
