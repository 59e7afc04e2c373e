"""How features are computed that leave a choice."""

from dataclasses import dataclass

from harken.client.enums import (
    AudioFormat,
    ImageFormat,
    PictureKind,
    PictureTheme,
    PreparedChannels,
    StemKind,
    VideoProduct,
)


@dataclass(frozen=True, kw_only=True)
class StemsOptions:
    """Into what the sound is taken apart, of the feature "stems"."""

    kinds: tuple[StemKind, ...] = ()
    """None means harmonic and percussive."""


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """What is made of the sound, of the feature "prepare"; what is None stays as it is in the file."""

    format: AudioFormat = AudioFormat.FLAC
    sample_rate_hz: int | None = None
    """8,000 to 192,000."""
    loudness_lufs: float | None = None
    """Integrated loudness to be reached, −70 to 0."""
    true_peak_ceiling_dbtp: float | None = None
    """Less gain is given rather than more than that, −20 to 0; −1 where a loudness is set."""
    trim_silence: bool = False
    silence_threshold_dbfs: float | None = None
    """What counts as silence, −120 to −10; −60 when None."""
    channels: PreparedChannels = PreparedChannels.KEEP
    bits: int | None = None
    """16 or 24, of WAV also 32, floating point; 24 when None."""


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """What is made of a video, of the feature "video"; lengths in pixels, and nothing is made larger than it is."""

    products: tuple[VideoProduct, ...] = ()
    """None means thumbnails and a contact sheet."""
    thumbnail_times_s: tuple[float, ...] = ()
    """None means one, of an early frame that is neither black nor blank. Past the end the last frame is taken."""
    thumbnail_height: int | None = None
    """16 to 2,160; 720 when None."""
    sheet_columns: int | None = None
    """1 to 12; 4 when None."""
    sheet_rows: int | None = None
    """1 to 20; 4 when None."""
    sheet_width: int | None = None
    """320 to 4,096; 1,280 when None."""
    image_format: ImageFormat = ImageFormat.JPEG
    proxy_height: int | None = None
    """120 to 1,080; 480 when None."""
    proxy_fps: float | None = None
    """1 to 60; 10 when None."""


@dataclass(frozen=True, kw_only=True)
class PicturesOptions:
    """Which pictures are made and how they look, of the feature "pictures"."""

    kinds: tuple[PictureKind, ...] = ()
    """None means all."""
    width: int | None = None
    """Pixels, 64 to 2,400; 1,600 when None."""
    height: int | None = None
    """Pixels, 32 to 1,200; 500 when None."""
    theme: PictureTheme = PictureTheme.DARK
    scale: int | None = None
    """Pixels of the file to each of width and height, 1 or 2; 1 when None."""


@dataclass(frozen=True, kw_only=True)
class TranscriptOptions:
    """How speech is written down, of the feature "transcript"."""

    language: str | None = None
    """The language that is spoken, such as "en"; found when None."""
    words: bool = False
    """Give each word its times."""
    translate: bool = False
    """Into English."""
    prompt: str | None = None
    """Names and terms that occur, up to 1,000 characters."""
    whole: bool = False
    """Not just where speech was found: songs, and speech in loud noise."""


@dataclass(frozen=True, kw_only=True)
class InsightsOptions:
    """Who draws the insights, of the feature "insights"."""

    language_model: bool = False
    """Also the language model that the workers are set up with; it sees features, no sound and no file."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one job's features; None is what is not chosen."""

    stems: StemsOptions | None = None
    prepare: PrepareOptions | None = None
    video: VideoOptions | None = None
    pictures: PicturesOptions | None = None
    transcript: TranscriptOptions | None = None
    insights: InsightsOptions | None = None
