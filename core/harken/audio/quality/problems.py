"""From measurements to what is wrong: pure rules, their thresholds, and a sentence with the figure."""

from collections.abc import Iterator
from typing import Final

from harken.audio.quality.result import (
    ChannelQuality,
    Clipping,
    Hum,
    ProblemKind,
    Quality,
    QualityProblem,
    Resolution,
    Severity,
    Silence,
    StereoImage,
)

CLIPPED_STRETCHES: Final = 3  # fewer may be chance
AUDIBLE_CLIPPING: Final = 1e-4  # share of the samples
# A wave that is flat for so long is made so: a square wave.
SQUARE: Final = 0.25
OFFSET_DBFS: Final = -50.0
SILENCE_DBFS: Final = -60.0  # peak
LONG_SILENCE_S: Final = 2.0
LOSSY: Final = 0.6  # confidence
NEGATIVE: Final = -0.9  # correlation
IMBALANCE_DB: Final = 6.0
SILENT_DBFS: Final = -90.0  # RMS of a channel beside one that sounds
SOUNDS_DBFS: Final = -60.0


def problems(found: Quality) -> tuple[QualityProblem, ...]:
    """What is wrong by the measurements of a `Quality` that has no problems yet, warnings first."""
    every = [
        *_clipping(found.clipping or Clipping()),
        *_hum(found.hum or Hum()),
        *_offset(found.channels),
        *_silence(found.silence or Silence(), found.channels),
        *_resolution(found.resolution or Resolution()),
        *_channels(found.channels),
        *_stereo(found.stereo or StereoImage()),
    ]
    return tuple(sorted(every, key=lambda problem: problem.severity is not Severity.WARNING))


def _problem(kind: ProblemKind, message: str, *, warning: bool) -> QualityProblem:
    severity = Severity.WARNING if warning else Severity.NOTICE
    return QualityProblem(kind=kind, severity=severity, message=message)


def _clipping(found: Clipping) -> Iterator[QualityProblem]:
    share = found.share or 0.0
    if (found.stretch_count or 0) >= CLIPPED_STRETCHES and share < SQUARE:
        yield _problem(
            ProblemKind.CLIPPING,
            f"{found.stretch_count:,} crests are cut flat, {100 * share:.2g} % of the samples.",
            warning=share >= AUDIBLE_CLIPPING,
        )
    if found.samples_over_full_scale:
        yield _problem(
            ProblemKind.OVER_FULL_SCALE,
            f"{found.samples_over_full_scale:,} samples are beyond full scale and will be cut off in formats of"
            " whole numbers.",
            warning=False,
        )


def _hum(found: Hum) -> Iterator[QualityProblem]:
    if found.base_hz is not None and found.level_dbfs is not None:
        yield _problem(
            ProblemKind.HUM,
            f"The mains hum at {found.base_hz:.1f} Hz with {found.harmonics} harmonics,"
            f" {found.level_dbfs:.0f} dBFS, {found.prominence_db or 0:.0f} dB over what is around them.",
            warning=True,
        )


def _offset(channels: tuple[ChannelQuality, ...]) -> Iterator[QualityProblem]:
    levels = [
        one.dc_offset_dbfs for one in channels if one.dc_offset_dbfs is not None and one.dc_steady
    ]
    if levels and max(levels) >= OFFSET_DBFS:
        yield _problem(
            ProblemKind.DC_OFFSET,
            f"The wave is off its middle by {max(levels):.0f} dBFS.",
            warning=True,
        )


def _silence(found: Silence, channels: tuple[ChannelQuality, ...]) -> Iterator[QualityProblem]:
    if found.dropout_count:
        first = f", the first at {found.dropouts[0].start_s:.3f} s" if found.dropouts else ""
        times = "once" if found.dropout_count == 1 else f"{found.dropout_count:,} times"
        yield _problem(ProblemKind.DROPOUTS, f"The sound drops out {times}{first}.", warning=True)
    if channels and all(_peak(one) <= SILENCE_DBFS for one in channels):
        yield _problem(
            ProblemKind.SILENT, f"Nothing is louder than {SILENCE_DBFS:.0f} dBFS.", warning=True
        )
        return
    start, end = found.start_s or 0.0, found.end_s or 0.0
    if max(start, end) >= LONG_SILENCE_S:
        yield _problem(
            ProblemKind.LONG_SILENCE,
            f"There are {start:.1f} s of silence before and {end:.1f} s after the sound.",
            warning=False,
        )


def _peak(channel: ChannelQuality) -> float:
    return -200.0 if channel.peak_dbfs is None else channel.peak_dbfs


def _resolution(found: Resolution) -> Iterator[QualityProblem]:
    stored, used = found.stored_bits, found.effective_bits
    if stored is not None and used is not None and used < stored:
        yield _problem(
            ProblemKind.PADDED_BITS,
            f"The file has {stored} bits a sample and uses {used} of them.",
            warning=False,
        )
    cutoff = (found.cutoff_hz or 0.0) / 1000
    if found.upsampled_from_hz is not None:
        yield _problem(
            ProblemKind.UPSAMPLED,
            f"The spectrum ends in a wall at {cutoff:.1f} kHz, {found.cutoff_drop_db or 0:.0f} dB high: the"
            f" recording most likely had a lower sample rate, such as {found.upsampled_from_hz:,} Hz.",
            warning=True,
        )
    elif (found.lossy_confidence or 0.0) >= LOSSY:
        yield _problem(
            ProblemKind.LOSSY_ORIGIN,
            f"The spectrum ends in a wall at {cutoff:.1f} kHz, {found.cutoff_drop_db or 0:.0f} dB high, as lossy"
            f" coders leave it (confidence {found.lossy_confidence:.2f}).",
            warning=True,
        )


def _channels(channels: tuple[ChannelQuality, ...]) -> Iterator[QualityProblem]:
    def level(one: ChannelQuality) -> float:
        return -200.0 if one.rms_dbfs is None else one.rms_dbfs

    # Surrounds and bass effects may well be silent; a pair may not.
    if len(channels) != 2 or max(map(level, channels)) < SOUNDS_DBFS:
        return
    softer = min(channels, key=level)
    if level(softer) < SILENT_DBFS:
        yield _problem(
            ProblemKind.SILENT_CHANNEL,
            f"The channel {softer.speaker or channels.index(softer)} is silent.",
            warning=True,
        )


def _stereo(found: StereoImage) -> Iterator[QualityProblem]:
    if found.identical or found.nearly_identical:
        how = "the same" if found.identical else "the same but for dither"
        yield _problem(ProblemKind.DUAL_MONO, f"Both channels are {how}.", warning=False)
    if found.correlation is not None and found.correlation <= NEGATIVE:
        yield _problem(
            ProblemKind.INVERTED_POLARITY,
            f"The channels cancel each other (correlation {found.correlation:.2f}): one is most likely inverted.",
            warning=True,
        )
    balance = found.balance_db
    if balance is not None and IMBALANCE_DB <= abs(balance) < 60.0:
        side = "left" if balance > 0 else "right"
        yield _problem(
            ProblemKind.IMBALANCE,
            f"The {side} channel is {abs(balance):.1f} dB louder than the other.",
            warning=False,
        )
