"""What a video is, by its header, its first packets and its first frame."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, Final

from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame

from harken.audio.limits import Limits
from harken.audio.media import container_name
from harken.audio.video.colors import HDR, PRIMARIES, RANGES, SPACES, TRANSFERS
from harken.audio.video.film import FASTEST_FPS, Film, no_frames, stream_codec
from harken.audio.video.frame_finder import FrameFinder
from harken.audio.video.length import length_of
from harken.audio.video.result import Video, VideoStream
from harken.audio.video.shape import Shape

MOST_STREAMS: Final = 100  # published; FFmpeg opens no file with more than 1,000
LOOKED_AT: Final = 300  # packets, by whose times the frame rate is called variable or not
LOOKED_AT_BYTES: Final = 32 << 20
# Times are rounded to the container's own ticks, so intervals may differ by two of them; and encoders jitter.
JITTER_TICKS: Final = 2
JITTER_SHARE: Final = 0.1
UNDETERMINED: Final = "und"  # ISO 639-2: a language that is not said


def video_facts(path: str, descriptor: int | None, limits: Limits | None) -> Video:
    """The facts of a file; raises InputError for one that is no video, and OSError when the disk fails."""
    with Film(path, descriptor=descriptor, limits=limits) as film:
        return probe(film, lambda: None)


def probe(film: Film, on_packet: Callable[[], None]) -> Video:
    """The facts; raises InputError for a film of which no frame can be decoded."""
    found = FrameFinder(film, on_packet).at(0.0)
    if found is None:
        raise no_frames(film)
    frame = found.frame
    film.rewind()
    intervals = _intervals(film, on_packet)
    stream, context = film.stream, film.stream.codec_context
    shape = Shape.of(frame, stream.sample_aspect_ratio)
    depths = [component.bits for component in frame.format.components]
    transfer = _said(frame, context, "color_trc")
    rate = film.fps or _mean_rate(intervals)
    return Video(
        width=shape.stored.width,
        height=shape.stored.height,
        display_width=shape.displayed.width,
        display_height=shape.displayed.height,
        pixel_aspect_ratio=shape.pixel_aspect,
        rotation_degrees=90 * shape.orientation.turns,
        mirrored=shape.orientation.mirrored,
        fps=rate,
        variable_frame_rate=_uneven(intervals, film.time_base),
        frame_count=stream.frames or None,
        duration_s=length_of(film, on_packet),
        codec=stream_codec(stream),
        profile=stream.profile or None,
        container=container_name(film.container.format.name, film.path),
        pixel_format=frame.format.name,
        bit_depth=max(depths, default=None),
        bit_rate=stream.bit_rate or None,
        interlaced=frame.interlaced_frame,
        hdr=transfer in HDR,
        color_primaries=PRIMARIES.get(_said(frame, context, "color_primaries")),
        color_transfer=TRANSFERS.get(transfer),
        color_space=SPACES.get(_said(frame, context, "colorspace")),
        color_range=RANGES.get(_said(frame, context, "color_range")),
        streams=_streams(film.container),
        stream_count=len(film.container.streams),
        damaged_packets=film.damaged_packets,
    )


def _said(frame: VideoFrame, context: Any, name: str) -> int:
    """A number of the frame's, or else of the stream's; 2 is what says nothing, but of a range it is 0."""
    return int(getattr(frame, name) or getattr(context, name))


def _streams(container: InputContainer) -> tuple[VideoStream, ...]:
    return tuple(
        VideoStream(
            index=stream.index,
            kind=stream.type,
            codec=stream_codec(stream) or None,
            language=_language(stream.language),
            is_default=bool(stream.disposition & Disposition.default),
            bit_rate=getattr(stream, "bit_rate", None) or None,
        )
        for stream in list(container.streams)[:MOST_STREAMS]
    )


def _language(said: str | None) -> str | None:
    return said if said and said != UNDETERMINED else None


def _intervals(film: Film, on_packet: Callable[[], None]) -> list[float]:
    """Seconds between the first frames, in the order of their showing."""
    stamps: list[int] = []
    size = 0
    for packet in _until(film.packets(), LOOKED_AT):
        on_packet()
        size += packet.size
        if packet.pts is not None and packet.size:
            stamps.append(packet.pts)
        if size > LOOKED_AT_BYTES:
            break
    return [(later - earlier) * film.time_base for earlier, later in pairwise(sorted(stamps))]


def _until(packets: "Iterable[Packet[Any]]", count: int) -> "Iterable[Packet[Any]]":
    return (packet for _, packet in zip(range(count), packets, strict=False))


def _uneven(intervals: list[float], tick_s: float) -> bool | None:
    """Whether the intervals differ; the last ones may lack frames that are shown before them, so they do not count."""
    settled = intervals[: max(len(intervals) - 16, len(intervals) // 2)]
    if len(settled) < 2:  # two intervals make a difference
        return None
    middle = sorted(settled)[len(settled) // 2]
    return max(settled) - min(settled) > JITTER_TICKS * tick_s + JITTER_SHARE * middle


def _mean_rate(intervals: list[float]) -> float | None:
    total = sum(intervals)
    rate = len(intervals) / total if total > 0 else 0.0
    return rate if 0 < rate <= FASTEST_FPS else None
