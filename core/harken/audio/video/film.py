"""A file opened for its picture: the stream that is the film, its packets and frames, and its clock."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self, cast

import av.error
import av.logging
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from harken.audio import errors
from harken.audio.container import LARGEST_PIXELS, open_container
from harken.audio.errors import InputError
from harken.audio.frame_reader import MAX_DEAD_PACKETS, MAX_DEAD_READS
from harken.audio.limits import ALWAYS_S, Limits
from harken.audio.source_file import SourceFile

# Covers, slides of chapters, pictures of cameras: pictures beside the film.
NO_FILM: Final = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
FASTEST_FPS: Final = 1000.0  # high-speed cameras' files claim less; more is a time base
DEFAULT_FPS: Final = 25.0  # where the file says nothing


class Film:
    """An opened video; `with Film(path) as film: ...`.

    Raises InputError as errors.py lists. Of a file that is open as `descriptor`, `path` is but the name.
    """

    def __init__(
        self,
        path: str,
        *,
        descriptor: int | None = None,
        limits: Limits | None = None,
        threads: int = 1,
    ) -> None:
        av.logging.set_level(None)  # FFmpeg must not write on anyone's console
        self.path = path
        self.damaged_packets = 0
        self._dead_packets = 0
        with ExitStack() as cleanup:
            self.file = cleanup.enter_context(SourceFile(path, descriptor))
            if self.file.size == 0:
                raise InputError(errors.EMPTY_FILE, "The file is empty (0 bytes).")
            self._threads = threads
            self.container, self.stream = self._opened(cleanup)
            self._cleanup = cleanup.pop_all()
        limits = limits or Limits()
        # Time stamps further on are not believed, as no honest file of this size is longer: see Limits.
        self.longest_s = min(
            limits.longest_s, ALWAYS_S + self.file.size / limits.least_bytes_a_second
        )
        self.time_base = float(self.stream.time_base or 0) or 1 / 90_000
        self.fps = _rate(self.stream)
        self.start = self.stream.start_time

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def _opened(self, cleanup: ExitStack) -> tuple[InputContainer, VideoStream]:
        container = cleanup.enter_context(open_container(self.file))
        stream = _picture_stream(container)
        stream.codec_context.thread_count = self._threads
        return container, stream

    def rewind(self) -> None:
        """Begins again, by opening the file once more: not every container can be jumped in, even to its start."""
        self.container.close()
        self.file.seek(0)
        self.container, self.stream = self._opened(self._cleanup)

    @property
    def step_s(self) -> float:
        """How long a frame is shown where it does not say."""
        return 1 / (self.fps or DEFAULT_FPS)

    @property
    def claimed_s(self) -> float | None:
        """The length that the header claims, where it can be."""
        if self.stream.duration:
            claim = self.stream.duration * self.time_base
        else:
            claim = (self.container.duration or 0) / 1_000_000  # FFmpeg's unit: microseconds
        return claim if 0 < claim <= self.longest_s else None

    def seconds(self, stamp: int) -> float:
        """A time stamp as seconds after the first frame."""
        if self.start is None:
            self.start = stamp
        return round((stamp - self.start) * self.time_base, 6)

    def seek(self, time_s: float) -> bool:
        """Goes to a frame at `time_s` or before that can be decoded by itself, if all is well; False where it fails."""
        place = (self.start or 0) + round(time_s / self.time_base)
        try:
            self.container.seek(place, stream=self.stream)
        except (av.error.FFmpegError, OverflowError):
            return False
        return True

    def packets(self, *others: AudioStream) -> "Iterator[Packet[Any]]":
        """Packets of the film, and of `others`, from here to the end; past damage where that is possible."""
        dead_reads = 0
        while dead_reads < MAX_DEAD_READS:
            try:
                for packet in self.container.demux(self.stream, *others):
                    dead_reads = 0
                    yield packet
                break
            except (av.error.EOFError, IndexError):  # the latter: see decode.py
                break
            except av.error.FFmpegError:
                dead_reads += 1
        self.file.raise_failure()

    def frames(self, packet: "Packet[Any]") -> list[VideoFrame]:
        """What a packet of the film holds; nothing where it is damaged. Raises InputError where nothing else comes."""
        try:
            found = cast(list[VideoFrame], packet.decode())
        except (av.error.FFmpegError, ValueError):
            self.damaged_packets += 1
            self._dead_packets += 1
            if self._dead_packets > MAX_DEAD_PACKETS:
                raise no_frames(self) from None
            return []
        if found:
            self._dead_packets = 0
        # A decoder may change its mind about the size on the way; what it allows itself is bounded by max_pixels.
        return [frame for frame in found if 0 < frame.width * frame.height <= LARGEST_PIXELS]


def stream_codec(stream: Stream) -> str:
    """The plain name, such as "h264"; empty where nothing can decode it. PyAV's stubs promise a decoder."""
    context = cast("CodecContext | None", stream.codec_context)
    try:
        codec = context.codec if context else None
    except UnknownCodecError:
        return ""
    return codec.canonical_name if codec else ""


def no_frames(film: Film) -> InputError:
    """What is raised for a film of which no frame could be decoded."""
    codec = stream_codec(film.stream)
    return InputError(
        errors.NO_FRAMES,
        f"The file has a picture ({codec}), but no frame of it could be decoded: it is empty, cut short or"
        " damaged. Check that it plays elsewhere, or export it again.",
    )


def _picture_stream(container: InputContainer) -> VideoStream:
    # Formats of single pictures are called png_pipe, jpeg_pipe and so on.
    films = [s for s in container.streams.video if not s.disposition & NO_FILM]
    if not films or container.format.name.endswith("_pipe"):
        held = "nothing but still pictures" if container.streams.video else "no picture"
        raise InputError(
            errors.NO_VIDEO_STREAM,
            f"The file is no video: it holds {held}. Ask for features of its sound instead.",
        )
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in films else films[0]
    if not stream_codec(stream):
        raise InputError(
            errors.UNSUPPORTED_CODEC,
            "The picture is in a coding that cannot be decoded here; convert it to H.264.",
        )
    if stream.width * stream.height > LARGEST_PIXELS:
        raise InputError(
            errors.PICTURE_TOO_LARGE,
            f"The picture has {stream.width} × {stream.height} pixels, more than the {LARGEST_PIXELS:,} that are"
            " decoded; scale it down.",
        )
    return stream


def _rate(stream: VideoStream) -> float | None:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= FASTEST_FPS:
            return float(rate)
    return None
