"""Files that tell whoever reads them to read something else: a neighbour named SECRET, or an address.

Each function gives the bytes of such a file; `{secret}` and `{address}` have been put in.
"""

import io
import struct

import av
import numpy as np

HLS = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:1
#EXTINF:1,
{place}
#EXT-X-ENDLIST
"""
HLS_KEY = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:1
#EXT-X-KEY:METHOD=AES-128,URI="{place}"
#EXTINF:1,
{place}
#EXT-X-ENDLIST
"""
CONCAT = "ffconcat version 1.0\nfile '{place}'\n"
DASH = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" profiles="x">
<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1">
<BaseURL>{place}</BaseURL><SegmentBase indexRange="0-1"/></Representation></AdaptationSet></Period></MPD>
"""
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
RTSP_REFERENCE = "RTSPtextRTSP://{place}\n"
PLS = "[playlist]\nFile1={place}\nNumberOfEntries=1\n"
XSPF = """<?xml version="1.0"?>
<playlist version="1"><trackList><track><location>{place}</location></track></trackList></playlist>
"""
ASX = '<asx version="3.0"><entry><ref href="{place}"/></entry></asx>'
SMIL = '<smil><body><audio src="{place}"/></body></smil>'
CUE = 'FILE "{place}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
IMF = """<?xml version="1.0" encoding="UTF-8"?>
<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>urn:uuid:0</Id></CompositionPlaylist>"""
VOBSUB = """# VobSub index file, v7 (do not modify this line!)
id: en, index: 0
timestamp: 00:00:00:000, filepos: 000000000
"""

TEXTS = {
    "HLS": HLS,
    "HLS with a key": HLS_KEY,
    "concat": CONCAT,
    "DASH": DASH,
    "SDP": SDP,
    "RTSP reference": RTSP_REFERENCE,
    "PLS": PLS,
    "XSPF": XSPF,
    "ASX": ASX,
    "SMIL": SMIL,
    "cue sheet": CUE,
    "IMF": IMF,
}


def behind_a_tag(text: bytes) -> bytes:
    """The text behind an ID3 tag, which FFmpeg passes over before it looks what a file is."""
    return b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + text


def movie_of_another_file(place: bytes) -> bytes:
    """A QuickTime movie whose sound lies in another file, by a reference of the kind "alis"."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mov") as container:
        stream = container.add_stream("pcm_s16le", rate=8_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8_000), np.int16), "s16", "mono")
        frame.sample_rate = 8_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    data = bytearray(buffer.getvalue())
    old = struct.pack(">I4sI", 12, b"url ", 1)
    at = data.index(old)
    name = place.rsplit(b"/", 1)[-1]
    alias = _alias(name, place)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    grown = len(entry) - len(old)
    data[at : at + len(old)] = entry
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place_of = data.index(kind) - 4
        size = struct.unpack_from(">I", data, place_of)[0]
        struct.pack_into(">I", data, place_of, size + grown)
    return bytes(data)


def _alias(name: bytes, path: bytes) -> bytes:
    """An alias as QuickTime writes it: who made it, the volume, the file's name, and its path as an item."""
    head = bytes(4) + struct.pack(">HH", 150, 2) + bytes(2)
    volume = bytes([1]) + b"x".ljust(27, b"\0")
    middle = bytes(12)
    file = bytes([len(name)]) + name.ljust(63, b"\0")
    rest = bytes(16) + struct.pack(">hh", 1, 1) + bytes(16)
    padded = path + b"\0" * (len(path) % 2)
    items = struct.pack(">hH", 2, len(path)) + padded + struct.pack(">hH", -1, 0)
    return head[:10] + volume + middle + file + rest + items
