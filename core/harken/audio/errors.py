"""What can go wrong with a recording.

    AudioError
    └── InputError          the file's fault: trying again cannot help
          FILE_NOT_FOUND      nothing at that path
          NOT_A_FILE          a folder, a pipe, a device
          PERMISSION_DENIED   there, but not readable by this user
          EMPTY_FILE          0 bytes
          PLAYLIST            a list of other files, or of addresses
          UNREADABLE          not audio or video, or damaged beyond reading
          NO_AUDIO_STREAM     readable, but without sound
          UNSUPPORTED_CODEC   sound in a coding this build cannot decode
          SOUND_ELSEWHERE     a movie whose sound lies in another file
          NO_SAMPLES          a sound stream from which nothing could be decoded
          ALL_NON_FINITE      every sample is NaN or infinite
          TOO_LONG            more audio than the limit
          INFLATED            more audio than an honest file of its size holds
          RATE_TOO_LOW        too few samples a second to make another rate of them
          NOT_FOR_FLAC        more channels, or a higher rate, than the file to be written can hold
          NO_VIDEO_STREAM     without moving pictures: sound alone, its cover, or a single picture
          NO_FRAMES           moving pictures of which not one could be decoded
          PICTURE_TOO_LARGE   more pixels than are decoded

Any other `OSError` (a disk or a network share that fails) passes through unchanged: the same
file may be readable later.
"""

from typing import ClassVar, Final

FILE_NOT_FOUND: Final = "FILE_NOT_FOUND"
NOT_A_FILE: Final = "NOT_A_FILE"
PERMISSION_DENIED: Final = "PERMISSION_DENIED"
EMPTY_FILE: Final = "EMPTY_FILE"
PLAYLIST: Final = "PLAYLIST"
UNREADABLE: Final = "UNREADABLE"
NO_AUDIO_STREAM: Final = "NO_AUDIO_STREAM"
UNSUPPORTED_CODEC: Final = "UNSUPPORTED_CODEC"
SOUND_ELSEWHERE: Final = "SOUND_ELSEWHERE"
NO_SAMPLES: Final = "NO_SAMPLES"
ALL_NON_FINITE: Final = "ALL_NON_FINITE"
TOO_LONG: Final = "TOO_LONG"
INFLATED: Final = "INFLATED"
RATE_TOO_LOW: Final = "RATE_TOO_LOW"
NOT_FOR_FLAC: Final = "NOT_FOR_FLAC"
NO_VIDEO_STREAM: Final = "NO_VIDEO_STREAM"
NO_FRAMES: Final = "NO_FRAMES"
PICTURE_TOO_LARGE: Final = "PICTURE_TOO_LARGE"


class AudioError(Exception):
    """Base of everything harken.audio raises by itself."""

    kind: ClassVar[str]

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class InputError(AudioError):
    """The recording cannot be analysed, now or later; `reason` is one of those above."""

    kind: ClassVar[str] = "INPUT"
