"""Files that no one would send on purpose, by seed: `fuzzed(seed, sources)` is always the same file.

Half of them are whole files with damage, the sources being recordings that are read in place and
files made here; the other half are built absurd.
"""

import random
import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tests.data import wave_files
from tests.data.caf_files import caf
from tests.data.flac_frames import silent_flac
from tests.data.wave_files import (
    by_encoder,
    chunk,
    coded,
    extensible,
    format_chunk,
    riff,
    tone,
    wav,
)

LARGEST_SOURCE: Final = 400_000  # bytes: what is larger takes long and adds no kind of damage
EXTREMES: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000)
EXTREMES_32: Final = (*EXTREMES, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 44_100, 192_000)
RATES: Final = (0, 1, 2, 7, 50, 999, 8000, 44_100, 96_000, 384_000, 768_000, 4_000_000, 0xFFFFFFFF)
LENGTHS: Final = (0, 1, 3, 100, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
ABSURD_FLOATS: Final = (
    np.nan,
    np.inf,
    -np.inf,
    1e-42,
    5e-324,
    1e38,
    -3.4e38,
    1e300,
    1e12,
    2e12,
    -0.0,
)
# What files made here are written with: FFmpeg's container, its codec, the extension.
WRITTEN: Final = (
    *(("mp4", "aac", ".mp4"), ("ipod", "aac", ".m4a"), ("ipod", "alac", ".m4a")),
    *(
        ("matroska", "libopus", ".mkv"),
        ("matroska", "pcm_f32le", ".mka"),
        ("webm", "libopus", ".webm"),
    ),
    *(("ogg", "libopus", ".opus"), ("ogg", "flac", ".oga"), ("mp3", "libmp3lame", ".mp3")),
    *(("adts", "aac", ".aac"), ("flac", "flac", ".flac"), ("aiff", "pcm_s16be", ".aiff")),
    *(("asf", "wmav2", ".wma"), ("wv", "wavpack", ".wv"), ("tta", "tta", ".tta")),
    *(("au", "pcm_s16be", ".au"), ("caf", "alac", ".caf"), ("avi", "libmp3lame", ".avi")),
    *(("mpegts", "aac", ".ts"), ("mpegts", "mp2", ".ts"), ("flv", "aac", ".flv")),
    *(("ac3", "ac3", ".ac3"), ("mov", "pcm_s24le", ".mov"), ("w64", "pcm_s16le", ".w64")),
)

Source = tuple[str, bytes]  # extension, contents


def sources(folder: Path | None) -> list[Source]:
    """The recordings of a folder and one file of each kind that can be written here."""
    files = sorted(folder.rglob("*")) if folder else []
    found = [
        (path.suffix, path.read_bytes())
        for path in files
        if path.is_file() and 0 < path.stat().st_size <= LARGEST_SOURCE
    ]
    found = [source for source in found if source[0] not in (".csv", ".md")]
    for container, codec, extension in WRITTEN:
        for channels in (1, 2):
            found.append((extension, by_encoder(codec, channels, container=container, rate=48_000)))
    found += [(".wav", data) for _, data in wave_files.valid() if len(data) <= LARGEST_SOURCE]
    return [source for source in found if source[1]]


def fuzzed(seed: int, files: Sequence[Source]) -> Source:
    """The file of a seed."""
    rng = random.Random(seed)
    if rng.random() < 0.25:
        extension, data = rng.choice(BUILT)(rng)
        if rng.random() < 0.7:
            return extension, data
    else:
        extension, data = rng.choice(_of_one_kind(rng, files))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        mutate = rng.choice(MUTATIONS)
        data = _spliced(rng, data, files) if mutate is _spliced else mutate(rng, data)
    if rng.random() < 0.05:
        extension = rng.choice(files)[0]
    return extension, data


def _of_one_kind(rng: random.Random, files: Sequence[Source]) -> list[Source]:
    # By extension first: otherwise most would be WAVs.
    extension = rng.choice(sorted({extension for extension, _ in files}))
    return [source for source in files if source[0] == extension]


def _flipped_bits(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 10, 100))) if changed else ():
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _changed_head(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 5, 20))) if changed else ():
        changed[rng.randrange(min(len(changed), rng.choice((64, 256, 2000))))] = rng.randrange(256)
    return bytes(changed)


def _extreme_field(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        form = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q", "B"))
        width = struct.calcsize(form)
        if len(changed) < width:
            break
        at = rng.randrange(min(len(changed), rng.choice((64, 256, 4000))) - width + 1)
        value = rng.choice(EXTREMES_32)
        if width == 8 and rng.random() < 0.5:
            value = rng.choice((2**63, 2**64 - 1, 2**62))
        changed[at : at + width] = struct.pack(form, value & (1 << 8 * width) - 1)
    return bytes(changed)


def _wrong_length(rng: random.Random, data: bytes) -> bytes:
    """Another length beside a chunk's name: after it in RIFF and AIFF, before it in MP4."""
    names = [match.start() for match in re.finditer(rb"[A-Za-z][A-Za-z0-9 ]{3}", data[:100_000])]
    if not names:
        return data
    changed = bytearray(data)
    at = rng.choice(names[: rng.choice((5, 50, len(names)))]) + rng.choice((4, -4))
    if 0 <= at <= len(changed) - 4:
        form = rng.choice(("<I", ">I"))
        old = struct.unpack_from(form, changed, at)[0]
        near = (max(old - 1, 0), min(old + 1, 2**32 - 1), old // 2, min(old * 2, 2**32 - 1))
        struct.pack_into(form, changed, at, rng.choice((*LENGTHS, *near)))
    return bytes(changed)


def _wave_field(rng: random.Random, data: bytes) -> bytes:
    """An extreme in one field of a WAV's `fmt ` chunk."""
    at = data.find(b"fmt ") + 8
    if at < 8 or len(data) < at + 16:
        return _extreme_field(rng, data)
    changed = bytearray(data)
    offset, form, values = rng.choice(
        (
            (
                0,
                "<H",
                (0, 1, 2, 3, 6, 7, 0x11, 0x31, 0x50, 0x55, 0xFF, 0x161, 0x2000, 0xFFFE, 0xFFFF),
            ),
            (2, "<H", (0, 1, 2, 7, 63, 64, 255, 256, 0x7FFF, 0xFFFF)),
            (4, "<I", RATES),
            (8, "<I", RATES),
            (12, "<H", (0, 1, 3, 255, 0x7FFF, 0xFFFF)),
            (14, "<H", (0, 1, 4, 5, 8, 16, 24, 32, 63, 64, 128, 255, 0xFFFF)),
        )
    )
    struct.pack_into(form, changed, at + offset, rng.choice(values))
    return bytes(changed)


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(max(rng.choice((len(data), min(len(data), 300))), 1))]


def _pieces(rng: random.Random, data: bytes) -> bytes:
    """A stretch that is left out, doubled, zeroed or swapped with another."""
    size = rng.choice((1, 4, 100, 4096, max(len(data) // 3, 1)))
    at, other = (rng.randrange(max(len(data) - size, 1)) for _ in range(2))
    before, piece, after = data[:at], data[at : at + size], data[at + size :]
    match rng.randrange(5):
        case 0:
            return before + after
        case 1:
            return before + piece + piece + after
        case 2:
            return before + bytes(len(piece)) + after
        case 3:
            return before + rng.randbytes(len(piece)) + after
        case _:
            changed = bytearray(data)
            first, second = changed[at : at + size], changed[other : other + size]
            changed[at : at + size], changed[other : other + size] = second, first
            return bytes(changed)


def _shuffled_chunks(rng: random.Random, data: bytes) -> bytes:
    """The chunks of a RIFF file left out, doubled or in another order."""
    if data[:4] not in (b"RIFF", b"RF64", b"FORM"):
        return _pieces(rng, data)
    form, at, chunks = "<I" if data[:1] == b"R" else ">I", 12, list[bytes]()
    while at + 8 <= len(data):
        size = struct.unpack_from(form, data, at + 4)[0]
        chunks.append(data[at : at + 8 + size + size % 2])
        at += 8 + size + size % 2
    if not chunks:
        return data
    match rng.randrange(3):
        case 0:
            rng.shuffle(chunks)
        case 1:
            chunks.pop(rng.randrange(len(chunks)))
        case _:
            chunks.insert(rng.randrange(len(chunks)), rng.choice(chunks))
    return data[:12] + b"".join(chunks)


def _spliced(rng: random.Random, data: bytes, files: Sequence[Source] = ()) -> bytes:
    other = rng.choice(_of_one_kind(rng, files))[1] if files else data
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


MUTATIONS: Final = (
    *(_flipped_bits, _changed_head, _extreme_field, _extreme_field, _wrong_length, _wave_field),
    *(_cut, _pieces, _pieces, _shuffled_chunks, _spliced),
)


def _absurd_floats(rng: random.Random) -> Source:
    bits = rng.choice((32, 64))
    samples = tone(rng.choice((0.01, 0.5, 3.0)), 44_100, rng.choice((1, 2, 3)), rng.randrange(99))
    flat = samples.reshape(-1)
    with np.errstate(all="ignore"):
        for _ in range(rng.choice((1, 3))):
            value = rng.choice(ABSURD_FLOATS)
            where = slice(rng.randrange(flat.size), None, rng.choice((1, 2, 7, 1000)))
            flat[where] = flat[where] * value if rng.random() < 0.3 else value
        return ".wav", wav(samples, bits=bits, tag=wave_files.FLOAT)


def _many_channels(rng: random.Random) -> Source:
    channels = rng.choice((*range(1, 65), 128, 255, 1000, 65_535))
    bits = rng.choice((8, 16, 24, 32))
    count = rng.choice((1, 2, 500, 30_000)) // (1 if channels < 65 else 100) or 1
    body = coded(tone(count / 44_100, 44_100, channels), bits)
    if rng.random() < 0.5:
        head = format_chunk(channels=channels, bits=bits)
    else:
        mask = rng.choice((0, 1, 8, (1 << min(channels, 18)) - 1, 0xFFFFFFFF, rng.getrandbits(32)))
        guid = None if rng.random() < 0.7 else rng.randbytes(16)
        head = extensible(channels=channels, rate=44_100, bits=bits, mask=mask, guid=guid)
    return ".wav", riff(chunk(b"fmt ", head), chunk(b"data", body))


def _any_rate(rng: random.Random) -> Source:
    rate = rng.choice(
        (1, 2, 3, 10, 49, 50, 100, 1000, 7999, 22_050, 176_400, 352_800, 705_600, 4_000_000)
    )
    rate = rng.choice((rate, rng.randrange(1, 4_000_000)))
    count = rng.choice((1, 2, 10, 3000, 60_000))
    # No more than some minutes: a low rate is a long recording.
    count = min(count, rng.choice((60, 60, 300)) * rate)
    return ".wav", wav(tone(count / rate, rate, rng.choice((1, 2))), rate=rate)


def _plain_shapes(rng: random.Random) -> Source:
    rate = rng.choice((8000, 22_050, 44_100, 96_000))
    count = rng.choice((1, 2, 100, 2048, 50_000, 200_000))
    samples = np.zeros((count, rng.choice((1, 2))))
    match rng.randrange(6):
        case 0:
            samples += rng.choice((1.0, -1.0, 0.5, 1e-5))
        case 1:
            samples[:: rng.choice((1, 7, 1000, 11_025, 22_050))] = rng.choice((1.0, -1.0, 1e-4))
        case 2:
            samples[rng.randrange(count)] = 1.0
        case 3:
            samples[count // 2 :] = 0.7
        case 4:
            samples[::2] = 1.0
            samples[1::2] = -1.0
        case _:
            pass
    return ".wav", wav(samples, rate=rate, bits=rng.choice((8, 16, 24, 32)))


def _wrong_sizes(rng: random.Random) -> Source:
    name = rng.choice((b"RIFF", b"RF64", b"RIFX", b"BW64"))
    head = format_chunk(
        channels=2, tag=rng.choice((1, 1, 3, 6, 7, 2, 0x11)), bits=rng.choice((4, 8, 16, 32))
    )
    body = coded(tone(0.5, 44_100, 2), 16)
    sizes = (*LENGTHS, len(body) - 1, len(body) + 1, None)
    wide = struct.pack(
        "<QQQI", *(rng.choice((0, 1, 2**31, 2**63, 2**64 - 1, len(body))) for _ in range(3)), 0
    )
    chunks = [
        chunk(b"ds64", wide, rng.choice((28, 28, 0, 0xFFFFFFFF))),
        chunk(b"fmt ", head, rng.choice((16, 16, 16, 14, 18, 40, 0xFFFFFFFF))),
        chunk(
            rng.choice((b"LIST", b"fact", b"bext", b"id3 ", b"SMV0", b"LIST")),
            rng.randbytes(rng.randrange(50)),
        ),
        chunk(b"data", body, rng.choice(sizes)),
    ]
    return ".wav", riff(*chunks[rng.randrange(2) :], size=rng.choice(sizes), name=name)


def _hours_of_silence(rng: random.Random) -> Source:
    rate = rng.choice((1, 1000, 8000, 44_100, 48_000, 655_350))
    seconds = 1 if rate > 48_000 else rng.choice((1, 60, 60, 600))
    return ".flac", silent_flac(rate=rate, samples=rate * seconds, channels=rng.choice((1, 2, 8)))


def _odd_speakers(rng: random.Random) -> Source:
    labels = (*range(20), 33, 38, 100, 200, 300, 400, 65_536, 65_537, 0xFFFFFFFF)
    return ".caf", caf([rng.choice(labels) for _ in range(rng.choice((1, 2, 3, 6, 20)))])


def _changing(rng: random.Random) -> Source:
    """A stream of packets with headers whose channels and rate change on the way."""
    container, codec, extension = rng.choice(
        (
            *(("mp3", "libmp3lame", ".mp3"), ("adts", "aac", ".aac"), ("mp2", "mp2", ".mp2")),
            *(("ac3", "ac3", ".ac3"), ("flac", "flac", ".flac"), ("wv", "wavpack", ".wv")),
            *(("ogg", "libopus", ".opus"), ("mpegts", "aac", ".ts")),
        )
    )
    parts = [
        by_encoder(
            codec,
            rng.choice((1, 2, 2, 6)),
            container=container,
            rate=48_000 if codec == "libopus" else rng.choice((32_000, 44_100, 48_000)),
            seconds=rng.choice((0.1, 0.5)),
        )
        for _ in range(rng.choice((2, 3, 6)))
    ]
    if codec == "flac" and rng.random() < 0.7:
        parts[1:] = [part[part.find(b"\xff\xf8") :] for part in parts[1:]]
    return extension, b"".join(parts)


BUILT: Final[Sequence[Callable[[random.Random], Source]]] = (
    *(_absurd_floats, _many_channels, _any_rate, _plain_shapes, _wrong_sizes, _changing),
    *(_hours_of_silence, _odd_speakers),
)
