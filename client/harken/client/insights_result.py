"""What the other features mean to people."""

from dataclasses import dataclass

from harken.client.enums import InsightSource, KeyRelation


@dataclass(frozen=True, kw_only=True)
class InsightTag:
    """A word for what was found, such as "tempo:fast"; one of a language model has neither confidence nor evidence."""

    name: str = ""
    confidence: float | None = None
    """0 to 1."""
    evidence: str | None = None
    """The numbers that the rule has seen."""
    source: InsightSource = InsightSource.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class CompatibleKey:
    """A key that mixes well with that of the recording."""

    camelot: str = ""
    key: str = ""
    mode: str = ""
    relation: KeyRelation = KeyRelation.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Insights:
    """Tags, keys and a sentence; what the other features do not tell is not there."""

    tags: tuple[InsightTag, ...] = ()
    camelot: str | None = None
    """The key in Camelot notation; None where it is not sure."""
    compatible_keys: tuple[CompatibleKey, ...] = ()
    """Itself first."""
    description: str | None = None
    source: InsightSource = InsightSource.UNKNOWN
    """Who has written the description."""
    fallback_reason: str | None = None
    """Why a language model that was asked for has added nothing, in UPPER_SNAKE_CASE."""
    model: str | None = None
    """The language model that was used."""
