"""Files that hold no sound but say where some is: never followed, and told apart for a clear answer.

What keeps FFmpeg from following is in `container.py`: it may use no protocol, so that it opens neither file nor socket.
"""

import re
from typing import Final

from harken.audio import errors
from harken.audio.errors import InputError

# HLS and M3U; FFmpeg's concat; PLS; SDP, as of RTP and RTSP; cue sheets; a movie that is but a redirection.
_TEXTS: Final = re.compile(
    rb"\s*(#EXTM3U|ffconcat version|\[playlist\]|\[Reference\]|v=0\s+o=|RTSPtext|SMILtext|FILE [^\n]+ (WAVE|MP3|AIFF))"
)
# DASH, XSPF, ASX, SMIL and Smooth Streaming, after what may stand at the head of XML; IMF is a list of MXF files.
_XML: Final = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*"
    rb"<([\w.-]+:)?(MPD|playlist|asx|smil|SmoothStreamingMedia|CompositionPlaylist)\b",
    re.IGNORECASE | re.DOTALL,
)
_START_BYTES: Final = 4096
_MARK: Final = b"\xef\xbb\xbf"  # that some editors put before a text in UTF-8


def refuse_playlist(start: bytes) -> None:
    """Raises InputError PLAYLIST for the first bytes of a list of other files."""
    text = start[:_START_BYTES].removeprefix(_MARK)
    if _TEXTS.match(text) or _XML.match(text):
        raise InputError(
            errors.PLAYLIST,
            "The file is a list of other files or addresses, which are not followed. Submit those themselves.",
        )
