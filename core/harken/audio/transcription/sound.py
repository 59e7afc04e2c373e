"""The mono sound at 16 kHz, which models of speech take, kept in a file until it is known where speech is."""

from tempfile import TemporaryFile
from typing import BinaryIO, Final, cast

import numpy as np
from numpy.typing import NDArray

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Floats, SoundBlock
from harken.audio.mono import downmix
from harken.audio.rendering.resampling import Resampler

SAMPLE_RATE: Final = 16_000
FULL_SCALE: Final = 32_768  # 16 bits: what such models were trained on
SAMPLE_BYTES: Final = 2


class SpeechSound(Analysis):
    """Writes 115 MB an hour to a nameless temporary file; `read` it once all has been heard, and `close_file` then."""

    hears = Hears.SOUND

    def __init__(self) -> None:
        # Closed by close_file, which the linter cannot see: it outlives the pass over the sound.
        self._file = cast(BinaryIO, TemporaryFile(prefix="harken-"))  # noqa: SIM115
        self._resampler: Resampler | None = None
        self._count = 0

    @property
    def duration_s(self) -> float:
        """Length of what was kept."""
        return self._count / SAMPLE_RATE

    def on_sound(self, block: SoundBlock) -> None:
        """Keep the next samples."""
        if self._resampler is None:
            self._resampler = Resampler(block.sample_rate, SAMPLE_RATE, 1)
        self._write(self._resampler.push(downmix(block.samples)[None]))

    def finish(self) -> None:
        """Keep what the resampler held."""
        if self._resampler is not None:
            self._write(self._resampler.push(np.zeros((1, 0), dtype=np.float32), last=True))

    def read(self, start_s: float, end_s: float) -> Floats:
        """The samples of a piece, full scale ±1."""
        first, last = round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE)
        self._file.seek(first * SAMPLE_BYTES)
        kept: NDArray[np.int16] = np.frombuffer(
            self._file.read((last - first) * SAMPLE_BYTES), dtype=np.int16
        )
        return kept.astype(np.float32) / np.float32(FULL_SCALE)

    def close_file(self) -> None:
        """Give the file back; a second time does nothing."""
        self._file.close()

    def _write(self, samples: Floats) -> None:
        numbers = np.clip(np.rint(samples[0] * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
        self._file.write(numbers.astype(np.int16).tobytes())
        self._count += numbers.shape[0]
