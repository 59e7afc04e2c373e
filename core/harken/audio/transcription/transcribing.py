"""A recording's speech as text: piece by piece, in one language, in memory that does not grow with what is said."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Final

from harken.audio.result import MAX_TIMES
from harken.audio.transcription.pieces import Span
from harken.audio.transcription.result import Transcript, TranscriptSegment, TranscriptWord
from harken.audio.transcription.sound import SpeechSound
from harken.audio.transcription.transcriber import Part, Transcriber, Wanted

MAX_WORDS: Final = 20_000  # published
MAX_CHARS: Final = 200_000  # published
LISTENED: Final = 3  # pieces by which the language is found: one may be a quotation
HEADER: Final = b"WEBVTT\n"

# Told how many of all seconds the model has heard; raises what has to stop it.
OnHeard = Callable[[float, float], None]


@dataclass
class _Written:
    """What has been written so far."""

    segments: list[TranscriptSegment]
    words: list[TranscriptWord]
    texts: list[str]
    chars: int = 0
    segment_count: int = 0
    word_count: int = 0


def transcribe(
    sound: SpeechSound,
    spans: Sequence[Span],
    transcriber: Transcriber,
    wanted: Wanted,
    captions: BinaryIO,
    on_heard: OnHeard,
) -> Transcript:
    """What is said in these pieces; all of it goes to `captions` too, as WebVTT. Raises ModelError."""
    captions.write(HEADER)
    total = sum(end - start for start, end in spans)
    on_heard(0.0, total)
    language, probability = wanted.language, None
    if language is None and spans:
        language, probability = _language(sound, spans, transcriber, lambda: on_heard(0.0, total))
    asked = replace(wanted, language=language)
    written = _Written(segments=[], words=[], texts=[])
    heard = 0.0
    for start, end in spans:
        reached = start  # a model may hear a part that ends before the one before it
        for part in _shifted(transcriber.parts(sound.read(start, end), asked), start, end):
            _keep(written, part, captions)
            reached = max(reached, min(part.end_s, end))
            on_heard(heard + (reached - start), total)
        heard += end - start
        on_heard(heard, total)
    return Transcript(
        language=language,
        language_probability=probability,
        text=" ".join(written.texts)[:MAX_CHARS],
        segments=tuple(written.segments),
        segment_count=written.segment_count,
        words=tuple(written.words),
        word_count=written.word_count if wanted.words else None,
        heard_s=total,
        model=transcriber.name,
    )


def _language(
    sound: SpeechSound, spans: Sequence[Span], transcriber: Transcriber, alive: Callable[[], None]
) -> tuple[str, float]:
    """The likeliest language of the longest of the first pieces, and how likely it is."""
    longest = sorted(islice(spans, 10 * LISTENED), key=lambda span: span[0] - span[1])[:LISTENED]
    chances: dict[str, float] = {}
    for start, end in longest:
        for language, chance in transcriber.languages(sound.read(start, end)).items():
            chances[language] = chances.get(language, 0.0) + chance / len(longest)
        alive()
    best = max(chances, key=lambda language: chances[language])
    return best, min(chances[best], 1.0)


def _shifted(parts: Iterator[Part], start_s: float, end_s: float) -> Iterator[Part]:
    """The parts with the recording's times, within their piece; those without text are left out."""

    def at(seconds: float | None) -> float:
        return min(max(start_s + (seconds or 0.0), start_s), end_s)

    for part in parts:
        if part.text:
            words = tuple(
                replace(word, start_s=at(word.start_s), end_s=at(word.end_s)) for word in part.words
            )
            yield replace(part, start_s=at(part.start_s), end_s=at(part.end_s), words=words)


def _keep(written: _Written, part: Part, captions: BinaryIO) -> None:
    written.segment_count += 1
    written.word_count += len(part.words)
    captions.write(_cue(part).encode())
    if len(written.segments) < MAX_TIMES:
        written.segments.append(
            TranscriptSegment(
                start_s=part.start_s, end_s=part.end_s, text=part.text, confidence=part.confidence
            )
        )
    written.words.extend(part.words[: MAX_WORDS - len(written.words)])
    if written.chars < MAX_CHARS:
        written.texts.append(part.text)
        written.chars += len(part.text) + 1


def _cue(part: Part) -> str:
    # "-->" within a cue would begin another, and an empty line would end it.
    text = (
        " ".join(part.text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )
    return f"\n{_clock(part.start_s)} --> {_clock(part.end_s)}\n{text}\n"


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
