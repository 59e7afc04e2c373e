"""Where speech is in a recording, and how it is: a few numbers a frame are kept, and read once all have been heard.

Of each frame two levels and whether it is voiced stay, a byte each, and of every sixteenth the probabilities of speech,
music and noise: 0.6 MB an hour.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import FRAME_RATE, Bytes, Floats, Integers, SpectrumBlock
from harken.audio.result import MAX_TIMES
from harken.audio.speech.activity import SECOND, as_bytes, as_levels, thresholds
from harken.audio.speech.frames import COLUMNS, LEVEL, PERIODICITY, TOTAL, frames_of
from harken.audio.speech.kinds import KINDS, MUSIC, NOISE, SPEECH, kinds_of
from harken.audio.speech.result import Speech, SpeechSegment
from harken.audio.speech.segments import SHORTEST, SPREAD, find_segments
from harken.audio.speech.syllables import nuclei
from harken.audio.speech.texture import STEP, VOICED, WINDOW, texture

Bools = NDArray[np.bool_]

SILENCE_DB: Final = -60.0
SILENCE_BELOW_DB: Final = 40.0  # below the loud frames, where the whole is quiet
LONGEST_PAUSE_S: Final = 3.0  # what is longer is no pause in what is said, but its end
NEAR: Final = round(2.0 * FRAME_RATE)  # frames around speech in which its noise is measured
SWAY: Final = 2  # frames at either end of speech that are neither speech nor the noise beside it
LEAST_VOICED: Final = 4  # frames, 0.1 s: what has no vowel is no speech
LEAST_NOISE: Final = round(0.2 * FRAME_RATE)  # frames from which noise is measured
UNHEARD_DB: Final = -95.0  # noise so low is digital silence: the ratio to it means nothing
SILENCE: Final = KINDS  # beside the kinds of sound
MIXED: Final = 4  # windows before and after that have a say in what one is


class SpeechDetector(Analysis):
    """Hears the spectrum's frames."""

    hears = Hears.SPECTRUM

    def __init__(self) -> None:
        self._waiting = np.zeros((0, COLUMNS), dtype=np.float32)
        self._levels = bytearray()
        self._totals = bytearray()
        self._voiced = bytearray()
        self._kinds = bytearray()

    def on_spectrum(self, block: SpectrumBlock) -> None:
        """Take in the next frames."""
        columns = frames_of(block.power)
        self._levels += as_bytes(columns[:, LEVEL]).tobytes()
        self._totals += as_bytes(columns[:, TOTAL]).tobytes()
        self._voiced += (columns[:, PERIODICITY] > VOICED).astype(np.uint8).tobytes()
        self._waiting = np.concatenate([self._waiting, columns])
        while self._waiting.shape[0] >= WINDOW:
            self._look(self._waiting[:WINDOW])
            self._waiting = self._waiting[STEP:]

    def finish(self) -> Speech:
        """The group."""
        if not self._kinds and self._waiting.shape[0]:
            self._look(self._waiting)
        steps = np.frombuffer(self._levels, dtype=np.uint8)
        voiced = np.frombuffer(self._voiced, dtype=np.uint8)
        if steps.shape[0] == 0 or int(steps.max()) == 0:
            return Speech(silence_share=1.0, speech_share=0.0, music_share=0.0, noise_share=0.0)
        kinds = _of_frames(
            np.frombuffer(self._kinds, dtype=np.float32).reshape(-1, KINDS), steps.shape[0]
        )
        totals = np.frombuffer(self._totals, dtype=np.uint8)
        # A hiss has nothing in the bands of voices, a voice in noise little in the others.
        above = _above(steps) | _above(totals)
        found = np.empty((steps.shape[0] // SHORTEST + 1, 2), dtype=np.int32)
        speaks = (above & (kinds == SPEECH)).astype(np.uint8)
        segments, counts = _spoken(found[: find_segments(speaks, found)], steps, voiced)
        spoken = _inside(segments, steps.shape[0])
        spans = self._spans(segments)
        speech_s = sum(end - start for start, end in spans)
        pauses = _pauses(spans)
        syllables = sum(counts)
        shares = _shares(totals, kinds, spoken)
        return Speech(
            segments=tuple(
                SpeechSegment(start_s=start, end_s=end) for start, end in spans[:MAX_TIMES]
            ),
            segment_count=len(spans),
            speech_s=speech_s,
            voiced_s=min(float(np.count_nonzero(voiced & spoken)) / FRAME_RATE, speech_s),
            speech_share=shares[SPEECH],
            music_share=shares[MUSIC],
            noise_share=shares[NOISE],
            silence_share=shares[SILENCE],
            snr_db=_snr_db(totals, spoken, above),
            pause_count=len(pauses),
            pause_s_mean=sum(pauses) / len(pauses) if pauses else None,
            pause_s_longest=max(pauses, default=None),
            syllable_count=syllables,
            syllable_rate_hz=syllables / speech_s if speech_s else None,
        )

    def _look(self, columns: Floats) -> None:
        self._kinds += kinds_of(texture(columns)).tobytes()

    def _spans(self, segments: Integers) -> list[tuple[float, float]]:
        """In seconds, without what their first and last frames heard of the sound beyond them."""
        starts = np.maximum((segments[:, 0] - 0.5 + SPREAD) / FRAME_RATE, 0.0)
        ends = np.minimum((segments[:, 1] - 0.5 - SPREAD) / FRAME_RATE, self.track.duration_s)
        return [(float(a), float(max(a, b))) for a, b in zip(starts, ends, strict=True)]


def _above(steps: Bytes) -> Bools:
    """Which frames sound."""
    return steps > np.repeat(thresholds(steps), SECOND)[: steps.shape[0]]


def _spoken(segments: Integers, steps: Bytes, voiced: Bytes) -> tuple[Integers, list[int]]:
    """The segments that have a vowel, and the syllables of each."""
    kept: list[int] = []
    counts: list[int] = []
    for place, (start, end) in enumerate(segments.tolist()):
        count = nuclei(steps, voiced, start, end)
        if count and int(voiced[start:end].sum()) >= LEAST_VOICED:
            kept.append(place)
            counts.append(count)
    return segments[kept], counts


def _pauses(spans: list[tuple[float, float]]) -> list[float]:
    """Between segments, in seconds; what is longer than a pause left out."""
    gaps = (after[0] - before[1] for before, after in pairwise(spans))
    return [gap for gap in gaps if gap <= LONGEST_PAUSE_S]


def _of_frames(windows: Floats, frames: int) -> Bytes:
    """The kind of each frame: the likeliest by the windows about it."""
    padded = np.pad(windows.astype(np.float64), ((MIXED, MIXED), (0, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0)
    mixed = sums[2 * MIXED + 1 :] - sums[: -2 * MIXED - 1]
    kinds = mixed.argmax(axis=1).astype(np.uint8)
    # Window w is about the frames around 16 w + 32.
    nearest = np.clip((np.arange(frames) - (WINDOW - STEP) // 2) // STEP, 0, kinds.shape[0] - 1)
    return kinds[nearest]


def _inside(segments: Integers, frames: int) -> Bytes:
    """1 for each frame of a segment."""
    changes = np.zeros(frames + 1, dtype=np.int8)
    changes[segments[:, 0]] += 1
    changes[segments[:, 1]] -= 1
    return np.cumsum(changes[:-1], dtype=np.int8).view(np.uint8)


def _shares(steps: Bytes, kinds: Bytes, spoken: Bytes) -> list[float]:
    """Of speech, music, noise and silence; what sounds like speech between segments is noise."""
    levels = as_levels(steps)
    loud = float(np.percentile(levels, 95))
    silent = levels < min(SILENCE_DB, loud - SILENCE_BELOW_DB)
    heard = np.where(kinds == MUSIC, MUSIC, NOISE)
    labels = np.where(spoken != 0, SPEECH, np.where(silent, SILENCE, heard))
    return (np.bincount(labels, minlength=KINDS + 1) / labels.shape[0]).tolist()


def _snr_db(steps: Bytes, spoken: Bytes, above: Bools) -> float | None:
    """The power in speech over that in the pauses beside it, less the noise that is in the former too."""
    power = 10.0 ** (as_levels(steps).astype(np.float64) / 10.0)
    inside, near, beside = _eroded(spoken, SWAY), _widened(spoken, NEAR), _widened(spoken, SWAY)
    noisy = (near != 0) & (beside == 0) & ~above
    if np.count_nonzero(noisy) < LEAST_NOISE or not inside.any():
        return None
    noise = float(power[noisy].mean())
    if 10.0 * np.log10(noise) < UNHEARD_DB:
        return None
    speech = max(float(power[inside != 0].mean()) - noise, noise * 1e-2)
    return float(10.0 * np.log10(speech / noise))


def _widened(mask: Bytes, frames: int) -> Bytes:
    """1 as far as that before and after each 1."""
    sums = np.cumsum(np.pad(mask.astype(np.int32), (frames + 1, frames)))
    return (sums[2 * frames + 1 :] - sums[: -2 * frames - 1] > 0).astype(np.uint8)


def _eroded(mask: Bytes, frames: int) -> Bytes:
    return 1 - _widened(1 - mask, frames)
