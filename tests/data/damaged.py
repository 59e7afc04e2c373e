"""Files that are broken on purpose, each as people really send them.

`DAMAGED` maps a name to the function that writes the file into a folder and to the reason the
engine has to give; `SURVIVABLE` to files that are damaged but still hold sound.
"""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

RATE = 44_100


def wav_bytes(data: bytes, *, rate: int = RATE, channels: int = 1, bits: int = 16) -> bytes:
    """A WAV file around `data`, the header telling the truth."""
    return _wav_header(len(data), rate=rate, channels=channels, bits=bits) + data


def empty_file(folder: Path) -> Path:
    """0 bytes."""
    return _write(folder / "empty.wav", b"")


def image_named_wav(folder: Path) -> Path:
    """A valid 1 × 1 PNG under an audio name."""
    pixel = zlib.compress(b"\x00\xff\x00\x00")
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"IDAT", pixel),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return _write(folder / "photo.wav", b"\x89PNG\r\n\x1a\n" + body)


def text_named_ogg(folder: Path) -> Path:
    """Words under an audio name."""
    return _write(folder / "notes.ogg", b"this is a shopping list, not music\n" * 3)


def random_bytes(folder: Path) -> Path:
    """64 kB of noise that is no format at all."""
    rng = np.random.default_rng(1)
    return _write(folder / "noise.bin", rng.integers(0, 256, 65_536, dtype=np.uint8).tobytes())


def zeros(folder: Path) -> Path:
    """A file that a full disk or a broken copy left all zeros."""
    return _write(folder / "zeros.mp3", bytes(100_000))


def header_alone(folder: Path) -> Path:
    """A WAV cut right after its header."""
    return _write(folder / "header.wav", _wav_header(1_000_000)[:44])


def header_cut(folder: Path) -> Path:
    """A WAV cut within its header."""
    return _write(folder / "cut.wav", _wav_header(1_000_000)[:30])


def zero_length_audio(folder: Path) -> Path:
    """A valid WAV of no samples."""
    return _write(folder / "nothing.wav", wav_bytes(b""))


def zero_length_flac(folder: Path) -> Path:
    """A valid FLAC of no samples."""
    path = folder / "nothing.flac"
    soundfile.write(path, _tune(0.2), RATE)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    data[22:26] = bytes(4)
    return _write(path, bytes(data[: data.index(b"\xff\xf8")]))


def all_nan(folder: Path) -> Path:
    """A float WAV in which every sample is NaN or infinite."""
    path = folder / "nan.wav"
    samples = np.full(RATE, np.nan, dtype=np.float32)
    samples[::3], samples[1::3] = np.inf, -np.inf
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def flac_without_frames(folder: Path) -> Path:
    """A FLAC whose frames are overwritten, the header being whole."""
    path = folder / "wiped.flac"
    soundfile.write(path, _tune(1.0), RATE)
    data = bytearray(path.read_bytes())
    start = data.index(b"\xff\xf8")
    data[start:] = bytes(len(data) - start)
    return _write(path, bytes(data))


def playlist(folder: Path) -> Path:
    """An HLS playlist that names another file beside it."""
    _write(folder / "secret.wav", wav_bytes(bytes(2 * RATE)))
    lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", "secret.wav", "#EXT-X-ENDLIST")
    return _write(folder / "list.m3u8", "\n".join(lines).encode())


def concat_script(folder: Path) -> Path:
    """A script that tells FFmpeg to read another file."""
    _write(folder / "secret.wav", wav_bytes(bytes(2 * RATE)))
    return _write(folder / "script.wav", b"ffconcat version 1.0\nfile secret.wav\n")


def hour_in_13_kb(folder: Path) -> Path:
    """13 kB whose header claims an hour of stereo sound."""
    data = (_tune(0.15) * 32_000).astype("<i2").tobytes()
    header = _wav_header(3600 * RATE * 2)
    return _write(folder / "hour.wav", header + data)


def cut_wav(folder: Path) -> Path:
    """A WAV of 2 s by its header, cut in the middle of a sample after 1 s."""
    data = (_tune(2.0) * 32_000).astype("<i2").tobytes()
    return _write(folder / "half.wav", wav_bytes(data)[: 44 + len(data) // 2 + 1])


def cut_flac(folder: Path) -> Path:
    """A FLAC cut in half."""
    path = folder / "half.flac"
    soundfile.write(path, _tune(4.0), RATE)
    data = path.read_bytes()
    return _write(path, data[: len(data) // 2])


def mp3_with_a_hole(folder: Path) -> Path:
    """An MP3 with 500 bytes of rubbish in the middle."""
    path = folder / "hole.mp3"
    soundfile.write(path, _tune(4.0), RATE, format="MP3")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 500] = b"\xaa" * 500
    return _write(path, bytes(data))


def some_nan(folder: Path) -> Path:
    """A float WAV with 100 NaN, 10 infinities and one absurd number in a second of sound."""
    path = folder / "some_nan.wav"
    samples = _tune(1.0).astype(np.float32)
    samples[1000:1100] = np.nan
    samples[2000:2010] = -np.inf
    samples[3000] = 1e30
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


DAMAGED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "empty file": (empty_file, "EMPTY_FILE"),
    "image named .wav": (image_named_wav, "NO_AUDIO_STREAM"),
    "text named .ogg": (text_named_ogg, "UNREADABLE"),
    "random bytes": (random_bytes, "UNREADABLE"),
    "all zeros": (zeros, "NO_SAMPLES"),
    "header alone": (header_alone, "NO_SAMPLES"),
    "header cut": (header_cut, "UNREADABLE"),
    "zero-length WAV": (zero_length_audio, "NO_SAMPLES"),
    "zero-length FLAC": (zero_length_flac, "NO_SAMPLES"),
    "all NaN": (all_nan, "ALL_NON_FINITE"),
    "FLAC without frames": (flac_without_frames, "NO_SAMPLES"),
    "playlist": (playlist, "PLAYLIST"),
    "concat script": (concat_script, "PLAYLIST"),
}
# The seconds that can be saved from each.
SURVIVABLE: dict[str, tuple[Callable[[Path], Path], float]] = {
    "an hour in 13 kB": (hour_in_13_kb, 0.15),
    "cut WAV": (cut_wav, 1.0),
    "cut FLAC": (cut_flac, 2.0),
    "MP3 with a hole": (mp3_with_a_hole, 4.0),
    "some NaN": (some_nan, 1.0),
}


def _tune(seconds: float) -> "np.ndarray":
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.4 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 1234.5 * t * (1 + 0.1 * t))


def _wav_header(data_size: int, *, rate: int = RATE, channels: int = 1, bits: int = 16) -> bytes:
    frame = channels * bits // 8
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", min(36 + data_size, 2**32 - 1), b"WAVE", b"fmt ", 16, 1, channels),
        *(rate, rate * frame, frame, bits, b"data", data_size),
    )


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
