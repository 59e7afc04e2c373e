"""The sound of a plain MP3 file: its frames are handed to FFmpeg's decoder by the dozen, without FFmpeg's demuxer."""

from collections.abc import Iterator
from typing import Final, cast

import av.error
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.stream import AudioStream
from av.packet import Packet

from harken.audio.blocks import Floats
from harken.audio.mp3.frames import LONGEST_FRAME
from harken.audio.mp3.opening import Opening
from harken.audio.samples import floats_of
from harken.audio.sound_source import BLOCK_S, BLOCK_SAMPLES
from harken.audio.source_file import SourceFile

_LAYOUTS: Final = {"mono": True, "stereo": False}
_ID3_V1_BYTES: Final = 128
# The decoder reads past the end of a damaged frame. FFmpeg's demuxer puts zeros there, but for a frame that begins one
# of the pieces in which it reads the file: behind that are the next frames. Zeros before a frame are skipped.
_ZEROS: Final = bytes(64)
_PIECE_BYTES: Final = 1_024


class Mp3Stream:
    """Layer III, one rate, one number of channels; what it says is that of the frames so far."""

    def __init__(
        self,
        file: SourceFile,
        opening: Opening,
        decoder: AudioCodecContext,
        channels: tuple[str, ...],
    ) -> None:
        self._file = file
        self._opening = opening
        self._decoder = decoder
        self._queue = AudioFifo()  # joins what the decoder gives
        self._frames = 0
        self.sample_rate = opening.form.sample_rate
        self.channels = channels
        self.samples = 0  # given, of each channel
        self.non_finite_samples = 0
        self.bytes_done = opening.start

    @classmethod
    def of(cls, file: SourceFile, stream: AudioStream) -> "Mp3Stream | None":
        """The frames of a file that FFmpeg calls "mp3"; None for one that does not begin as a plain one does."""
        context = stream.codec_context
        opening = Opening.of(file)
        if opening is None or _LAYOUTS.get(context.layout.name) is not opening.form.mono:
            return None
        if context.sample_rate != opening.form.sample_rate:
            return None
        decoder = cast("AudioCodecContext", AudioCodecContext.create(context.codec.name, "r"))
        channels = tuple(channel.name for channel in context.layout.channels)
        return cls(file, opening, decoder, channels)

    @property
    def first_pts_s(self) -> float:
        """The encoder's delay, from which FFmpeg counts."""
        return self._opening.delay / self.sample_rate

    @property
    def coded_bytes(self) -> int:
        """Bytes of the frames."""
        return self.bytes_done - self._opening.start

    @property
    def coded_s(self) -> float:
        """Their seconds, with what is left out."""
        return self._frames * self._opening.form.samples / self.sample_rate

    @property
    def is_over(self) -> bool:
        """Whether nothing follows the frames but a tag."""
        left = self._read(_ID3_V1_BYTES + 1)
        return not left or (len(left) == _ID3_V1_BYTES and left.startswith(b"TAG"))

    def pieces(self) -> Iterator[Floats]:
        """The samples, (channels, n), up to what is no whole frame in the form of the first, or cannot be decoded."""
        opening = self._opening
        most = int(max(min(BLOCK_SAMPLES, BLOCK_S * self.sample_rate) // opening.form.samples, 1))
        while True:
            frames = opening.form.whole_frames(self._read(most * LONGEST_FRAME), most)
            piece = self._decoded(frames) if frames else None
            if piece is None or self._is_too_long(len(frames)):
                return
            first = self._frames * opening.form.samples
            self._frames += len(frames)
            self.bytes_done += sum(map(len, frames))
            end = piece.shape[1] if opening.end is None else max(opening.end - first, 0)
            heard = np.ascontiguousarray(piece[:, max(opening.delay - first, 0) : end])
            self.samples += heard.shape[1]
            yield heard

    def _read(self, count: int) -> bytes:
        room = np.empty(count, dtype=np.uint8)
        return room[: self._file.read_into(room, self.bytes_done)].tobytes()

    def _is_too_long(self, more: int) -> bool:
        """Whether there are more frames than promised: two files in one."""
        return self._opening.frames is not None and self._frames + more > self._opening.frames

    def _apart(self, frames: list[bytes]) -> bytes:
        at, parts = self.coded_bytes, list[bytes]()
        for frame in frames:
            parts += (frame, b"" if at % _PIECE_BYTES == 0 else _ZEROS)
            at += len(frame)
        return b"".join((*parts, _ZEROS))

    def _decoded(self, frames: list[bytes]) -> Floats | None:
        try:
            for frame in self._decoder.decode(Packet(self._apart(frames))):
                frame.pts = None  # the queue would look for gaps
                self._queue.write(frame)
        except av.error.FFmpegError:
            return None
        if self._queue.samples != len(frames) * self._opening.form.samples:
            return None
        joined = self._queue.read()
        if joined is None or joined.layout.nb_channels != len(self.channels):
            return None
        piece, bad = floats_of(joined)
        self.non_finite_samples += bad
        return piece
