"""WAV files in every dress: valid ones that must be read to the last sample, and absurd ones.

All are put together byte by byte, or by an encoder, from a tone with a seed: nothing is a recording.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

import av
import av.logging
import numpy as np
import soundfile
from numpy.typing import NDArray

PCM: Final = 1
FLOAT: Final = 3
A_LAW: Final = 6
MU_LAW: Final = 7
MP3: Final = 0x55
EXTENSIBLE: Final = 0xFFFE
STREAMED: Final = 0xFFFFFFFF  # the length of what was not known when the header was written
# The end of a KSDATAFORMAT_SUBTYPE; its first two bytes are the format tag.
SUBTYPE: Final = bytes.fromhex("000000001000800000aa00389b71")
# FFmpeg encoders that make packets which a WAV may hold.
CODECS: Final = (
    *("pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw"),
    *("pcm_mulaw", "adpcm_ms", "adpcm_ima_wav", "adpcm_swf", "adpcm_yamaha", "g722", "g726"),
    *("libmp3lame", "aac", "ac3", "eac3", "mp2", "flac", "wmav1", "wmav2", "nellymoser"),
)

Samples = NDArray[np.float64]


def tone(seconds: float, rate: int, channels: int = 1, seed: int = 0) -> Samples:
    """Two sines and a little noise, each channel its own; shape (n, channels), below ±0.7."""
    count = max(round(seconds * rate), 1)
    t = np.arange(count)[:, None] / rate
    hum = np.sin(2 * np.pi * (220 + 55 * np.arange(channels)) * t)
    noise = np.random.default_rng(seed).uniform(-1, 1, (count, channels))
    return 0.4 * hum + 0.2 * np.sin(2 * np.pi * 1234.5 * t) + 0.05 * noise


def coded(samples: Samples, bits: int, tag: int = PCM) -> bytes:
    """Samples of shape (n, channels) as 8, 16, 24, 32 or 64-bit PCM, or as floats."""
    if tag == FLOAT:
        return samples.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return (samples * 127 + 128).astype(np.uint8).tobytes()
    whole = (samples * (2.0 ** (bits - 1) - 1)).astype("<i8")
    return whole.reshape(-1, 1).view(np.uint8)[:, : bits // 8].tobytes()


def format_chunk(
    *,
    tag: int = PCM,
    channels: int = 1,
    rate: int = 44_100,
    bits: int = 16,
    align: int | None = None,
    byte_rate: int | None = None,
    extra: bytes = b"",
) -> bytes:
    """The body of a `fmt ` chunk; what is not given is as it should be."""
    frame = channels * bits // 8 if align is None else align
    rates = rate * frame & 0xFFFFFFFF if byte_rate is None else byte_rate
    plain = struct.pack("<HHIIHH", tag, channels & 0xFFFF, rate, rates, frame & 0xFFFF, bits)
    return plain + extra


def extensible(
    *, tag: int = PCM, channels: int, rate: int, bits: int, mask: int, guid: bytes | None = None
) -> bytes:
    """The body of a WAVE_FORMAT_EXTENSIBLE `fmt ` chunk."""
    subtype = struct.pack("<H", tag) + SUBTYPE if guid is None else guid
    extra = struct.pack("<HHI", 22, bits, mask) + subtype
    return format_chunk(tag=EXTENSIBLE, channels=channels, rate=rate, bits=bits, extra=extra)


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    """One chunk, filled up to an even length; `size` is what its header says of it."""
    claim = len(body) if size is None else size
    return name + struct.pack("<I", claim) + body + bytes(len(body) % 2)


def riff(*chunks: bytes, size: int | None = None, name: bytes = b"RIFF") -> bytes:
    """A whole file."""
    body = b"WAVE" + b"".join(chunks)
    return name + struct.pack("<I", len(body) if size is None else size) + body


def wav(samples: Samples, *, rate: int = 44_100, bits: int = 16, tag: int = PCM) -> bytes:
    """The plainest file around `samples`, shape (n, channels)."""
    channels = samples.shape[1]
    head = format_chunk(tag=tag, channels=channels, rate=rate, bits=bits)
    return riff(chunk(b"fmt ", head), chunk(b"data", coded(samples, bits, tag)))


def valid() -> Iterator[tuple[str, bytes]]:
    """Every kind of WAV that programs write, each 0.4 to 3 s long, with its name."""
    yield from _plain()
    yield from _with_chunks()
    yield from _streamed()
    yield from _by_libsndfile()
    for codec in CODECS:
        for channels in (1, 2):
            data = by_encoder(codec, channels)
            if data:
                yield f"{codec} {channels}", data
    yield from _disguised()


def _plain() -> Iterator[tuple[str, bytes]]:
    for bits in (8, 16, 24, 32):
        for channels in (1, 2, 3, 6, 8):
            data = wav(tone(1.1, 22_050, channels), rate=22_050, bits=bits)
            yield f"pcm {bits} bits {channels} ch", data
    for bits in (32, 64):
        for channels in (1, 2, 5):
            data = wav(tone(0.7, 48_000, channels), rate=48_000, bits=bits, tag=FLOAT)
            yield f"float {bits} bits {channels} ch", data
    for rate in (1, 50, 8000, 11_025, 96_000, 192_000, 768_000):
        yield f"rate {rate}", wav(tone(3.0 if rate < 1000 else 0.4, rate, 2), rate=rate)
    for count in (1, 2, 3, 1023, 1024, 1025, 32_767, 32_768, 32_769):
        yield f"{count} samples", wav(tone(1.0, count), rate=44_100)
    for channels, mask in ((1, 4), (2, 3), (4, 0x33), (6, 0x3F), (6, 0), (8, 0x63F), (12, 0)):
        head = extensible(channels=channels, rate=44_100, bits=24, mask=mask)
        body = coded(tone(0.5, 44_100, channels), 24)
        yield f"extensible {channels} {mask:x}", riff(chunk(b"fmt ", head), chunk(b"data", body))
    # 20 bits in a container of 24, as some converters say it.
    head = extensible(channels=2, rate=48_000, bits=24, mask=3)
    head = head[:18] + struct.pack("<H", 20) + head[20:]
    yield (
        "20 bits in 24",
        riff(chunk(b"fmt ", head), chunk(b"data", coded(tone(0.5, 48_000, 2), 24))),
    )


def _with_chunks() -> Iterator[tuple[str, bytes]]:
    head = chunk(b"fmt ", format_chunk(channels=2))
    body = coded(tone(0.6, 44_100, 2), 16)
    data = chunk(b"data", body)
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"name\0") + chunk(b"IART", b"odd\0"))
    id3 = chunk(b"id3 ", b"ID3\x03\0\0\0\0\0\x15TIT2\0\0\0\x0b\0\0\0some title")
    bext = chunk(b"bext", b"a description".ljust(602, b"\0") + b"coding history\r\n")
    cue = chunk(b"cue ", struct.pack("<IIIIIII", 1, 1, 0, 0, 0, 0, 100))
    smpl = chunk(b"smpl", bytes(36) + struct.pack("<IIIIII", 0, 0, 10, 1000, 0, 0))
    fact = chunk(b"fact", struct.pack("<I", len(body) // 4))
    odd = chunk(b"abcd", b"12345")
    for name, extra in (
        *(("LIST", info), ("id3", id3), ("bext", bext), ("cue", cue), ("smpl", smpl)),
        *(("fact", fact), ("odd length", odd), ("PAD of 9000", chunk(b"PAD ", bytes(9000)))),
        *(
            ("JUNK of 1 MB", chunk(b"JUNK", bytes(1 << 20))),
            ("all", info + id3 + bext + cue + smpl),
        ),
    ):
        yield f"{name} before data", riff(head, extra, data)
        yield f"{name} after data", riff(head, data, extra)
        yield f"{name} before fmt", riff(extra, head, data)
    yield "data twice", riff(head, data, data)
    yield "empty data first", riff(head, chunk(b"data", b""), data)
    mono = chunk(b"fmt ", format_chunk(bits=8))
    yield "odd data and LIST", riff(mono, chunk(b"data", bytes(range(256)) * 90 + b"\x80"), info)
    yield (
        "odd data unpadded",
        riff(mono, chunk(b"data", bytes(range(256)) * 90 + b"\x80")[:-1], info),
    )
    yield "rubbish at the end", riff(head, data) + b"\0\xff" * 5000
    yield "bytes of a cut frame", riff(head, chunk(b"data", body + b"\x01\x02\x03"))


def _streamed() -> Iterator[tuple[str, bytes]]:
    head = chunk(b"fmt ", format_chunk(channels=2))
    body = coded(tone(1.5, 44_100, 2), 16)
    for size in (0, STREAMED, 0x7FFFFFFF, 0x80000000, len(body) + 2, len(body) + 100_000):
        data = chunk(b"data", body, size)
        yield f"data size {size}", riff(head, data)
        yield f"data and RIFF size {size}", riff(head, data, size=size)
    wide = struct.pack("<QQQI", len(body) + 80, len(body), len(body) // 4, 0)
    rf64 = (chunk(b"ds64", wide), head, chunk(b"data", body, STREAMED))
    yield "RF64", riff(*rf64, size=STREAMED, name=b"RF64")
    none = struct.pack("<QQQI", 0, 0, 0, 0)
    yield "RF64 of none", riff(chunk(b"ds64", none), *rf64[1:], size=STREAMED, name=b"RF64")


def _by_libsndfile() -> Iterator[tuple[str, bytes]]:
    for form in ("WAV", "WAVEX", "RF64", "W64"):
        for subtype in soundfile.available_subtypes(form):
            for channels in (1, 2):
                if (data := _libsndfile(form, subtype, channels)) is not None:
                    yield f"{form} {subtype} {channels}", data


def _libsndfile(form: str, subtype: str, channels: int) -> bytes | None:
    file = io.BytesIO()
    try:
        soundfile.write(file, tone(1.3, 24_000, channels), 24_000, format=form, subtype=subtype)
    except (soundfile.LibsndfileError, ValueError):
        return None  # no such coding with so many channels
    return file.getvalue()


def _disguised() -> Iterator[tuple[str, bytes]]:
    """Other codings under the header of 16-bit stereo, as DTS and Dolby discs have them."""
    head = format_chunk(channels=2, rate=48_000)
    coding = b"".join(encoded("libmp3lame", 2, 12.0, 48_000))
    for lead in (30_000, 40_000, 65_536, 126_000, 300_000):
        data = chunk(b"data", bytes(lead) + coding)
        yield f"MP3 as PCM after {lead} zeros", riff(chunk(b"fmt ", head), data)
    for codec in ("ac3", "libmp3lame", "aac"):
        packets = encoded(codec, 2, 3.0, 48_000)
        if not packets:
            continue
        body = b"".join(packets)
        yield f"{codec} as PCM", riff(chunk(b"fmt ", head), chunk(b"data", body))
        # S/PDIF bursts: a preamble, then the packet's bytes in pairs turned round.
        kind, period = {"ac3": (1, 6144)}.get(codec, (5, 4608))
        bursts = b"".join(
            (struct.pack("<HHHH", 0xF872, 0x4E1F, kind, 8 * len(packet)) + _turned(packet)).ljust(
                period, b"\0"
            )
            for packet in packets
        )
        yield f"{codec} in S/PDIF", riff(chunk(b"fmt ", head), chunk(b"data", bursts))
    for name, value in (("silence", 0), ("DC", 0.5)):
        yield f"16 bits of {name}", wav(np.full((200_000, 2), float(value)))
    noise = np.random.default_rng(7).uniform(-1, 1, (100_000, 2))
    yield "16 bits of noise", wav(noise)


def _turned(packet: bytes) -> bytes:
    even = packet + bytes(len(packet) % 2)
    return np.frombuffer(even, "<u2").byteswap().tobytes()


def encoded(codec: str, channels: int, seconds: float, rate: int) -> Sequence[bytes]:
    """The packets of a tone; none where FFmpeg has no such encoder, or not for these channels."""
    try:
        with av.open(io.BytesIO(), "w", format="matroska") as container:
            return [bytes(packet) for packet in _packets(container, codec, channels, seconds, rate)]
    except (av.error.FFmpegError, ValueError):
        return []


def by_encoder(
    codec: str, channels: int, *, container: str = "wav", seconds: float = 1.2, rate: int = 44_100
) -> bytes:
    """A file of the named container, made by FFmpeg; empty where it cannot."""
    av.logging.set_level(None)
    file = io.BytesIO()
    try:
        with av.open(file, "w", format=container) as output:
            for packet in _packets(output, codec, channels, seconds, rate):
                output.mux(packet)
    except (av.error.FFmpegError, ValueError):
        return b""
    return file.getvalue()


def _packets(container: Any, codec: str, channels: int, seconds: float, rate: int) -> Iterator[Any]:
    if codec in ("g722", "g726"):
        rate = 16_000 if codec == "g722" else 8000
    layouts = {1: "mono", 2: "stereo", 6: "5.1"}
    stream = container.add_stream(codec, rate=rate, options={"strict": "experimental"})
    stream.layout = layouts[channels]
    forms = stream.codec_context.codec.audio_formats or ()
    stream.format = forms[0].name if forms else "s16"
    samples = tone(seconds, rate, channels).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples.T), format="fltp", layout=layouts[channels]
    )
    frame.rate = rate
    yield from stream.encode(frame)
    yield from stream.encode(None)
