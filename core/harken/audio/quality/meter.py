"""The technical state of a recording, from all channels at its own rate."""

from dataclasses import replace
from math import log10
from typing import Final

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Floats, SoundBlock
from harken.audio.decode import Recording
from harken.audio.mono import downmix
from harken.audio.quality.bandwidth import bandwidth
from harken.audio.quality.channel_levels import ChannelLevels
from harken.audio.quality.ends import Ends
from harken.audio.quality.flat_tops import NEAR, FlatTops
from harken.audio.quality.gaps import Gaps
from harken.audio.quality.image import Image
from harken.audio.quality.long_term import LongTerm
from harken.audio.quality.mains import Mains
from harken.audio.quality.problems import problems
from harken.audio.quality.result import (
    ChannelQuality,
    Clipping,
    Quality,
    Resolution,
    Silence,
    StereoImage,
    Stretch,
)
from harken.audio.quality.windows import Windows

MOST_STRETCHES: Final = 100  # published
# Codecs that hand out what was put in; those of the family pcm_ too.
LOSSLESS: Final = frozenset({"flac", "alac", "wavpack", "ape", "tta", "tak", "mlp", "truehd"})
# FFmpeg hands out 24 bits in 32.
BITS: Final = {"u8": 8, "s16": 16, "s32": 24}


class QualityMeter(Analysis):
    """Listens window by window, so that how the sound was cut into blocks makes no difference."""

    hears = Hears.SOUND

    def __init__(self) -> None:
        self._rate = 0
        self._speakers: tuple[str, ...] = ()
        self._heard = 0

    def on_sound(self, block: SoundBlock) -> None:
        """Take in the next samples."""
        if self._rate == 0:
            self._begin(block.sample_rate, block.channels)
        for window in self._windows.add(block.samples):
            self._look(window)

    def _begin(self, rate: int, speakers: tuple[str, ...]) -> None:
        self._rate, self._speakers = rate, speakers
        self._windows = Windows(rate, len(speakers))
        self._levels = [ChannelLevels() for _ in speakers]
        self._tops = [FlatTops() for _ in speakers]
        self._gaps = [Gaps(rate) for _ in speakers]
        self._image = Image() if len(speakers) == 2 else None
        self._ends = Ends()
        self._mains = Mains(rate)
        self._long_term = LongTerm(rate)

    def _look(self, window: Floats) -> None:
        self._heard += window.shape[1]
        silent = True
        for samples, levels, tops, gaps in zip(
            window, self._levels, self._tops, self._gaps, strict=True
        ):
            zeros = levels.zeros
            levels.add(samples)
            step = max(2.0 ** (1 - (levels.bits or 24)), NEAR)
            tops.add(samples, step)
            gaps.add(samples, levels.zeros - zeros, step)
            silent = silent and levels.zeros - zeros == samples.shape[0]
        if self._image is not None:
            self._image.add(window[0], window[1])
        self._ends.add(window)
        self._mains.add(downmix(window))
        if not silent:
            self._long_term.add(window)

    def finish(self) -> Quality:
        """The group."""
        if self._rate == 0:
            return Quality()
        if (rest := self._windows.rest()).shape[1]:
            self._look(rest)
        self._long_term.end()
        track = getattr(self, "track", None)
        recording = None if track is None else track.recording
        found = Quality(
            channels=tuple(self._channel(place) for place in range(len(self._speakers))),
            clipping=self._clipping(),
            silence=self._silence(),
            resolution=self._resolution(recording),
            hum=self._mains.finish(),
            stereo=self._image.finish() if self._image else StereoImage(),
        )
        return replace(found, problems=problems(found))

    def _channel(self, place: int) -> ChannelQuality:
        levels, tops = self._levels[place], self._tops[place]
        offset = levels.sum / max(self._heard, 1)
        return ChannelQuality(
            speaker=self._speakers[place],
            rms_dbfs=_decibels((levels.squares / max(self._heard, 1)) ** 0.5),
            peak_dbfs=_decibels(levels.peak),
            dc_offset=offset,
            dc_offset_dbfs=_decibels(abs(offset)),
            dc_steady=levels.is_steady(offset),
            clipped_samples=tops.samples,
            clip_level_dbfs=_decibels(tops.level or 0.0),
        )

    def _clipping(self) -> Clipping:
        samples = sum(tops.samples for tops in self._tops)
        return Clipping(
            samples=samples,
            share=samples / max(self._heard * len(self._tops), 1),
            stretch_count=sum(tops.count for tops in self._tops),
            stretches=self._stretches([tops.stretches for tops in self._tops]),
            samples_over_full_scale=sum(levels.over for levels in self._levels),
        )

    def _silence(self) -> Silence:
        zeros = sum(levels.zeros for levels in self._levels)
        return Silence(
            start_s=self._ends.before / self._rate,
            end_s=self._ends.after / self._rate,
            digital_share=zeros / max(self._heard * len(self._levels), 1),
            dropout_count=sum(gaps.count for gaps in self._gaps),
            dropouts=self._stretches([gaps.stretches for gaps in self._gaps]),
        )

    def _stretches(self, found: list[list[tuple[int, int]]]) -> tuple[Stretch, ...]:
        every = sorted(
            (start, channel, length)
            for channel, of_channel in enumerate(found)
            for start, length in of_channel
        )
        return tuple(
            Stretch(channel=channel, start_s=start / self._rate, duration_s=length / self._rate)
            for start, channel, length in every[:MOST_STRETCHES]
        )

    def _resolution(self, recording: Recording | None) -> Resolution:
        used = [levels.bits for levels in self._levels]
        finer = any(levels.finer for levels in self._levels)
        heard = bandwidth(self._long_term, self._rate)
        lossless = recording is None or is_lossless(recording)
        return Resolution(
            stored_bits=stored_bits(recording) if recording else None,
            effective_bits=None if finer else max((bits for bits in used if bits), default=None),
            cutoff_hz=heard.cutoff_hz,
            cutoff_drop_db=heard.drop_db,
            upsampled_from_hz=heard.upsampled_from_hz if lossless else None,
            hole_share=heard.hole_share,
            lossy_confidence=heard.lossy_confidence if lossless else None,
        )


def is_lossless(recording: Recording) -> bool:
    """Whether the recording's codec keeps every sample."""
    codec = recording.source.codec or ""
    return (
        codec.startswith("pcm_") and codec not in {"pcm_alaw", "pcm_mulaw"}
    ) or codec in LOSSLESS


def stored_bits(recording: Recording) -> int | None:
    """Bits a sample of a lossless codec; those of FLAC and the like are 16 or 24 as far as FFmpeg tells."""
    if not is_lossless(recording):
        return None
    codec = recording.source.codec or ""
    digits = "".join(one for one in codec.removeprefix("pcm_") if one.isdigit())
    if codec.startswith("pcm_") and digits:
        return int(digits)
    form = recording.source.sample_format
    return BITS.get(form.removesuffix("p")) if form else None


def _decibels(amplitude: float) -> float | None:
    return 20.0 * log10(amplitude) if amplitude > 0.0 else None
