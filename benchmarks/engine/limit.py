"""The least that clear code can do: decode, mix down, resample, transform; no feature at all.

What the engine takes on top of it is what its features cost. Frames are those of the engine:
2048 samples under a Hann window every 512, of the mean of two channels at 22,050 Hz by soxr HQ.
Each limit gives the number of `frames` it has transformed.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Mono = Iterator[Any]  # float32 arrays, the recording's blocks mixed down

RATE: Final = 22_050  # Hz
FRAME: Final = 2048
HOP: Final = 512
BLOCK: Final = 64  # frames a transform: their spectra stay in the processor's cache
READ: Final = 2 * BLOCK * HOP  # samples a read of 44.1 kHz: one block of frames


def by_soundfile() -> Callable[[str], Mapping[str, int]]:
    """The limit for what libsndfile reads: WAV, FLAC, MP3."""
    import numpy as np
    import soundfile

    def blocks(path: str) -> Mono:
        with soundfile.SoundFile(path) as file:
            pcm = np.empty((READ, 2), dtype=np.int16)
            while (count := file.read(READ, dtype="int16", out=pcm).shape[0]) > 0:
                left, right = pcm[:count].astype(np.float32).T
                yield (left + right) * np.float32(0.5 / 32_768)

    def run(path: str) -> Mapping[str, int]:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
        return {"frames": _transform(blocks(path), rate)}

    return run


def by_pyav() -> Callable[[str], Mapping[str, int]]:
    """The limit by FFmpeg's decoders, for MP3: two planes of float32 a frame."""
    import av
    import numpy as np

    def blocks(path: str) -> Mono:
        with av.open(path) as container:
            gathered: list[Any] = []
            for frame in container.decode(audio=0):
                planes: tuple[Any, ...] = frame.planes  # buffers, which their type does not say
                left, right = (np.frombuffer(plane, dtype=np.float32) for plane in planes)
                gathered.append((left + right)[: frame.samples])
                if len(gathered) == READ // 1152:  # samples a frame of MP3
                    yield np.concatenate(gathered) * np.float32(0.5)
                    gathered.clear()
            if gathered:
                yield np.concatenate(gathered) * np.float32(0.5)

    def run(path: str) -> Mapping[str, int]:
        with av.open(path) as container:
            rate = container.streams.audio[0].rate
        return {"frames": _transform(blocks(path), rate)}

    return run


def _transform(blocks: Mono, sample_rate: int) -> int:
    import numpy as np
    import scipy.fft
    import soxr

    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
    resampler = soxr.ResampleStream(sample_rate, RATE, 1, dtype="float32", quality="HQ")
    windowed = np.empty((BLOCK, FRAME), dtype=np.float32)
    rest = np.zeros(FRAME // 2, dtype=np.float32)
    total = 0

    def spectra(signal: Any) -> Any:
        """Transform all whole frames of `signal` and give back what the next ones need of it."""
        nonlocal total
        count = max(0, (signal.shape[0] - FRAME) // HOP + 1)
        if count == 0:
            return signal
        frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP]
        for start in range(0, count, BLOCK):
            part = frames[start : start + BLOCK]
            block = np.multiply(part, window, out=windowed[: part.shape[0]])
            scipy.fft.rfft(block, axis=1)
        total += count
        return signal[count * HOP :]

    for block in blocks:
        rest = spectra(np.concatenate((rest, resampler.resample_chunk(block))))
    end = resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
    spectra(np.concatenate((rest, end, np.zeros(FRAME // 2, dtype=np.float32))))
    return total
