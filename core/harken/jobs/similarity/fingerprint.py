"""Comparing the fingerprints of two recordings: in how many bits they differ where they fit best, and how sure that is.

How a fingerprint is made: `harken.audio.acoustic_fingerprint`. After Haitsma and Kalker (2002): bits of different
recordings are as good as drawn by lot, so the share of those that differ is about a half. Short recordings have few
bits of that kind, and signs of their waveform besides (`waveform_signs`).
"""

import struct
from dataclasses import dataclass, replace
from functools import cached_property
from math import hypot
from typing import Any, Final

from harken.jobs.similarity import waveform_signs
from harken.jobs.similarity.waveform_signs import (
    MOST_PART_ERRORS,
    WaveformMatch,
    WaveformSigns,
    match_waveforms,
    places_disagree,
    waveform_signs_of,
)

VERSION: Final = 2
HEADER: Final = struct.Struct("<BBf")
RATE: Final = 22_050 / 1_024  # words a second
BITS: Final = 32  # of a word

LONGEST_CUT_S: Final = 10.0  # off both ends together
LARGEST_CUT: Final = 0.35  # of the longer one
LEAST_OVERLAP: Final = 0.6  # of what is heard of the shorter one
MOST_ERRORS: Final = 0.33
SPREAD: Final = 3.0
SURENESS: Final = 3.5
TELLING_WORDS: Final = 43  # 2 s of a stretch, which stands for itself then
FEWEST_WORDS: Final = 4  # a fifth of a second: of less there is nothing to say


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What a recording is known by: stretches of words of 32 bits, 0 for silence."""

    duration_s: float
    stretches: tuple[Any, ...]
    waveform: WaveformSigns | None = None

    @cached_property
    def heard(self) -> int:
        """How many words are not silence."""
        return sum(int((stretch != 0).sum()) for stretch in self.stretches)


@dataclass(frozen=True, kw_only=True)
class Match:
    """How two recordings fit: the other one begins `offset_s` later, and `bit_error_rate` of the bits differ.

    Of the stretch in which most do, with so many words; or of the waveform's signs, where those are surer.
    """

    offset_s: float
    bit_error_rate: float
    words: int
    sureness: float  # of 1, which is enough to call them the same


def fingerprint_of(packed: bytes) -> Fingerprint | None:
    """The fingerprint in bytes; None of a version that is not known."""
    import numpy as np  # only where they are compared: it takes a tenth of a second to import

    if len(packed) < HEADER.size or packed[0] != VERSION:
        return None
    _, number, duration_s = HEADER.unpack_from(packed)
    counts = struct.unpack_from(f"<{number}H", packed, HEADER.size)
    words = np.frombuffer(packed, "<u4", sum(counts), offset=HEADER.size + 2 * number)
    ends = [sum(counts[: place + 1]) for place in range(number)]
    stretches = tuple(words[end - count : end] for count, end in zip(counts, ends, strict=True))
    rest = packed[HEADER.size + 2 * number + 4 * sum(counts) :]
    return Fingerprint(duration_s=duration_s, stretches=stretches, waveform=waveform_signs_of(rest))


def same_length(one_s: float, other_s: float) -> bool:
    """Whether two durations may be those of the same recording, one of them cut."""
    longer = max(one_s, other_s)
    return abs(one_s - other_s) <= min(LONGEST_CUT_S, LARGEST_CUT * longer)


def lengths_like(duration_s: float) -> tuple[float, float]:
    """The shortest and the longest that the same recording may be elsewhere."""
    shortest = duration_s - min(LONGEST_CUT_S, LARGEST_CUT * duration_s)
    return shortest, duration_s + min(LONGEST_CUT_S, duration_s * LARGEST_CUT / (1 - LARGEST_CUT))


def is_same(match: "Match") -> bool:
    """Whether two recordings that fit so are the same."""
    return match.sureness >= 1.0


def match(one: Fingerprint, other: Fingerprint) -> Match | None:
    """How two recordings fit best; None where they are not of about the same length, or nothing is heard.

    Words and signs of a short recording are two witnesses: where neither is sure alone, their evidence adds, as the
    squares of spreads do. Neither counts where the hits of one lie otherwise than those of the other.
    """
    if not same_length(one.duration_s, other.duration_s):
        return None
    course = _match_words(one, other)
    if one.waveform is None or other.waveform is None:
        return course
    waveform = match_waveforms(one.waveform, other.waveform)
    both = course if waveform is None else _together(course, waveform)
    if both is None or not is_same(both):
        return both
    # Words tell a place to two of them; signs to the sample.
    by_words = course is not None and both.offset_s == course.offset_s
    within = round(2 * waveform_signs.RATE / RATE) if by_words else 0
    if places_disagree(one.waveform, other.waveform, both.offset_s, within):
        return replace(both, sureness=0.0)
    return both


def _together(course: Match | None, waveform: WaveformMatch) -> Match:
    """What both witnesses say, in the figures of the surer one."""
    sureness = waveform_sureness(waveform)
    if course and course.sureness >= sureness:
        return replace(course, sureness=hypot(course.sureness, sureness))
    return Match(
        offset_s=waveform.offset_s,
        bit_error_rate=waveform.bit_error_rate,
        words=course.words if course else 0,
        sureness=hypot(course.sureness if course else 0.0, sureness),
    )


def words_sureness(bit_error_rate: float, words: int) -> float:
    """How sure it is of 1 that words of which so many bits differ are of the same recording.

    In fewer bits than Haitsma and Kalker's 0.35 by a margin, and so few that chance does not do it: the spread of the
    error between different recordings, which they found to be three times that of bits drawn by lot, times SURENESS
    below a half.
    """
    spread = SPREAD / (2 * (BITS * words) ** 0.5)
    return (0.5 - bit_error_rate) / (SURENESS * spread) if bit_error_rate <= MOST_ERRORS else 0.0


def waveform_sureness(match: WaveformMatch) -> float:
    """The same of signs, which are counted as what is independent in them."""
    spread = 1 / (2 * match.independent**0.5)
    if match.bit_error_rate > MOST_ERRORS or match.worst_part_error > MOST_PART_ERRORS:
        return 0.0
    return (0.5 - match.bit_error_rate) / (waveform_signs.SURENESS * spread)


def _match_words(one: Fingerprint, other: Fingerprint) -> Match | None:
    longer = max(one.duration_s, other.duration_s)
    needed = max(FEWEST_WORDS, LEAST_OVERLAP * min(one.heard, other.heard))
    most = round(min(LONGEST_CUT_S, LARGEST_CUT * longer) * RATE) + 1
    best: tuple[float, int] | None = None
    for shift in range(-most, most + 1):
        differing, words = _compared(one.stretches[:1], other.stretches[:1], shift)
        if words and words >= min(needed, LEAST_OVERLAP * _least(one, other)):
            found = (differing / (BITS * words), shift)
            best = found if best is None or found < best else best
    if best is None:
        return None
    # Where the beginnings fit, all else has to fit too: that of the worst stretch counts, if it is long enough to say.
    shift = best[1]
    stretches = zip(one.stretches, other.stretches, strict=False)
    compared = [_compared((mine,), (theirs,), shift) for mine, theirs in stretches]
    if sum(words for _, words in compared) < needed:
        return None
    telling = [pair for pair in compared if pair[1] >= TELLING_WORDS] or compared[:1]
    differing, words = max(telling, key=lambda pair: pair[0] / pair[1] if pair[1] else 0.0)
    if not words:
        return None
    error = differing / (BITS * words)
    return Match(
        offset_s=shift / RATE,
        bit_error_rate=error,
        words=words,
        sureness=words_sureness(error, words),
    )


def _least(one: Fingerprint, other: Fingerprint) -> int:
    return min(int((some.stretches[0] != 0).sum()) for some in (one, other))


def _compared(one: tuple[Any, ...], other: tuple[Any, ...], shift: int) -> tuple[int, int]:
    """How many bits differ, and of how many words, where the other one is moved by so many words."""
    import numpy as np

    differing = words = 0
    for a, b in zip(one, other, strict=False):
        mine, theirs = a[max(-shift, 0) :], b[max(shift, 0) :]
        count = min(mine.shape[0], theirs.shape[0])
        mine, theirs = mine[:count], theirs[:count]
        both = (mine != 0) & (theirs != 0)
        words += int(both.sum())
        differing += int(np.bitwise_count((mine ^ theirs)[both]).sum())
    return differing, words
