"""What the file is: container, codec, tags, and the facts of the decoded sound."""

import os
from typing import Final

from harken.audio.analysis import Analysis
from harken.audio.decode import Recording
from harken.audio.result import Media

MAX_TAGS: Final = 100  # published
MAX_TAG_CHARS: Final = 1_000  # published, of a name and of a value


class MediaFacts(Analysis):
    """Reads nothing but the recording's facts."""

    def finish(self) -> Media:
        """The group."""
        recording = self.track.recording
        return Media(
            duration_s=recording.decoded_s,
            start_time_s=start_time_s(recording),
            sample_rate_hz=recording.sample_rate,
            channels=len(recording.channels),
            codec=recording.source.codec,
            container=container_name(recording.source.formats, recording.path),
            bit_rate=bit_rate(recording),
            tags=tags(recording),
            non_finite_samples=recording.source.non_finite_samples,
        )


def start_time_s(recording: Recording) -> float:
    """Seconds from the start of the picture to the first sample; 0 when there is sound alone.

    A player's clock starts with the earliest stream, whatever time stamp it bears, so a beat is
    seen at `start_time_s` + its time.
    """
    first, starts = recording.source.first_pts_s, recording.source.picture_starts_s
    if first is None or not starts:
        return 0.0
    return max(0.0, first - min(starts))


def bit_rate(recording: Recording) -> int | None:
    """Mean bits a second of the coded sound alone, counted rather than taken from a header."""
    seconds = recording.source.coded_s or recording.decoded_s
    return round(recording.source.coded_bytes * 8 / seconds) if seconds > 0 else None


def container_name(names: str, path: str) -> str:
    """One name out of FFmpeg's list ("mov,mp4,m4a,…"): the file's extension where it is listed."""
    listed = names.split(",")
    extension = os.path.splitext(path)[1].lstrip(".").lower()
    if extension in listed:
        return extension
    return "mp4" if "mp4" in listed else listed[0]


def tags(recording: Recording) -> dict[str, str]:
    """The first tags of the file and of its sound stream, names in lower case."""
    return dict(list(all_tags(recording).items())[:MAX_TAGS])


def all_tags(recording: Recording) -> dict[str, str]:
    """Tags of the file and of its sound stream, names in lower case; the file's count."""
    merged: dict[str, str] = {}
    for tags_of in recording.source.tags:
        merged |= {
            _readable(name).lower()[:MAX_TAG_CHARS]: _readable(text)[:MAX_TAG_CHARS]
            for name, text in tags_of.items()
        }
    return merged


def _readable(text: str) -> str:
    """The text of a tag with a replacement character for each byte that was not UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
