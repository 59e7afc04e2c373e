"""Transcripts: the sound is kept at 16 kHz as it is decoded, then a model hears where speech was found."""

import os
from dataclasses import replace
from tempfile import TemporaryFile
from typing import BinaryIO, Final, cast

from harken.audio import Feature, Speech, Transcript
from harken.audio.transcription.pieces import Span, pieces, whole
from harken.audio.transcription.sound import SpeechSound
from harken.audio.transcription.transcriber import Wanted
from harken.audio.transcription.transcribing import transcribe
from harken.audio.transcription.whisper import Whisper, load_whisper
from harken.jobs.options import TranscriptOptions
from harken.tasks.plan.copying import publish_copy
from harken.tasks.plan.step import Groups, Report, Step
from harken.tasks.room import Room

NAME: Final = "transcript.vtt"
MEDIA_TYPE: Final = "text/vtt"
LAST_SHARE: Final = 0.99  # of the step's time; then the captions are kept


class TranscriptStep(Step):
    """Makes one artifact, the captions."""

    feature = Feature.TRANSCRIPT
    needs = (Feature.SPEECH,)
    # A small model hears ten seconds a second on a processor, where the pass over the sound reads many hundred.
    cost = 50.0

    _sound: SpeechSound | None = None

    def listener(self) -> SpeechSound:
        """What keeps the sound, once it is sure that there is a model to hear it. Raises ModelError."""
        self._load()
        self._sound = SpeechSound()
        return self._sound

    def run(self, groups: Groups, report: Report) -> Transcript:
        """Lets the model hear, and keeps the captions."""
        sound, options = self._sound, self._options
        assert sound is not None
        wanted = Wanted(
            language=options.language,
            words=options.words,
            translate=options.translate,
            prompt=options.prompt,
        )
        spans = self._spans(groups[Feature.SPEECH], sound)
        room = Room.of(self.bench.work)
        with cast(BinaryIO, TemporaryFile(prefix="harken-")) as captions:

            def on_heard(heard_s: float, total_s: float) -> None:
                room.check(captions.tell())
                report(
                    LAST_SHARE * heard_s / max(total_s, 1e-9), f"{heard_s:.0f} of {total_s:.0f} s"
                )

            found = transcribe(sound, spans, self._load(), wanted, captions, on_heard)
            captions.seek(0)
            publish_copy(
                self.bench,
                captions,
                name=NAME,
                media_type=MEDIA_TYPE,
                on_bytes=lambda _: report(LAST_SHARE, "captions kept"),
            )
        return replace(found, artifact_name=NAME)

    def close(self) -> None:
        """Takes away the sound."""
        if self._sound is not None:
            self._sound.close_file()

    @property
    def _options(self) -> TranscriptOptions:
        return self.bench.options.transcript or TranscriptOptions()

    def _load(self) -> Whisper:
        settings = self.bench.work.settings
        # As many models may run at once as the worker has children.
        threads = max((os.cpu_count() or 1) // settings.concurrency, 1)
        return load_whisper(settings.transcription_model, threads)

    def _spans(self, speech: Speech, sound: SpeechSound) -> list[Span]:
        """The pieces to be heard; past the last segment that is listed, all is taken for speech."""
        duration_s = sound.duration_s
        if self._options.whole:
            return list(pieces(whole(duration_s), duration_s))
        found = [(segment.start_s or 0.0, segment.end_s or 0.0) for segment in speech.segments]
        if (speech.segment_count or 0) > len(found):
            last = found[-1][1]
            found += [(last + start, last + end) for start, end in whole(duration_s - last)]
        return list(pieces(found, duration_s))
