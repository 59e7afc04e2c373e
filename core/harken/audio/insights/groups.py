"""The groups that insights are drawn from; each may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from harken.audio.features import Feature
from harken.audio.result import Loudness, Media, Onsets, Rhythm, Spectral, Tonal
from harken.audio.speech.result import Speech

NEEDED: Final = (
    Feature.MEDIA,
    Feature.RHYTHM,
    Feature.TONAL,
    Feature.SPECTRAL,
    Feature.LOUDNESS,
    Feature.ONSETS,
    Feature.SPEECH,
)


@dataclass(frozen=True, kw_only=True)
class Groups:
    """What a result has of them."""

    media: Media | None = None
    rhythm: Rhythm | None = None
    tonal: Tonal | None = None
    spectral: Spectral | None = None
    loudness: Loudness | None = None
    onsets: Onsets | None = None
    speech: Speech | None = None

    @classmethod
    def of(cls, groups: Mapping[Feature, Any]) -> Self:
        """Those that are there."""
        return cls(**{feature.value: groups.get(feature) for feature in NEEDED})

    @property
    def duration_s(self) -> float | None:
        """Of the sound."""
        return None if self.media is None else self.media.duration_s
