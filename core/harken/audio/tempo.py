"""Tempo from the onset envelope: a comb over its autocorrelation.

The local autocorrelation (a tempogram: Grosche, Müller, Kurth 2010) averaged over the recording
shows at which lags onsets repeat. A tempo scores by the comb of its lag's multiples, times a
log-normal preference for the tempi people tap to; high multiples in the autocorrelation of the
whole recording then fix it to a fraction of a percent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats

LEAST_S: Final = 2.0  # shorter recordings have no tempo
LEAST_RISE_DB: Final = 0.5  # smaller rises are partials beating within a held sound
LOUD_PERCENTILE: Final = 99  # even 40 beats a minute take 1.5 % of the frames
WINDOW: Final = 384  # frames of a local autocorrelation, 9 s
WINDOW_HOP: Final = 48
WINDOWS_AT_ONCE: Final = 64
QUIET: Final = 1e-6  # energy of a window in which nothing happens, in dB²
LEAST_BPM: Final = 40.0
MOST_BPM: Final = 240.0
GRID_STEP: Final = 1.004  # from one tempo tried to the next
COMB: Final = (1.0, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15)  # weight of a lag's multiples 1 to 8
HALF_LAG_WEIGHT: Final = 0.3
PRIOR_BPM: Final = 125.0
PRIOR_OCTAVES: Final = 0.8  # standard deviation
OCTAVE_PENALTY: Final = 0.65
FASTEST_BEAT_BPM: Final = 210.0  # what repeats faster is a subdivision, however strong
SLOWEST_BEAT_BPM: Final = 65.0  # and what repeats more slowly is a bar
WEAK_BEAT: Final = 0.6
EQUAL_BEAT: Final = 0.97
LEAST_CLARITY: Final = 0.08  # of the comb
CHANCE: Final = 0.5  # clarity that chance reaches in a second; it falls with the length's root
MOST_REFINEMENT: Final = 0.03  # beyond that it would be another tempo
LEAST_MULTIPLE: Final = 0.5  # of the first peak: lower ones belong to music that drifts
CANDIDATES: Final = 5
CANDIDATE_DISTANCE: Final = 1.06  # ratio below which two tempi are one
LEAST_SHARE: Final = 0.2  # of the best score, for a candidate to be named


@dataclass(frozen=True, kw_only=True)
class Tempo:
    """A tempo and how clearly the recording repeats at it, 0 to 1."""

    bpm: float
    confidence: float


def estimate_tempo(
    envelope: Floats, duration_s: float, done: Callable[[float], None]
) -> tuple[Tempo, ...]:
    """The likeliest tempo first, then the others it may be counted in; none without a pulse.

    `done` hears now and then how many seconds of the envelope have been looked at.
    """
    if duration_s < LEAST_S or np.percentile(envelope, LOUD_PERCENTILE) < LEAST_RISE_DB:
        return ()
    smooth = np.convolve(envelope.astype(np.float64), (0.25, 0.5, 0.25), mode="same")
    local = mean_autocorrelation(smooth, done)
    bpms = LEAST_BPM * GRID_STEP ** np.arange(np.log(MOST_BPM / LEAST_BPM) / np.log(GRID_STEP))
    comb = comb_scores(local, 60.0 * FRAME_RATE / bpms)
    prior = np.exp(-0.5 * (np.log2(bpms / PRIOR_BPM) / PRIOR_OCTAVES) ** 2)
    scores = comb * prior * octave_evidence(local, bpms)
    peaks = _peaks(scores, bpms)
    # Chance repeats a short recording more easily: measured on white and brown noise.
    if not peaks or comb[peaks[0]] < max(LEAST_CLARITY, CHANCE / duration_s**0.5):
        return ()
    whole = autocorrelation(smooth)
    clarity = min(float(comb[peaks[0]]), 1.0)
    best = float(scores[peaks[0]])
    return tuple(
        Tempo(
            bpm=60.0 * FRAME_RATE / refine_lag(whole, 60.0 * FRAME_RATE / float(bpms[peak])),
            confidence=clarity * float(scores[peak]) / best,
        )
        for peak in peaks
    )


def mean_autocorrelation(envelope: Doubles, done: Callable[[float], None]) -> Doubles:
    """Unbiased autocorrelation, 1 at lag 0, averaged over windows of the envelope.

    It is about 0 at lags where nothing repeats, and ends at 2/3 of a window (6 s), beyond which too
    little of the window overlaps itself.
    """
    size = min(WINDOW, envelope.shape[0])
    transform = 1 << (2 * size - 1).bit_length()
    lags = max(2, size * 2 // 3)
    overlap = 1.0 - np.arange(lags) / size
    windows = np.lib.stride_tricks.sliding_window_view(envelope, size)[::WINDOW_HOP]
    total = np.zeros(lags)
    for first in range(0, windows.shape[0], WINDOWS_AT_ONCE):
        part = windows[first : first + WINDOWS_AT_ONCE]
        # Without its mean, so that a steady hiss does not look as if it repeated at every lag.
        spectra = np.fft.rfft(part - part.mean(axis=1, keepdims=True), transform)
        local = np.fft.irfft(np.abs(spectra) ** 2, transform)[:, :lags] / overlap
        # The square root lets quiet passages speak without letting silence shout.
        total += (local / np.sqrt(np.maximum(local[:, :1], QUIET))).sum(axis=0)
        done((first + part.shape[0]) * WINDOW_HOP / FRAME_RATE)
    return total / total[0] if total[0] > 0 else total


def autocorrelation(envelope: Doubles) -> Doubles:
    """Unbiased autocorrelation of the whole envelope, 1 at lag 0, up to half its length."""
    count = envelope.shape[0]
    centred = envelope - envelope.mean()
    spectrum = np.fft.rfft(centred, 1 << (2 * count - 1).bit_length())
    raw = np.fft.irfft(np.abs(spectrum) ** 2)[: count // 2 + 1]
    unbiased = raw / (count - np.arange(raw.shape[0]))
    return unbiased / unbiased[0] if unbiased[0] > 0 else unbiased


def comb_scores(correlation: Doubles, lags: Doubles) -> Doubles:
    """How strongly the envelope repeats at each of `lags` (frames) and its multiples, at most 1."""
    score = np.zeros_like(lags)
    weight = np.zeros_like(lags)
    last = correlation.shape[0] - 1
    positions = np.arange(correlation.shape[0])
    for multiple, share in ((0.5, HALF_LAG_WEIGHT), *enumerate(COMB, start=1)):
        at = lags * multiple
        inside = at <= last
        score += np.where(inside, share * np.interp(at, positions, correlation), 0.0)
        weight += np.where(inside, share, 0.0)
    # A lag that does not fit in even once is no tempo.
    return np.where(lags <= last, score / np.maximum(weight, 1.0), 0.0)


def octave_evidence(correlation: Doubles, bpms: Doubles) -> Doubles:
    """A factor for each tempo: less than 1 where its half or double is the likelier beat.

    A tempo whose every half beat is as strong as its beats is counted at half the speed it should
    be; one whose every second beat is much stronger than its beats, at twice that speed.
    """
    positions = np.arange(correlation.shape[0])
    lags = 60.0 * FRAME_RATE / bpms
    at_half, at, at_twice = (
        np.interp(share * lags, positions, correlation, right=0.0) for share in (0.5, 1.0, 2.0)
    )
    too_slow = (at_half > EQUAL_BEAT * at) & (2 * bpms <= FASTEST_BEAT_BPM)
    too_fast = (at < WEAK_BEAT * at_twice) & (bpms / 2 >= SLOWEST_BEAT_BPM)
    return np.where(too_slow | too_fast, OCTAVE_PENALTY, 1.0)


def refine_lag(correlation: Doubles, lag: float) -> float:
    """`lag` in frames, made precise on ever higher multiples while they still stand out."""
    multiple, least, coarse = 1, 0.0, lag
    while (at := round(lag * multiple)) + 2 < correlation.shape[0]:
        # Half a frame off at one multiple is a whole frame at the next.
        peak = at - 1 + int(np.argmax(correlation[at - 1 : at + 2]))
        left, top, right = correlation[peak - 1 : peak + 2].tolist()
        curve = left - 2 * top + right
        if top < max(left, right, least) or curve >= 0:
            break
        finer = (peak + 0.5 * (left - right) / curve) / multiple
        if abs(finer / coarse - 1.0) > MOST_REFINEMENT:
            break
        lag = finer
        least = least or LEAST_MULTIPLE * top
        multiple *= 2
    return lag


def _peaks(scores: Doubles, bpms: Doubles) -> list[int]:
    inner = (scores[1:-1] >= scores[:-2]) & (scores[1:-1] > scores[2:]) & (scores[1:-1] > 0)
    order = sorted((np.flatnonzero(inner) + 1).tolist(), key=lambda at: -scores[at])
    chosen: list[int] = []
    for at in order:
        apart = all(
            max(bpms[at] / bpms[kept], bpms[kept] / bpms[at]) >= CANDIDATE_DISTANCE
            for kept in chosen
        )
        if apart and scores[at] >= LEAST_SHARE * scores[order[0]]:
            chosen.append(at)
    return chosen[:CANDIDATES]
