"""A small copy of a film that browsers play at once: H.264 and AAC in MP4, its index at the front."""

import io
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.codec import Codec, UnknownCodecError
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame

from harken.audio.video.film import Film, no_frames
from harken.audio.video.proxy_picture import ENCODER, ProxyPicture
from harken.audio.video.proxy_sound import ProxySound, proxy_sound_stream
from harken.audio.video.result import Proxy

MEDIA_TYPE: Final = "video/mp4"
# Frames of sound that are kept until the first picture is there; both begin together but in what is damaged.
MOST_WAITING: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class ProxyForm:
    """How large a proxy is at most, and how many frames a second it shows at most."""

    height: int
    fps: float


def can_encode() -> bool:
    """Whether this build of FFmpeg makes H.264."""
    try:
        Codec(ENCODER, "w")
    except UnknownCodecError:
        return False
    return True


def write_proxy(
    film: Film,
    file: BinaryIO,
    form: ProxyForm,
    *,
    threads: int,
    on_time: Callable[[float], None],
) -> Proxy:
    """Writes the proxy of a film into an empty file; `on_time` is told how many seconds are done.

    The film is read once, and has to stand where it was opened: a jump to the first frame would lose sound before it.
    Raises InputError for a film of which no frame can be decoded.
    """
    stream = proxy_sound_stream(film)
    with _container(file) as into:
        making = _Making(film, stream, into, form, threads, on_time)
        for packet in film.packets(*([stream] if stream else [])):
            on_time(making.time_s)
            making.take(packet)
        return making.finish()


class _Making:
    """The two streams of a proxy while it is made: the first frame says how large it is."""

    def __init__(
        self,
        film: Film,
        stream: AudioStream | None,
        into: OutputContainer,
        form: ProxyForm,
        threads: int,
        on_time: Callable[[float], None],
    ) -> None:
        self._film, self._stream, self._into, self._threads = film, stream, into, threads
        self._on_time = on_time
        self._form, self._origins = form, _origins(film, stream)
        origin_s = self._origins.picture_s
        self._picture = ProxyPicture(
            film, into, height=form.height, fps=form.fps, origin_s=origin_s
        )
        self._sound: ProxySound | None = None
        self._begun = False
        self._waiting: deque[AudioFrame] = deque(maxlen=MOST_WAITING)

    @property
    def time_s(self) -> float:
        """How far it is."""
        return max(self._picture.time_s, self._sound.time_s if self._sound else 0.0)

    def take(self, packet: Any) -> None:
        """Decodes a packet, and encodes what becomes of it."""
        if packet.stream is self._film.stream:
            for frame in self._film.frames(packet):
                if not self._begun:
                    self._begin(frame)
                self._write(self._picture.take(frame))
            return
        for frame in _sound_frames(packet):
            if self._sound is None:
                self._waiting.append(frame)
            else:
                self._write(self._sound.take(frame))

    def finish(self) -> Proxy:
        """Writes what is left. Raises InputError where there was no picture at all."""
        if not self._begun:
            raise no_frames(self._film)
        self._write(self._picture.finish())
        if self._sound is not None:
            self._write(self._sound.finish())
        return Proxy(
            width=self._picture.size.width,
            height=self._picture.size.height,
            fps=self._form.fps,
            frame_count=self._picture.frames,
            duration_s=self._picture.duration_s,
            has_sound=self._sound is not None,
        )

    def _write(self, packets: "Iterable[Packet[Any]]") -> None:
        for packet in packets:
            self._into.mux(packet)
            self._on_time(self.time_s)  # a gap that is filled may take a while

    def _begin(self, frame: VideoFrame) -> None:
        self._begun = True
        self._picture.begin(frame, self._threads)
        if self._stream is None:
            return
        self._sound = ProxySound(
            self._stream,
            self._into,
            origin_s=self._origins.sound_s,
            longest_s=self._film.longest_s,
        )
        while self._waiting:
            self._write(self._sound.take(self._waiting.popleft()))


@dataclass(frozen=True, kw_only=True)
class _Origins:
    """When, by the clock of each stream, the proxy begins."""

    picture_s: float
    sound_s: float


def _origins(film: Film, sound: AudioStream | None) -> _Origins:
    """Both begin with the earlier of the two, unless their clocks have nothing to do with each other."""
    picture_s = (film.start or 0) * film.time_base
    if sound is None or sound.start_time is None or sound.time_base is None:
        return _Origins(picture_s=picture_s, sound_s=picture_s)
    sound_s = float(sound.start_time * sound.time_base)
    if abs(picture_s - sound_s) > film.longest_s:
        return _Origins(picture_s=picture_s, sound_s=sound_s)
    first = min(picture_s, sound_s)
    return _Origins(picture_s=first, sound_s=first)


def _sound_frames(packet: Any) -> list[AudioFrame]:
    try:
        return packet.decode()
    except (av.error.FFmpegError, ValueError):  # damaged: the silence is filled in
        return []


def _container(file: BinaryIO) -> OutputContainer:
    """An MP4 that is written into `file`. FFmpeg reads it once more at the end, to put the index to the front."""

    def again(_url: str, _flags: int, _options: dict[str, Any]) -> io.RawIOBase:
        file.flush()
        return _Reading(file.fileno())

    return av.open(file, "w", format="mp4", options={"movflags": "+faststart"}, io_open=again)


class _Reading(io.RawIOBase):
    """A file read at a place of its own, while it is written elsewhere."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""
        block = os.pread(self._descriptor, size, self._at)
        self._at += len(block)
        return block

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """The new position."""
        end = os.fstat(self._descriptor).st_size
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: end}[whence]
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at
