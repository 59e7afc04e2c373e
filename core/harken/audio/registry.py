"""What makes which group: the one place to name a new one."""

from collections.abc import Callable, Mapping
from typing import Final

from harken.audio.analysis import Analysis
from harken.audio.annotations.reader import FileAnnotations
from harken.audio.embedding import Fingerprint
from harken.audio.envelope import LoudestSound
from harken.audio.features import Feature
from harken.audio.limits import Limits
from harken.audio.loudness import LoudnessMeter
from harken.audio.media import MediaFacts
from harken.audio.onsets import OnsetTimes
from harken.audio.pitch.tracker import PitchTracker
from harken.audio.quality.meter import QualityMeter
from harken.audio.rhythm import Pulse
from harken.audio.spectral import SpectralShape
from harken.audio.speech.detector import SpeechDetector
from harken.audio.timbre import Cepstrum
from harken.audio.tonal import Tonality
from harken.audio.video.probe import video_facts

ANALYSES: Final[Mapping[Feature, Callable[[], Analysis]]] = {
    Feature.MEDIA: MediaFacts,
    Feature.RHYTHM: Pulse,
    Feature.TONAL: Tonality,
    Feature.SPECTRAL: SpectralShape,
    Feature.TIMBRE: Cepstrum,
    Feature.LOUDNESS: LoudnessMeter,
    Feature.ONSETS: OnsetTimes,
    Feature.EMBEDDING: Fingerprint,
    Feature.PITCH: PitchTracker,
    Feature.ENVELOPE: LoudestSound,
    Feature.ANNOTATIONS: FileAnnotations,
    Feature.SPEECH: SpeechDetector,
    Feature.QUALITY: QualityMeter,
}

# Groups that are read off the file, whether it has sound or not; by its name, descriptor and limits.
READINGS: Final[Mapping[Feature, Callable[[str, int | None, Limits | None], object]]] = {
    Feature.VIDEO: video_facts,
}
