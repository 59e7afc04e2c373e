"""The words a job is described with: states, features, kinds of error, a worker's status.

Each member equals its text, so `job.state == "QUEUED"` and `Feature("rhythm")` work. Members have
the names of the contract's values without their prefix. UNKNOWN stands for what this client is too
old to know.
"""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands."""

    UNKNOWN = "UNKNOWN"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """Whether a job in this state has ended and never changes again."""
        return self in _TERMINAL


_TERMINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


class JobKind(StrEnum):
    """What kind of work a job is."""

    UNKNOWN = "UNKNOWN"
    ANALYSIS = "ANALYSIS"
    EXPORT = "EXPORT"
    """Results are written to a file."""
    OWNER_EXPORT = "OWNER_EXPORT"
    """All that is held of an owner is written to an archive."""
    OWNER_ERASE = "OWNER_ERASE"
    """All that is held of an owner is deleted."""
    REPORT = "REPORT"
    """Statistics of a collection are written to a page."""


class Feature(StrEnum):
    """A group of an analysis' result; each fills the field of AnalysisResult with its name.

    The default set is MEDIA to EMBEDDING; the others are computed where they are named.
    """

    UNKNOWN = "unknown"
    MEDIA = "media"
    RHYTHM = "rhythm"
    TONAL = "tonal"
    SPECTRAL = "spectral"
    TIMBRE = "timbre"
    LOUDNESS = "loudness"
    ONSETS = "onsets"
    EMBEDDING = "embedding"
    PITCH = "pitch"
    """The fundamental frequency of one voice or instrument."""
    ENVELOPE = "envelope"
    """How a single sound begins and dies away."""
    ANNOTATIONS = "annotations"
    """What the file says of itself."""
    STEMS = "stems"
    """The sound taken apart, as artifacts."""
    PREPARE = "prepare"
    """The sound trimmed, resampled, levelled and converted, as an artifact."""
    VIDEO = "video"
    """What a video is, and thumbnails, a contact sheet and a proxy of it, as artifacts."""
    PICTURES = "pictures"
    """Pictures of the sound, and peaks for players, as artifacts."""
    QUALITY = "quality"
    """The technical state: clipping, hum, bits, bandwidth, and what is wrong."""
    SPEECH = "speech"
    """Where speech is, its share, its pauses and its pace."""
    TRANSCRIPT = "transcript"
    """What is said, in which language, and when."""
    INSIGHTS = "insights"
    """What the other features mean to people: tags, keys that mix well, a sentence."""


class SoundClass(StrEnum):
    """What kind of sound it is, by its length and its pulse."""

    UNKNOWN = "UNKNOWN"
    ONE_SHOT = "ONE_SHOT"
    """Up to 4 s, and no loop."""
    LOOP = "LOOP"
    """Up to 30 s, and a whole number of beats."""
    PHRASE = "PHRASE"
    """4 to 30 s, and no loop."""
    TRACK = "TRACK"
    """More than 30 s."""


class StemKind(StrEnum):
    """A way to take sound apart."""

    UNKNOWN = "unknown"
    HARMONIC_PERCUSSIVE = "harmonic_percussive"
    FOREGROUND_BACKGROUND = "foreground_background"
    MODEL = "model"
    """What the model separates that the workers are set up with."""


class LoopKind(StrEnum):
    """How a part of a recording is repeated."""

    UNKNOWN = "unknown"
    FORWARD = "forward"
    PING_PONG = "ping_pong"
    BACKWARD = "backward"


class AudioFormat(StrEnum):
    """A format of prepared files."""

    UNKNOWN = "unknown"
    FLAC = "flac"
    WAV = "wav"


class PreparedChannels(StrEnum):
    """Which channels a prepared file has."""

    UNKNOWN = "unknown"
    KEEP = "keep"
    MONO = "mono"


class VideoProduct(StrEnum):
    """What can be made of a video."""

    UNKNOWN = "unknown"
    FACTS = "facts"
    """No file: what the video is, which every result has."""
    THUMBNAILS = "thumbnails"
    CONTACT_SHEET = "contact_sheet"
    PROXY = "proxy"


class ImageFormat(StrEnum):
    """A format of pictures."""

    UNKNOWN = "unknown"
    JPEG = "jpeg"
    PNG = "png"


class InsightSource(StrEnum):
    """Who has drawn an insight."""

    UNKNOWN = "unknown"
    RULES = "rules"
    LANGUAGE_MODEL = "language_model"


class KeyRelation(StrEnum):
    """How a key goes with that of the recording."""

    UNKNOWN = "unknown"
    SAME = "same"
    RELATIVE = "relative"
    FIFTH_UP = "fifth_up"
    FIFTH_DOWN = "fifth_down"


class ErrorKind(StrEnum):
    """Who has to do something about a failed job."""

    UNKNOWN = "UNKNOWN"
    INPUT = "INPUT"
    """The file is at fault: the same file fails again."""
    TRANSIENT = "TRANSIENT"
    """Something outside failed, and still did after all retries."""
    TIMEOUT = "TIMEOUT"
    """It took longer than allowed."""
    CRASHED = "CRASHED"
    """The worker died on it too often."""
    INTERNAL = "INTERNAL"
    """A fault in harken."""


class PictureKind(StrEnum):
    """What a picture shows."""

    UNKNOWN = "unknown"
    WAVEFORM = "waveform"
    MEL_SPECTROGRAM = "mel_spectrogram"
    CHROMAGRAM = "chromagram"
    TEMPOGRAM = "tempogram"
    LOUDNESS = "loudness"
    PEAKS = "peaks"
    """For players in the web: the format of BBC's audiowaveform."""


class PictureTheme(StrEnum):
    """On what ground pictures stand."""

    UNKNOWN = "unknown"
    DARK = "dark"
    LIGHT = "light"


class FaultKind(StrEnum):
    """Who has to do something about a feature that failed alone."""

    UNKNOWN = "UNKNOWN"
    INPUT = "INPUT"
    """The file is at fault: the feature fails again with the same file."""
    INTERNAL = "INTERNAL"
    """A fault in harken."""


class UploadState(StrEnum):
    """Whether an upload can be submitted."""

    UNKNOWN = "UNKNOWN"
    RECEIVING = "RECEIVING"
    COMPLETE = "COMPLETE"


class WorkerStatus(StrEnum):
    """Whether a worker can be counted on."""

    UNKNOWN = "UNKNOWN"
    ONLINE = "ONLINE"
    """It has beaten lately."""
    STOPPING = "STOPPING"
    """It takes no more jobs and finishes those it has."""
    LOST = "LOST"
    """It has not beaten for three intervals."""


class ActionKind(StrEnum):
    """What was done to jobs."""

    UNKNOWN = "UNKNOWN"
    RETRY_JOBS = "RETRY_JOBS"
    DISMISS_JOBS = "DISMISS_JOBS"
    CANCEL_BATCH = "CANCEL_BATCH"
    CANCEL_JOB = "CANCEL_JOB"


class ProblemKind(StrEnum):
    """What is wrong with a recording."""

    UNKNOWN = "unknown"
    CLIPPING = "clipping"
    """Crests are cut flat."""
    OVER_FULL_SCALE = "over_full_scale"
    """Samples are beyond full scale."""
    HUM = "hum"
    """The mains hum."""
    DC_OFFSET = "dc_offset"
    """The wave is off its middle."""
    DROPOUTS = "dropouts"
    """The sound drops out."""
    LONG_SILENCE = "long_silence"
    """Silence at an end lasts 2 s or more."""
    SILENT = "silent"
    """Nothing is audible."""
    PADDED_BITS = "padded_bits"
    """The samples need fewer bits than they have."""
    UPSAMPLED = "upsampled"
    """The recording had a lower sample rate."""
    LOSSY_ORIGIN = "lossy_origin"
    """A lossless file holds what a lossy coder left."""
    DUAL_MONO = "dual_mono"
    """Both channels are the same."""
    SILENT_CHANNEL = "silent_channel"
    """One of two channels is silent."""
    INVERTED_POLARITY = "inverted_polarity"
    """The channels cancel each other."""
    IMBALANCE = "imbalance"
    """One of two channels is 6 dB or more louder."""


class Severity(StrEnum):
    """How much a problem matters."""

    UNKNOWN = "unknown"
    NOTICE = "notice"
    """Good to know."""
    WARNING = "warning"
    """It is heard, or the file is not what it seems."""
