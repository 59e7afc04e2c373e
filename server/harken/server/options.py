"""Options of features: as values of the domain, checked, and as messages again."""

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Final, Literal

from harken.jobs.options import (
    DEFAULT_BITS,
    DEFAULT_CEILING_DBTP,
    DEFAULT_SILENCE_DBFS,
    AudioFormat,
    InsightsOptions,
    Options,
    PrepareOptions,
    StemKind,
    StemsOptions,
    TranscriptOptions,
)
from harken.server.errors import Violation
from harken.server.picture_options import (
    pictures_message,
    pictures_of,
    pictures_violations,
)
from harken.server.video_options import video_message, video_options, video_violations
from harken.v1 import insights_pb2, transcript_pb2
from harken.v1 import options_pb2 as pb

# Published in options.proto.
SAMPLE_RATES_HZ: Final = (8_000, 192_000)
LOUDNESSES_LUFS: Final = (-70.0, 0.0)
CEILINGS_DBTP: Final = (-20.0, 0.0)
THRESHOLDS_DBFS: Final = (-120.0, -10.0)
BITS: Final = {AudioFormat.FLAC: (16, 24), AudioFormat.WAV: (16, 24, 32)}

LONGEST_PROMPT: Final = 1_000  # characters
# As ISO 639 has them; which of them a model knows, it says itself.
LANGUAGE: Final = re.compile("[a-z]{2,3}")

_NUMBERS: Final = {kind: pb.StemsOptions.Kind.Value(f"KIND_{kind.name}") for kind in StemKind}
_KINDS: Final = {number: kind for kind, number in _NUMBERS.items()}
_Ranged = Literal[
    "sample_rate_hz", "loudness_lufs", "true_peak_ceiling_dbtp", "silence_threshold_dbfs"
]
_RANGES: Final[tuple[tuple[_Ranged, tuple[float, float], str], ...]] = (
    ("sample_rate_hz", SAMPLE_RATES_HZ, "Hz"),
    ("loudness_lufs", LOUDNESSES_LUFS, "LUFS"),
    ("true_peak_ceiling_dbtp", CEILINGS_DBTP, "dBTP"),
    ("silence_threshold_dbfs", THRESHOLDS_DBFS, "dBFS"),
)


def options_violations(
    field: str, message: pb.Options, features: Collection[str]
) -> Iterable[Violation]:
    """What is wrong with options of a job that asks for these features."""
    for name in ("stems", "prepare", "video", "pictures", "transcript", "insights"):
        if message.HasField(name) and name not in features:
            description = f"The features do not name {name}, of which these are options."
            yield Violation(f"{field}.{name}", "OPTIONS_WITHOUT_FEATURE", description)
    for index, kind in enumerate(message.stems.kinds):
        if kind not in _KINDS:
            known = ", ".join(f"KIND_{kind.name}" for kind in StemKind)
            description = f"{kind} is no kind of stems. There are {known}."
            yield Violation(f"{field}.stems.kinds[{index}]", "UNKNOWN_STEM_KIND", description)
    yield from _prepare_violations(f"{field}.prepare", message.prepare)
    yield from video_violations(f"{field}.video", message.video)
    yield from pictures_violations(f"{field}.pictures", message.pictures)
    yield from _transcript_violations(f"{field}.transcript", message.transcript)


def options_of(message: pb.Options) -> Options:
    """The options of a message that has no violations."""
    return Options(
        stems=_stems(message.stems) if message.HasField("stems") else None,
        prepare=_prepare(message.prepare) if message.HasField("prepare") else None,
        video=video_options(message.video) if message.HasField("video") else None,
        pictures=pictures_of(message.pictures) if message.HasField("pictures") else None,
        transcript=_transcript(message.transcript) if message.HasField("transcript") else None,
        insights=InsightsOptions(language_model=message.insights.language_model)
        if message.HasField("insights")
        else None,
    )


def options_message(options: Options) -> pb.Options | None:
    """The message of options, with every default filled in; None where nothing was chosen."""
    if options == Options():
        return None
    message = pb.Options()
    if options.stems is not None:
        message.stems.kinds.extend(_NUMBERS[kind] for kind in options.stems.kinds)
    if (wanted := options.prepare) is not None:
        prepared = pb.PrepareOptions(
            format=pb.PrepareOptions.Format.Value(f"FORMAT_{wanted.format.name}"),
            sample_rate_hz=wanted.sample_rate_hz,
            loudness_lufs=wanted.loudness_lufs,
            true_peak_ceiling_dbtp=wanted.true_peak_ceiling_dbtp,
            trim_silence=wanted.trim_silence,
            silence_threshold_dbfs=wanted.silence_threshold_dbfs if wanted.trim_silence else None,
            channels=pb.PrepareOptions.CHANNELS_MONO
            if wanted.mono
            else pb.PrepareOptions.CHANNELS_KEEP,
            bits=wanted.bits,
        )
        message.prepare.CopyFrom(prepared)
    if options.video is not None:
        message.video.CopyFrom(video_message(options.video))
    if options.pictures is not None:
        message.pictures.CopyFrom(pictures_message(options.pictures))
    if (written := options.transcript) is not None:
        message.transcript.CopyFrom(transcript_pb2.TranscriptOptions(**asdict(written)))
    if options.insights is not None:
        message.insights.CopyFrom(
            insights_pb2.InsightsOptions(language_model=options.insights.language_model)
        )
    return message


def _prepare_violations(field: str, message: pb.PrepareOptions) -> Iterable[Violation]:
    for name, kinds in (
        ("format", pb.PrepareOptions.Format),
        ("channels", pb.PrepareOptions.Channels),
    ):
        if (number := getattr(message, name)) not in kinds.values():
            known = ", ".join(kinds.keys()[1:])
            description = f"{number} is not known. There are {known}."
            yield Violation(f"{field}.{name}", f"UNKNOWN_{name.upper()}", description)
    for name, (least, most), unit in _RANGES:
        # Written so that NaN is refused too.
        if message.HasField(name) and not least <= getattr(message, name) <= most:
            description = f"It has to be between {least:,} and {most:,} {unit}."
            yield Violation(f"{field}.{name}", f"{name.upper()}_OUT_OF_RANGE", description)
    known = BITS[_format(message)]
    if message.HasField("bits") and message.bits not in known:
        words = " or ".join(map(str, known))
        description = f"{_format(message).upper()} has {words} bits a sample here."
        yield Violation(f"{field}.bits", "BITS_NOT_SUPPORTED", description)


def _stems(message: pb.StemsOptions) -> StemsOptions:
    wanted = {_KINDS[number] for number in message.kinds}
    return (
        StemsOptions(kinds=tuple(kind for kind in StemKind if kind in wanted))
        if wanted
        else StemsOptions()
    )


def _prepare(message: pb.PrepareOptions) -> PrepareOptions:
    ceiling = _set(message, "true_peak_ceiling_dbtp")
    loudness = _set(message, "loudness_lufs")
    if ceiling is None and loudness is not None:
        ceiling = DEFAULT_CEILING_DBTP
    threshold = _set(message, "silence_threshold_dbfs")
    return PrepareOptions(
        format=_format(message),
        sample_rate_hz=message.sample_rate_hz if message.HasField("sample_rate_hz") else None,
        loudness_lufs=loudness,
        true_peak_ceiling_dbtp=ceiling,
        trim_silence=message.trim_silence,
        silence_threshold_dbfs=DEFAULT_SILENCE_DBFS if threshold is None else threshold,
        mono=message.channels == pb.PrepareOptions.CHANNELS_MONO,
        bits=message.bits if message.HasField("bits") else DEFAULT_BITS,
    )


def _transcript_violations(
    field: str, message: transcript_pb2.TranscriptOptions
) -> Iterable[Violation]:
    if message.HasField("language") and not LANGUAGE.fullmatch(message.language):
        description = "It has to be a code of ISO 639 in small letters, such as en or yue; unset, it is found."
        yield Violation(f"{field}.language", "LANGUAGE_NOT_A_CODE", description)
    if len(message.prompt) > LONGEST_PROMPT:
        description = f"It has {len(message.prompt):,} characters; {LONGEST_PROMPT:,} are the most."
        yield Violation(f"{field}.prompt", "PROMPT_TOO_LONG", description)


def _transcript(message: transcript_pb2.TranscriptOptions) -> TranscriptOptions:
    return TranscriptOptions(
        language=message.language if message.HasField("language") else None,
        words=message.words,
        translate=message.translate,
        prompt=message.prompt or None,
        whole=message.whole,
    )


def _format(message: pb.PrepareOptions) -> AudioFormat:
    return AudioFormat.WAV if message.format == pb.PrepareOptions.FORMAT_WAV else AudioFormat.FLAC


def _set(message: pb.PrepareOptions, name: _Ranged) -> float | None:
    return float(getattr(message, name)) if message.HasField(name) else None
