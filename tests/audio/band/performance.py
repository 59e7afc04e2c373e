"""Loops, songs, ramps and steps of tempo: what the band plays, as samples with their beats.

The same seed always plays the same; even seeds are for fitting constants, odd ones for judging.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.audio.band.instruments import RATE, Kit, Samples, Tone
from tests.audio.band.score import Note, instrumentation, write_score
from tests.audio.band.styles import SLOW, STYLES, Style

PARTS: Final = ("drums", "bass", "chords", "arpeggio", "lead", "pad")
# Loops are sold as single parts more often than as whole mixes.
LOOP_PARTS: Final = (
    (("drums",), 0.36),
    (("bass",), 0.14),
    (("lead",), 0.12),
    (("chords",), 0.10),
    (("arpeggio",), 0.08),
    (PARTS, 0.20),
)
LOOP_S: Final = (2.0, 16.0)

Beats = Callable[[Samples], Samples]  # seconds at which beats (counted from 0, fractions too) fall


@dataclass(frozen=True, kw_only=True)
class Take:
    """What was played."""

    samples: Samples  # mono, RATE
    bpm: float  # as written; of the middle where it changes
    beats_s: Samples
    style: str
    parts: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """Length."""
        return self.samples.shape[0] / RATE


def loop(seed: int) -> Take:
    """One to eight bars of one part or all, cut where they repeat; one in six rings on after that."""
    return _loop(np.random.default_rng((seed, 1)), STYLES)


def slow_loop(seed: int) -> Take:
    """A loop of slow music that has many notes in a beat."""
    return _loop(np.random.default_rng((seed, 7)), SLOW)


def _loop(rng: np.random.Generator, styles: dict[str, Style]) -> Take:
    name = str(rng.choice(list(styles)))
    style = styles[name]
    bpm = _bpm(rng, style)
    bar_s = style.beats * 60.0 / bpm
    lengths = [bars for bars in (1, 2, 4, 8) if LOOP_S[0] <= bars * bar_s <= LOOP_S[1]]
    bars = int(rng.choice(lengths))
    chance = np.array([share for _, share in LOOP_PARTS])
    parts = LOOP_PARTS[int(rng.choice(len(LOOP_PARTS), p=chance))][0]
    parts = instrumentation(rng, style, parts)
    notes = write_score(rng, style, bpm, bars, parts)
    length = round(bars * bar_s * RATE)
    wrapped = rng.random() < 0.4
    ring = rng.random() < 0.16
    dry = _play(rng, notes, lambda beat: beat * 60.0 / bpm, length + 3 * RATE)
    wet = _room(rng, dry)
    if wrapped:
        over = min(length, 3 * RATE)
        wet[:over] += wet[length : length + over]
    samples = wet[: length + (round(rng.uniform(0.2, 2.0) * RATE) if ring else 0)]
    if rng.random() < 0.1:  # what an MP3 encoder puts before the sound
        samples = np.concatenate([np.zeros(round(rng.uniform(0.01, 0.06) * RATE)), samples])
    beats = np.arange(float(bars * style.beats)) * 60.0 / bpm
    return _take(rng, samples, bpm, beats, name, parts)


def metronome(seed: int) -> Take:
    """One drum on every beat, the first of the bar perhaps louder."""
    rng = np.random.default_rng((seed, 6))
    bpm = float(np.exp(rng.uniform(np.log(48.0), np.log(215.0))))
    seconds = float(rng.uniform(6.0, 30.0))
    drum = str(rng.choice(["kick", "snare", "hat", "rim", "high"]))
    loud = float(rng.choice([0.7, 1.0]))
    count = int(seconds * bpm / 60.0)
    notes = [
        Note(beat=float(beat), sound=drum, level=loud if beat % 4 == 0 else 0.7)
        for beat in range(count)
    ]
    first_s = float(rng.uniform(0.0, 0.5))
    times = first_s + np.arange(float(count)) * 60.0 / bpm
    dry = _play(rng, notes, lambda beat: first_s + beat * 60.0 / bpm, round(seconds * RATE))
    return _take(rng, dry, bpm, times[times < seconds], "metronome", (drum,))


def song(seed: int, seconds: float = 40.0) -> Take:
    """Music at one tempo, in sections, cut out of a longer piece anywhere."""
    rng = np.random.default_rng((seed, 2))
    name = str(rng.choice(list(STYLES)))
    bpm = _bpm(rng, STYLES[name])
    first_s = -float(rng.uniform(0.0, 2.0))
    return _piece(rng, name, bpm, lambda beat: first_s + beat * 60.0 / bpm, seconds)


def clip(seed: int) -> Take:
    """A song's middle, cut without regard to its bars."""
    rng = np.random.default_rng((seed, 5))
    return song(seed + 10_000, float(rng.uniform(4.0, 25.0)))


def ramp(seed: int, first: float = 90.0, last: float = 140.0, seconds: float = 40.0) -> Take:
    """Drums and harmony whose tempo rises evenly."""
    rng = np.random.default_rng((seed, 3))

    def fall(beat: Samples) -> Samples:
        # b(t) = (first t + (last - first) t² / 2 seconds) / 60, solved for t
        slope = (last - first) / seconds
        ahead = np.maximum(first**2 + 2 * slope * 60.0 * beat, (0.2 * first) ** 2)
        return (np.sqrt(ahead) - first) / slope

    return _piece(rng, _with_drums(rng), 0.5 * (first + last), fall, seconds, full=True)


def step(seed: int, first: float = 100.0, last: float = 130.0, seconds: float = 40.0) -> Take:
    """Drums and harmony whose tempo changes at once, in the middle."""
    rng = np.random.default_rng((seed, 4))
    turn = np.floor(0.5 * seconds * first / 60.0)

    def fall(beat: Samples) -> Samples:
        before = np.minimum(beat, turn) * 60.0 / first
        return before + np.maximum(beat - turn, 0.0) * 60.0 / last

    return _piece(rng, _with_drums(rng), first, fall, seconds, full=True)


def _with_drums(rng: np.random.Generator) -> str:
    return str(rng.choice(["rock", "house", "disco", "funk", "ballad", "boombap", "shuffle"]))


def _bpm(rng: np.random.Generator, style: Style) -> float:
    """Mostly whole, as a sequencer is set; players and old machines are not so even."""
    whole = float(rng.integers(style.bpm[0], style.bpm[1] + 1))
    return whole if rng.random() < 0.8 else whole + float(rng.uniform(-0.5, 0.5))


def _piece(
    rng: np.random.Generator,
    name: str,
    bpm: float,
    fall: Beats,
    seconds: float,
    *,
    full: bool = False,
) -> Take:
    style = STYLES[name]
    last = 0
    while float(fall(np.array([float(last)]))[0]) < seconds:
        last += style.beats
    parts = instrumentation(rng, style, PARTS, full=full)
    notes = write_score(rng, style, bpm, last // style.beats, parts, sections=not full)
    dry = _play(rng, notes, fall, round(seconds * RATE))
    times = fall(np.arange(float(last)))
    beats = times[(times >= 0.0) & (times < seconds)]
    return _take(rng, _room(rng, dry), bpm, beats, name, parts)


def _play(rng: np.random.Generator, notes: list[Note], fall: Beats, count: int) -> Samples:
    kit = Kit.draw(rng)
    tones = {kind: Tone.draw(rng, kind) for kind in ("bass", "lead", "pad")}
    tones["chords"] = Tone.draw(rng, "keys" if rng.random() < 0.8 else "pad")
    tones["arpeggio"] = Tone.draw(rng, "keys")
    gain = {"bass": 0.5, "chords": 0.3, "arpeggio": 0.3, "lead": 0.35, "pad": 0.15}
    gain |= {"kick": 0.9, "snare": 0.7, "hat": 0.35, "open": 0.3, "ride": 0.3}
    gain |= {"shaker": 0.3, "rim": 0.4}
    balance = {sound: float(10 ** rng.uniform(-0.25, 0.15)) for sound in sorted(gain)}
    jitter_s = float(rng.choice([0.0, 0.0, 0.003, 0.008]))
    human = float(rng.uniform(0.0, 0.25))
    mix = np.zeros(count)
    at = fall(np.array([note.beat for note in notes])) if notes else np.zeros(0)
    ends = fall(np.array([note.beat + note.length for note in notes])) if notes else at
    drums: dict[str, list[Samples]] = {}
    sung: dict[tuple[str, float, int], Samples] = {}
    for note, start_s, end_s in zip(notes, at.tolist(), ends.tolist(), strict=True):
        if note.sound in tones:
            length = round((end_s - start_s) * 50) / 50
            key = (note.sound, note.pitch, round(50 * length))
            if key not in sung:
                sung[key] = tones[note.sound].play(note.pitch, max(length, 0.06))
            sound = sung[key]
        else:
            if note.sound not in drums:
                drums[note.sound] = [kit.strike(note.sound, rng) for _ in range(4)]
            sound = drums[note.sound][int(rng.integers(4))]
        level = gain.get(note.sound, 0.6) * balance.get(note.sound, 1.0) * note.level
        level *= 1.0 - human * rng.random()
        first = round((start_s + jitter_s * rng.standard_normal()) * RATE)
        if first < 0:
            if first < -RATE // 50:
                continue
            first = 0
        part = sound[: max(0, count - first)]
        mix[first : first + part.shape[0]] += level * part
    return mix


def _room(rng: np.random.Generator, dry: Samples) -> Samples:
    """An echo that dies away, in two pieces of three."""
    if rng.random() < 0.33:
        return dry.copy()
    decay_s = rng.uniform(0.1, 0.7)
    t = np.arange(round(3 * decay_s * RATE)) / RATE
    echo = rng.standard_normal(t.shape[0]) * np.exp(-t / decay_s)
    echo *= rng.uniform(0.1, 0.5) / np.sqrt((echo**2).sum())
    size = 1 << (dry.shape[0] + t.shape[0]).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(echo, size), size)
    return dry + wet[: dry.shape[0]]


def _coloured(rng: np.random.Generator, samples: Samples) -> Samples:
    """Dull or thin in one piece of three: 12 dB an octave above or below some frequency."""
    if rng.random() < 0.67:
        return samples
    size = 1 << samples.shape[0].bit_length()
    hertz = np.fft.rfftfreq(size, 1.0 / RATE) + 1.0
    if rng.random() < 0.5:
        shape = 1.0 / (1.0 + (hertz / rng.uniform(700, 6000)) ** 2)
    else:
        shape = 1.0 / (1.0 + (rng.uniform(60, 400) / hertz) ** 2)
    return np.fft.irfft(np.fft.rfft(samples, size) * shape, size)[: samples.shape[0]]


def _take(
    rng: np.random.Generator,
    samples: Samples,
    bpm: float,
    beats: Samples,
    style: str,
    parts: tuple[str, ...],
) -> Take:
    """Mastered: levelled, perhaps pressed, with a little noise."""
    samples = _coloured(rng, samples)
    samples = samples / max(float(np.abs(samples).max()), 1e-9)
    if rng.random() < 0.5:
        samples = np.tanh(rng.uniform(1.0, 3.0) * samples)
    floor = 10 ** (rng.uniform(-85, -45) / 20)
    samples = samples + floor * rng.standard_normal(samples.shape[0])
    samples *= rng.uniform(0.3, 0.95) / max(float(np.abs(samples).max()), 1e-9)
    return Take(samples=samples, bpm=bpm, beats_s=beats, style=style, parts=parts)
