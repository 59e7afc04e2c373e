"""Insights as lines that a person can read."""

from harken.client.cli.text import NOTHING, plain
from harken.client.enums import InsightSource
from harken.client.insights_result import Insights, InsightTag

_UNSURE_BELOW = 0.6
"""A tag that is less sure has a question mark."""


def insight_rows(insights: Insights) -> list[tuple[str, str]]:
    """Titles with their texts: the sentence, the tags, the keys that mix well."""
    by_model = insights.source is InsightSource.LANGUAGE_MODEL
    said_by = f" (by {plain(insights.model or NOTHING)})" if by_model else ""
    rows = [("About", f"{plain(insights.description or NOTHING)}{said_by}")]
    if insights.fallback_reason:
        rows.append(("By rules", f"the language model failed: {plain(insights.fallback_reason)}"))
    rows.append(("Tags", ", ".join(map(_word, insights.tags)) or NOTHING))
    if insights.compatible_keys:
        keys = (f"{key.camelot} ({key.key} {key.mode})" for key in insights.compatible_keys)
        rows.append(("Mixes with", plain(", ".join(keys))))
    return rows


def _word(tag: InsightTag) -> str:
    unsure = tag.confidence is not None and tag.confidence < _UNSURE_BELOW
    return plain(tag.name) + ("?" if unsure else "")
