"""What is found of a video's picture: the group `video` of a result."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VideoStream:
    """One of the streams in the file."""

    index: int | None = None
    kind: str | None = None
    codec: str | None = None
    language: str | None = None
    is_default: bool | None = None
    bit_rate: int | None = None


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """One frame, as a file."""

    artifact_name: str | None = None
    time_s: float | None = None
    frame_time_s: float | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True)
class ContactSheet:
    """Frames from all over the film in one picture, as a file."""

    artifact_name: str | None = None
    columns: int | None = None
    rows: int | None = None
    frame_times_s: tuple[float, ...] = ()
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A small copy of the film, as a file."""

    artifact_name: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    frame_count: int | None = None
    duration_s: float | None = None
    has_sound: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Video:
    """The picture; times in seconds from its first frame."""

    width: int | None = None
    height: int | None = None
    display_width: int | None = None
    display_height: int | None = None
    pixel_aspect_ratio: float | None = None
    rotation_degrees: int | None = None
    mirrored: bool | None = None
    fps: float | None = None
    variable_frame_rate: bool | None = None
    frame_count: int | None = None
    duration_s: float | None = None
    codec: str | None = None
    profile: str | None = None
    container: str | None = None
    pixel_format: str | None = None
    bit_depth: int | None = None
    bit_rate: int | None = None
    interlaced: bool | None = None
    hdr: bool | None = None
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    color_range: str | None = None
    streams: tuple[VideoStream, ...] = ()
    stream_count: int | None = None
    damaged_packets: int | None = None
    thumbnails: tuple[Thumbnail, ...] = ()
    contact_sheet: ContactSheet | None = None
    proxy: Proxy | None = None
