"""The same recording in other forms: encoded, quieter, cut at either end."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# FFmpeg's name of the encoder and the ending of the file.
ENDINGS = {"libmp3lame": ".mp3", "aac": ".m4a", "flac": ".flac", "libopus": ".opus"}
# What encoders take that do not take everything; the first one where a file has another.
RATES = {
    "libopus": (48_000,),
    "libmp3lame": (44_100, 48_000, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000),
}
LONGEST_CUT_S = 3.0
CUT_SHARE = 0.15  # of a short one


def read(path: Path) -> tuple[Samples, int]:
    """The samples of a file, (channels, n), one or two channels, and their rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        layout = "stereo" if stream.channels > 1 else "mono"
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=stream.rate)
        frames = [frame for one in container.decode(stream) for frame in resampler.resample(one)]
        frames += resampler.resample(None)
        return np.concatenate([frame.to_ndarray() for frame in frames], axis=1), stream.rate


def write(path: Path, samples: Samples, rate: int, codec: str, bit_rate: int | None) -> None:
    """Encodes samples."""
    layout = "stereo" if samples.shape[0] == 2 else "mono"
    known = RATES.get(codec, (rate,))
    coded_rate = rate if rate in known else known[0]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=coded_rate, layout=layout)
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        context = stream.codec_context
        resampler = av.AudioResampler(
            format=context.format, layout=layout, rate=context.sample_rate
        )
        plain = np.ascontiguousarray(samples, dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(plain, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        queue = av.AudioFifo()
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            queue.write(part)
        sent = 0
        while (piece := queue.read(context.frame_size or 4_096, partial=True)) is not None:
            piece.pts, sent = sent, sent + piece.samples
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def variants(samples: Samples, rate: int) -> Iterator[tuple[str, Samples, str, int | None]]:
    """The name, samples, encoder and bit rate of each other form."""
    cut = round(min(LONGEST_CUT_S, CUT_SHARE * samples.shape[1] / rate) * rate)
    some = round(0.7 * cut) + 311  # no whole number of frames
    yield "MP3 at 64 kbit/s", samples, "libmp3lame", 64_000
    yield "MP3 at 128 kbit/s", samples, "libmp3lame", 128_000
    yield "MP3 at 320 kbit/s", samples, "libmp3lame", 320_000
    yield "AAC at 64 kbit/s", samples, "aac", 64_000
    yield "Opus at 96 kbit/s", samples, "libopus", 96_000
    yield "FLAC, 20 dB quieter", samples * np.float32(0.1), "flac", None
    yield "FLAC, 20 dB louder, clipped", np.clip(samples * 10, -1, 1), "flac", None
    yield "beginning cut", samples[:, cut:], "flac", None
    yield "end cut", samples[:, : samples.shape[1] - cut], "flac", None
    both = samples[:, some : samples.shape[1] - some] * np.float32(0.3)
    yield "both cut, 10 dB quieter, MP3 at 128 kbit/s", both, "libmp3lame", 128_000
