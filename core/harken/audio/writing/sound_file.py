"""A file of sound that is written a block at a time, by FFmpeg's encoders (PyAV)."""

from typing import Any, BinaryIO, Final, cast

import av
import numpy as np
from av.audio.format import AudioFormat
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from harken.audio import errors
from harken.audio.container import SPEAKERS
from harken.audio.errors import InputError
from harken.audio.writing.form import FLAC, Form

MOST_FLAC_CHANNELS: Final = 8
MOST_FLAC_RATE: Final = 655_350  # Hz
FRAME_SAMPLES: Final = 1 << 16  # handed to the encoder at a time
# Nothing of the machine or the moment: the same samples are the same bytes. WAV beyond 4 GB becomes RF64.
_OPTIONS: Final = {"fflags": "+bitexact", "rf64": "auto"}


class SoundFile:
    """Numbers or floats of a form go into `file`, which can be read and sought in; `close` ends it."""

    def __init__(
        self, file: BinaryIO, form: Form, sample_rate: int, channels: tuple[str, ...]
    ) -> None:
        """Begins the file. Raises InputError for what the format cannot hold."""
        if form.format == FLAC and (
            len(channels) > MOST_FLAC_CHANNELS or sample_rate > MOST_FLAC_RATE
        ):
            raise InputError(
                errors.NOT_FOR_FLAC,
                f"FLAC holds {MOST_FLAC_CHANNELS} channels at {MOST_FLAC_RATE:,} Hz at most, but the file has"
                f" {len(channels)} at {sample_rate:,} Hz. Convert it first, or prepare it as WAV.",
            )
        self.file = file
        self.form = form
        self._layout = layout_of(channels)
        self._rate = sample_rate
        self._written = 0
        options = {
            name: value for name, value in _OPTIONS.items() if form.format != FLAC or name != "rf64"
        }
        self._container = av.open(file, mode="w", format=form.format, container_options=options)
        # PyAV's stubs know from an encoder's literal name alone that it is one of sound.
        self._stream = cast("AudioStream", self._container.add_stream(form.codec, rate=sample_rate))
        self._stream.codec_context.layout = AudioLayout(self._layout)
        self._stream.codec_context.format = AudioFormat(form.sample_format)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.file.tell()

    @property
    def samples(self) -> int:
        """Samples of each channel so far."""
        return self._written

    def write(self, numbers: NDArray[Any]) -> None:
        """Append numbers of the form, (channels, n). Raises OSError when the disk fails."""
        frames = self.form.frames(numbers)
        for start in range(0, frames.shape[0], FRAME_SAMPLES):
            part = frames[start : start + FRAME_SAMPLES]
            frame = AudioFrame(
                format=self.form.sample_format, layout=self._layout, samples=part.shape[0]
            )
            frame.sample_rate = self._rate
            frame.pts = self._written
            frame.planes[0].update(part.tobytes())
            self._written += part.shape[0]
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """End the file: its header says how long it is."""
        if self._written == 0:
            self.write(np.zeros((self._stream.codec_context.layout.nb_channels, 1)))
        self._container.mux(self._stream.encode(None))
        self._container.close()
        self.file.flush()

    def abandon(self) -> None:
        """Let go of a file that nobody wants."""
        self._container.close()


def layout_of(channels: tuple[str, ...]) -> str:
    """FFmpeg's layout of these speakers; of speakers it does not know, or in another order, how many there are."""
    places = [SPEAKERS.index(name) if name in SPEAKERS else -1 for name in channels]
    if -1 not in places and places == sorted(set(places)):
        return "+".join(channels)
    return f"{len(channels)} channels"
