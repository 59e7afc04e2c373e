"""How features are computed that leave a choice: part of what a job is, so kept in its `spec`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

# Where a loudness is to be reached and no ceiling is named: EBU R 128.
DEFAULT_CEILING_DBTP: Final = -1.0
DEFAULT_SILENCE_DBFS: Final = -60.0
DEFAULT_BITS: Final = 24
DEFAULT_THUMBNAIL_HEIGHT: Final = 720
DEFAULT_SHEET: Final = (4, 4)  # columns and rows
DEFAULT_SHEET_WIDTH: Final = 1280
DEFAULT_PROXY_HEIGHT: Final = 480
DEFAULT_PROXY_FPS: Final = 10.0

_KEY: Final = "options"


class StemKind(StrEnum):
    """A way to take sound apart."""

    HARMONIC_PERCUSSIVE = "harmonic_percussive"
    FOREGROUND_BACKGROUND = "foreground_background"
    MODEL = "model"


class AudioFormat(StrEnum):
    """A format of files; the values are their extensions."""

    FLAC = "flac"
    WAV = "wav"


@dataclass(frozen=True, kw_only=True)
class StemsOptions:
    """Into what the sound is taken apart, each kind once, in the order of the enum."""

    kinds: tuple[StemKind, ...] = (StemKind.HARMONIC_PERCUSSIVE,)


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """What is made of the sound; what is None stays as it is in the file."""

    format: AudioFormat = AudioFormat.FLAC
    sample_rate_hz: int | None = None
    loudness_lufs: float | None = None
    true_peak_ceiling_dbtp: float | None = None
    trim_silence: bool = False
    silence_threshold_dbfs: float = DEFAULT_SILENCE_DBFS
    mono: bool = False
    bits: int = DEFAULT_BITS


class VideoProduct(StrEnum):
    """What can be made of a video."""

    FACTS = "facts"
    THUMBNAILS = "thumbnails"
    CONTACT_SHEET = "contact_sheet"
    PROXY = "proxy"


class ImageFormat(StrEnum):
    """A format of pictures."""

    JPEG = "jpeg"
    PNG = "png"


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """What is made of a video, each product once, in the order of the enum; lengths in pixels."""

    products: tuple[VideoProduct, ...] = (VideoProduct.THUMBNAILS, VideoProduct.CONTACT_SHEET)
    thumbnail_times_s: tuple[float, ...] = ()
    thumbnail_height: int = DEFAULT_THUMBNAIL_HEIGHT
    sheet_columns: int = DEFAULT_SHEET[0]
    sheet_rows: int = DEFAULT_SHEET[1]
    sheet_width: int = DEFAULT_SHEET_WIDTH
    image_format: ImageFormat = ImageFormat.JPEG
    proxy_height: int = DEFAULT_PROXY_HEIGHT
    proxy_fps: float = DEFAULT_PROXY_FPS


class PictureKind(StrEnum):
    """What a picture shows."""

    WAVEFORM = "waveform"
    MEL_SPECTROGRAM = "mel_spectrogram"
    CHROMAGRAM = "chromagram"
    TEMPOGRAM = "tempogram"
    LOUDNESS = "loudness"
    PEAKS = "peaks"


class PictureTheme(StrEnum):
    """On what ground pictures stand."""

    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, kw_only=True)
class PicturesOptions:
    """Which pictures are made, each kind once, in the order of the enum, and how they look."""

    kinds: tuple[PictureKind, ...] = tuple(PictureKind)
    width: int = 1600
    height: int = 500
    theme: PictureTheme = PictureTheme.DARK
    scale: int = 1


@dataclass(frozen=True, kw_only=True)
class TranscriptOptions:
    """How speech is written down; without a language the model finds it."""

    language: str | None = None
    words: bool = False
    translate: bool = False
    prompt: str | None = None
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class InsightsOptions:
    """Whether a language model is asked too."""

    language_model: bool = False


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one job's features; None is of a feature that is not asked for, or left to its defaults."""

    stems: StemsOptions | None = None
    prepare: PrepareOptions | None = None
    video: VideoOptions | None = None
    pictures: PicturesOptions | None = None
    transcript: TranscriptOptions | None = None
    insights: InsightsOptions | None = None

    def to_spec(self) -> dict[str, Any] | None:
        """A job's `spec`; None where nothing was chosen."""
        if self == _NOTHING:
            return None
        chosen = {name: part for name, part in asdict(self).items() if part is not None}
        return {_KEY: _plain(chosen)}

    @classmethod
    def of_spec(cls, spec: Mapping[str, Any] | None) -> "Options":
        """The options in a job's `spec`; what a newer version wrote and this one lacks is left out."""
        found: Mapping[str, Any] = (spec or {}).get(_KEY) or {}
        stems, prepare = found.get("stems"), found.get("prepare")
        video, insights = found.get("video"), found.get("insights")
        pictures = found.get("pictures")
        transcript = found.get("transcript")
        return cls(
            stems=None if stems is None else _stems(stems),
            prepare=None if prepare is None else _prepare(prepare),
            video=None if video is None else _video(video),
            pictures=None if pictures is None else _pictures(pictures),
            transcript=None if transcript is None else _transcript(transcript),
            insights=None if insights is None else _insights(insights),
        )


_NOTHING = Options()


def _stems(plain: Mapping[str, Any]) -> StemsOptions:
    return StemsOptions(kinds=tuple(StemKind(kind) for kind in plain["kinds"]))


def _prepare(plain: Mapping[str, Any]) -> PrepareOptions:
    known: dict[str, Any] = {
        name: plain[name] for name in PrepareOptions.__dataclass_fields__ if name in plain
    }
    known["format"] = AudioFormat(plain["format"])
    return PrepareOptions(**known)


def _video(plain: Mapping[str, Any]) -> VideoOptions:
    known: dict[str, Any] = {
        name: plain[name] for name in VideoOptions.__dataclass_fields__ if name in plain
    }
    known["products"] = tuple(VideoProduct(name) for name in plain["products"])
    known["thumbnail_times_s"] = tuple(plain["thumbnail_times_s"])
    known["image_format"] = ImageFormat(plain["image_format"])
    return VideoOptions(**known)


def _pictures(plain: Mapping[str, Any]) -> PicturesOptions:
    known: dict[str, Any] = {
        name: plain[name] for name in PicturesOptions.__dataclass_fields__ if name in plain
    }
    known["kinds"] = tuple(PictureKind(kind) for kind in plain["kinds"])
    known["theme"] = PictureTheme(plain["theme"])
    return PicturesOptions(**known)


def _transcript(plain: Mapping[str, Any]) -> TranscriptOptions:
    fields = TranscriptOptions.__dataclass_fields__
    return TranscriptOptions(**{name: plain[name] for name in fields if name in plain})


def _insights(plain: Mapping[str, Any]) -> InsightsOptions:
    return InsightsOptions(language_model=bool(plain.get("language_model")))


def _plain(value: Any) -> Any:
    """JSON values alone, as they come out of the database again."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, StrEnum) else value
