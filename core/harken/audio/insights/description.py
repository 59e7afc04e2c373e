"""A sentence made of tags, for a catalogue that has no better one."""

from collections.abc import Sequence
from typing import Final

from harken.audio.insights.groups import Groups
from harken.audio.insights.result import InsightTag

# In the order of English: how it moves, how it sounds, what it is.
_ADJECTIVES: Final = ("tempo", "density", "brightness", "dynamics")
_NOUNS: Final = {"speech": "speech recording"}  # of a form that is no noun by itself
_SAID: Final = frozenset(
    {"slow", "fast", "sparse", "dense", "dark", "bright", "compressed", "dynamic"}
)


def description_of(tags: Sequence[InsightTag], groups: Groups) -> str | None:
    """The sentence; None where the form is not known."""
    named: dict[str, str] = {}
    for tag in tags:
        namespace, _, word = tag.name.partition(":")
        named.setdefault(namespace, word)
    if "form" not in named:
        return None
    words = [named[namespace] for namespace in _ADJECTIVES if named.get(namespace) in _SAID]
    noun = _NOUNS.get(named["form"], named["form"])
    what = " ".join((", ".join(words), noun)).strip()
    duration = groups.duration_s or 0.0
    sentence = f"A {what} of {_length(duration)}"
    rhythm, tonal = groups.rhythm, groups.tonal
    if "tempo" in named and rhythm is not None and rhythm.tempo_bpm is not None:
        sentence += f" at {rhythm.tempo_bpm:.0f} BPM"
    if "key" in named and tonal is not None:
        sentence += f" in {tonal.key} {tonal.mode} ({named['key'].upper()})"
    if "energy" in named:
        sentence += f", of {named['energy']} energy"
    return f"{sentence}."


def _length(seconds: float) -> str:
    if seconds < 60.0:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min"
