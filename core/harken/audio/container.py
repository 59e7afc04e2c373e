"""A file opened by FFmpeg (PyAV): with which options, which of its streams, and in whose order its speakers are."""

import struct
from functools import cache
from itertools import pairwise
from math import lcm
from typing import Any, Final, cast

import av
import av.error
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.container import InputContainer

from harken.audio import errors
from harken.audio.errors import InputError
from harken.audio.playlists import refuse_playlist
from harken.audio.source_file import SourceFile

# FFmpeg's own order of speakers; streams in it have no list of them.
_ORDER: Final = (
    "FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR DL DR WL WR SDL SDR LFE2 "
    "TSL TSR BFC BFL BFR SSL SSR TTL TTR"
)
SPEAKERS: Final = tuple(_ORDER.split())
UNNAMED: Final = "NONE"  # each speaker of a stream that tells their number alone

# PyAV 19 keeps what is not UTF-8 in tags as lone surrogates; before, it had to be told so.
_UNREADABLE_TAGS: Final[dict[str, Any]] = (
    {"metadata_errors": "surrogateescape"} if int(av.__version__.partition(".")[0]) < 19 else {}
)


# Formats that consist of names and addresses, or have parts beside them; `image2` takes a name for a pattern of files.
_REFERRING: Final = (
    *("avisynth", "concat", "dash", "hls", "image2", "imf", "mlv", "rtp", "rtsp", "sap", "sdp"),
    *("vapoursynth", "vobsub"),
)


@cache
def _options() -> dict[str, str]:
    """What FFmpeg is told for every file.

    With no protocol allowed, nothing in a file can make it open another file or a socket; without the formats that
    would try, their code is not run at all.
    """
    formats = ",".join(sorted(av.formats_available.difference(_REFERRING)))
    return {"protocol_whitelist": "none", "format_whitelist": formats}


# 8K film, and what is more has never been meant: a header can claim any size, and a decoder sets memory aside for it,
# when it probes too. Several frames of it are held at a time.
LARGEST_PIXELS: Final = 36_000_000  # published
_DECODERS: Final = {"max_pixels": str(LARGEST_PIXELS)}

# Samples in a WAV file may come in large packets (a sixth of the time). Only samples: a coding's
# blocks would be cut where they must not be.
_PACKET_BYTES: Final = 65_536
_SMALL_FILE_BYTES: Final = 1 << 20
_SMALL_FILE_PACKET_BYTES: Final = 16_384  # FFmpeg looks through the first, for 0.1 ms a kilobyte
_LARGEST_PACKET_BYTES: Final = 1 << 20  # FFmpeg allows four times as much
# A WAV's header says all there is to know, so FFmpeg need not decode its start to find out (5 ms
# less for each). What it still does is look whether 16-bit samples are DTS or MP3 in disguise, as
# on discs, but then in the first packet alone.
_SMALL_PROBE: Final = {"probesize": "4096"}
_WAV_HEADER_BYTES: Final = 4096  # more than nearly all headers have
_WAV_START_BYTES: Final = _PACKET_BYTES // 2


def open_container(file: SourceFile) -> InputContainer:
    """The file, opened by FFmpeg; raises InputError PLAYLIST and UNREADABLE, and OSError when the disk fails."""
    file.seek(0)
    start = file.read(_WAV_START_BYTES)
    file.seek(0)
    refuse_playlist(start)
    aim = _PACKET_BYTES if file.size >= _SMALL_FILE_BYTES else _SMALL_FILE_PACKET_BYTES
    packet = _wav_packet_bytes(start, aim)
    if packet is None:
        return _container(file, _options())
    # Half a packet of silence: its rest may be too little to tell.
    silent = len(start) >= aim // 2 and not start[_WAV_HEADER_BYTES : aim // 2].strip(b"\0")
    probe = {} if silent else _SMALL_PROBE
    container = _container(file, {**_options(), "max_size": str(packet), **probe})
    if all(codec_name(stream).startswith("pcm_") for stream in container.streams.audio):
        return container
    container.close()
    file.seek(0)
    return _container(file, _options())


def _wav_packet_bytes(start: bytes, aim: int) -> int | None:
    """How large a WAV's packets should be, about `aim`; None for what starts otherwise.

    A whole number of samples of all channels, and of what the header calls a block: FFmpeg cuts
    packets by the latter alone and loses what is left over at the end of each where it is wrong.
    """
    at = start.find(b"fmt ", 12) + 8
    if start[:4] not in (b"RIFF", b"RF64") or start[8:12] != b"WAVE":
        return None
    if not 8 < at <= len(start) - 16:
        return None
    channels, block, bits = struct.unpack_from("<2xH8xHH", start, at)
    whole = lcm(block or 1, channels * -(-bits // 8) or 1)
    packet = max(aim // whole, 1) * whole
    return packet if packet <= _LARGEST_PACKET_BYTES else None


def _container(file: SourceFile, options: dict[str, str]) -> InputContainer:
    try:
        return av.open(
            file, mode="r", options=_DECODERS, container_options=options, **_UNREADABLE_TAGS
        )
    except (av.error.FFmpegError, ValueError):
        file.raise_failure()
        raise InputError(
            errors.UNREADABLE,
            "The file is not audio or video that can be read, or it is damaged at the start. "
            "Check that it plays elsewhere, or export it again.",
        ) from None


def sound_stream(container: InputContainer) -> AudioStream:
    """The sound that FFmpeg thinks best; raises InputError NO_AUDIO_STREAM, UNSUPPORTED_CODEC."""
    best = container.streams.best("audio")
    # FFmpeg calls no stream best whose header lacks a rate; the frames may still bring one.
    stream = best if isinstance(best, AudioStream) else next(iter(container.streams.audio), None)
    if stream is None:
        kinds = sorted({stream.type for stream in container.streams})
        held = f"only {' and '.join(kinds)}" if kinds else "no stream at all"
        raise InputError(
            errors.NO_AUDIO_STREAM, f"The file can be read but holds no sound, {held}."
        )
    if not codec_name(stream):
        raise InputError(
            errors.UNSUPPORTED_CODEC,
            "The sound is in a coding that cannot be decoded here; convert it to FLAC or WAV.",
        )
    return stream


def take_odd_speakers(stream: AudioStream) -> tuple[str, ...]:
    """The speakers of a stream that lists them in an order of its own, else nothing.

    PyAV since 17.1 frees such a list once with every frame, which ends the process (CAF and MOV
    have them). Without it, frames bear no list; this one is freed with `layout` alone.
    """
    layout = stream.codec_context.layout
    speakers = tuple(channel.name for channel in layout.channels)
    places = [SPEAKERS.index(name) if name in SPEAKERS else -1 for name in speakers]
    if all(name == UNNAMED for name in speakers) or (
        -1 not in places and all(first < second for first, second in pairwise(places))
    ):
        return ()
    stream.codec_context.layout = f"{len(speakers)} channels"
    return speakers


def codec_name(stream: AudioStream) -> str:
    """The plain name, such as "mp3" or "pcm_s16le"; empty where nothing can decode it.

    PyAV's stubs promise a decoder, but there may be none.
    """
    context = cast("CodecContext | None", stream.codec_context)
    try:
        codec = context.codec if context else None
    except UnknownCodecError:  # of PyAV 19; before, there was no context
        return ""
    return codec.canonical_name if codec else ""
