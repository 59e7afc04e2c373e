"""What is found of a video: the group `video` of a result."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VideoStream:
    """One of the streams in the file."""

    index: int | None = None
    kind: str | None = None
    """"video", "audio", "subtitle", "data" or "attachment"."""
    codec: str | None = None
    language: str | None = None
    is_default: bool | None = None
    bit_rate: int | None = None


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """One frame, as a file."""

    artifact_name: str | None = None
    """Name of the artifact that holds it."""
    time_s: float | None = None
    """The time that was asked for; None where the frame was chosen."""
    frame_time_s: float | None = None
    """When the frame begins."""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True)
class ContactSheet:
    """Frames from all over the film in one picture, as a file."""

    artifact_name: str | None = None
    """Name of the artifact that holds it."""
    columns: int | None = None
    rows: int | None = None
    frame_times_s: tuple[float, ...] = ()
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A small copy of the film, as a file."""

    artifact_name: str | None = None
    """Name of the artifact that holds it."""
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
    """Upright, with square pixels."""
    pixel_aspect_ratio: float | None = None
    """Width of a stored pixel divided by its height."""
    rotation_degrees: int | None = None
    """By how many degrees clockwise the stored picture is turned to be upright."""
    mirrored: bool | None = None
    """Whether left and right are exchanged after that."""
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
    """Whether the brightness is coded by PQ or HLG."""
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    color_range: str | None = None
    """"tv" or "pc"."""
    streams: tuple[VideoStream, ...] = ()
    stream_count: int | None = None
    """Number of streams, also of those past the first 100."""
    damaged_packets: int | None = None
    """Packets of the picture that could not be decoded, of those that were read."""
    thumbnails: tuple[Thumbnail, ...] = ()
    contact_sheet: ContactSheet | None = None
    proxy: Proxy | None = None
