"""What insights are: frozen values that carry the names of the published contract."""

from dataclasses import dataclass
from enum import StrEnum


class InsightSource(StrEnum):
    """Who says so, in the contract's words."""

    RULES = "SOURCE_RULES"
    LANGUAGE_MODEL = "SOURCE_LANGUAGE_MODEL"


@dataclass(frozen=True, kw_only=True)
class InsightTag:
    """A word for what was found, such as "tempo:fast"; a language model's has neither confidence nor evidence."""

    name: str
    confidence: float | None = None
    evidence: str | None = None
    source: InsightSource = InsightSource.RULES


class KeyRelation(StrEnum):
    """How a key goes with that of the recording, in the contract's words."""

    SAME = "RELATION_SAME"
    RELATIVE = "RELATION_RELATIVE"
    FIFTH_UP = "RELATION_FIFTH_UP"
    FIFTH_DOWN = "RELATION_FIFTH_DOWN"


@dataclass(frozen=True, kw_only=True)
class CompatibleKey:
    """A key that mixes well with that of the recording."""

    camelot: str
    key: str
    mode: str
    relation: KeyRelation


@dataclass(frozen=True, kw_only=True)
class Insights:
    """Tags, keys and a sentence; what the groups do not tell is not there."""

    tags: tuple[InsightTag, ...] = ()
    camelot: str | None = None
    compatible_keys: tuple[CompatibleKey, ...] = ()
    description: str | None = None
    source: InsightSource = InsightSource.RULES
    fallback_reason: str | None = None
    model: str | None = None
