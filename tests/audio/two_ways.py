"""A file read by harken's own loops, and by FFmpeg alone: whatever is broken in it, both say the same."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from harken.audio import InputError, ffmpeg_sound
from harken.audio.blocks import Floats
from harken.audio.decode import Recording
from harken.audio.flac.stream import FlacStream
from harken.audio.frame_reader import FrameReader
from harken.audio.mp3.stream import Mp3Stream
from harken.audio.plain_stream import PlainStream


class Ways:
    """What has been read so far in which way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.own_samples = 0
        self.by_ffmpeg = False
        by_ffmpeg = FrameReader.pieces

        def noted(reader: FrameReader, given: int = 0) -> Iterator[Floats]:
            self.by_ffmpeg = True
            return by_ffmpeg(reader, given)

        monkeypatch.setattr(FrameReader, "pieces", noted)
        for kind in (FlacStream, Mp3Stream):
            monkeypatch.setattr(kind, "pieces", self._counted(kind.pieces))

    def _counted(
        self, pieces: Callable[[Any], Iterator[Floats]]
    ) -> Callable[[Any], Iterator[Floats]]:
        def counted(stream: PlainStream) -> Iterator[Floats]:
            for piece in pieces(stream):
                self.own_samples += piece.shape[1]
                yield piece

        return counted


def samples_of(path: Path) -> npt.NDArray[np.float32]:
    """All of them, (channels, n)."""
    with Recording(str(path)) as recording:
        return np.concatenate([block.samples for block in recording.blocks()], axis=1)


def found(path: Path) -> tuple[object, ...]:
    """What comes out of a file, and what is said of it."""
    try:
        with Recording(str(path)) as recording:
            sound = b"".join(block.samples.T.tobytes() for block in recording.blocks())
            source = recording.source
            form = (source.codec, source.sample_format, recording.sample_rate, recording.channels)
            facts = (source.coded_bytes, source.coded_s, source.first_pts_s, source.claimed_s)
    except InputError as error:
        return (error.reason,)
    return (sound, *form, *facts, source.bytes_done, recording.share_done)


def found_by_ffmpeg(path: Path) -> tuple[object, ...]:
    """The same by FFmpeg alone."""
    with pytest.MonkeyPatch.context() as alone:
        alone.setattr(ffmpeg_sound, "plain_stream", lambda *_: None)
        return found(path)
