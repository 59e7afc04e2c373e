"""What the band plays, on paper: the notes of every part, bar by bar, in beats."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.audio.band.styles import Style

LEVELS: Final = {"X": 1.0, "x": 0.7, "o": 0.35}
ROOTS: Final = ((0, 5, 3, 4), (0, 3, 4, 4), (0, 4, 5, 3), (0, 0, 3, 4), (0, 0, 0, 0), (5, 3, 0, 4))
SCALES: Final = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))


@dataclass(frozen=True, kw_only=True)
class Note:
    """One sound at a beat; pitch in MIDI numbers, length in beats."""

    beat: float
    sound: str
    level: float
    pitch: float = 0.0
    length: float = 0.0  # beats


def write_score(
    rng: np.random.Generator,
    style: Style,
    bpm: float,
    bars: int,
    parts: tuple[str, ...],
    *,
    sections: bool = False,
) -> list[Note]:
    swing = float(rng.uniform(*style.swing)) if rng.random() < 0.6 else style.swing[0]
    tonic = int(rng.integers(40, 52))
    scale = SCALES[int(rng.integers(2))]
    roots = ROOTS[int(rng.integers(len(ROOTS)))]
    patterns = _drum_patterns(rng, style, alone=parts == ("drums",))
    # A lead repeats its motif, and so does an arpeggio its figure.
    motif = _motif(rng, style, bpm)
    figure = rng.permutation([0, 2, 4, 7, 4, 2])
    picks = {
        part: str(rng.choice(getattr(style, part)))
        for part in ("bass", "chords", "arpeggio")
        if part in parts
    }
    notes: list[Note] = []
    playing = parts
    for bar in range(bars):
        if sections and bar % 8 == 0:
            rest = [part for part in parts if len(parts) > 1 and rng.random() < 0.2]
            playing = tuple(part for part in parts if part not in rest) or parts
        start = float(bar * style.beats)
        root = roots[bar % 4]

        def at(step: int, of: int, start: float = start) -> float:
            late = swing if of % 16 == 0 and step % 2 else 0.0
            return start + (step + late) * style.beats / of

        def pitch(degree: int, octave: int) -> float:
            up, tone = divmod(degree, 7)
            return tonic + 12 * (octave + up) + scale[tone]

        if "drums" in playing:
            fill = bars > 2 and bar % 4 == 3 and rng.random() < 0.4
            for drum, pattern in patterns.items():
                for number, mark in enumerate(pattern):
                    late_in_bar = number >= 0.75 * len(pattern)
                    if fill and late_in_bar and drum in ("snare", "low", "mid"):
                        mark = "x" if rng.random() < 0.6 else mark
                    if mark != "." and not (mark == "o" and rng.random() < 0.2):
                        notes.append(
                            Note(beat=at(number, len(pattern)), sound=drum, level=LEVELS[mark])
                        )
        for part in ("bass", "chords", "arpeggio"):
            if part not in playing:
                continue
            pattern = picks[part]
            struck = [number for number, mark in enumerate(pattern) if mark != "."]
            for index, number in enumerate(struck):
                following = struck[index + 1] if index + 1 < len(struck) else len(pattern)
                length = (following - number) * style.beats / len(pattern)
                loudness = LEVELS[pattern[number]]
                where = at(number, len(pattern))
                degrees, octave = {
                    "bass": ([root + (4 if rng.random() < 0.15 else 0)], -1),
                    "chords": ([root, root + 2, root + 4], 1),
                    "arpeggio": ([root + int(figure[(number) % 6])], 1),
                }[part]
                for degree in degrees:
                    notes.append(
                        Note(
                            beat=where,
                            sound=part,
                            level=loudness / len(degrees) ** 0.5,
                            pitch=pitch(degree, octave),
                            length=0.9 * min(length, 4.0),
                        )
                    )
        if "lead" in playing:
            for where, length, degree in motif[bar % 2]:
                if rng.random() < 0.95:
                    notes.append(
                        Note(
                            beat=at(where, 4 * style.beats),
                            sound="lead",
                            level=rng.uniform(0.5, 1.0) * (1.0 if where % 4 == 0 else 0.85),
                            pitch=pitch(root + degree, 1),
                            length=0.9 * length / 4,
                        )
                    )
        if "pad" in playing:
            for degree in (0, 2, 4):
                notes.append(
                    Note(
                        beat=start,
                        sound="pad",
                        level=0.4,
                        pitch=pitch(root + degree, 1),
                        length=float(style.beats),
                    )
                )
    return notes


def _drum_patterns(rng: np.random.Generator, style: Style, *, alone: bool) -> dict[str, str]:
    """One choice for each drum, in half of the pieces with a few strokes of its own."""
    chosen = {drum: str(rng.choice(choices)) for drum, choices in style.drums.items()}
    if rng.random() < 0.5:
        for drum, pattern in chosen.items():
            change = rng.random(len(pattern)) < 0.05
            chosen[drum] = "".join(
                ("." if mark != "." else "x") if changed else mark
                for mark, changed in zip(pattern, change.tolist(), strict=True)
            )
    if alone and rng.random() < 0.3:  # a loop of the cymbals alone, or of the kick alone
        kept = {drum: pattern for drum, pattern in chosen.items() if rng.random() < 0.5}
        if sum(len(pattern) - pattern.count(".") for pattern in kept.values()) >= 3:
            return kept
    if chosen and all(set(pattern) == {"."} for pattern in chosen.values()):
        chosen[next(iter(chosen))] = "X..." * (len(next(iter(chosen.values()))) // 4)
    return chosen


def instrumentation(
    rng: np.random.Generator, style: Style, parts: tuple[str, ...], *, full: bool = False
) -> tuple[str, ...]:
    has = {
        "drums": bool(style.drums),
        "bass": bool(style.bass),
        "chords": bool(style.chords),
        "arpeggio": bool(style.arpeggio),
        "lead": style.lead,
        "pad": style.pad > 0,
    }
    share = {"drums": 0.92, "bass": 0.85, "chords": 0.7, "arpeggio": 0.4, "lead": 0.5}
    if len(parts) == 1:
        if has[parts[0]]:
            return parts
        others = [part for part in ("drums", "bass", "chords", "arpeggio") if has[part]]
        return (str(rng.choice(others)),)
    chosen = [part for part in parts if has[part] and rng.random() < share.get(part, style.pad)]
    if full:  # drums and harmony, whatever was drawn
        chosen = [part for part in parts if part in chosen or part in ("drums", "bass", "chords")]
    elif not any(part in chosen for part in ("drums", "arpeggio", "chords", "lead")):
        chosen.append("drums" if has["drums"] else "arpeggio")
    return tuple(chosen)


def _motif(rng: np.random.Generator, style: Style, bpm: float) -> list[list[tuple[int, int, int]]]:
    """Two bars of (sixteenth, length in sixteenths, degree), about 1.5 to 4 notes a second.

    Strong places of the bar get notes first, so that a slow tempo fills with sixteenths and a fast
    one with quarters.
    """
    steps = 4 * style.beats
    wanted = rng.uniform(1.5, 4.0) * style.beats * 60.0 / bpm
    weight = np.array(
        [
            (4.0 if s == 0 else 2.5 if s % 4 == 0 else 1.2 if s % 2 == 0 else 0.4)
            for s in range(steps)
        ]
    )
    syncopation = rng.uniform(0.5, 1.5)
    bars: list[list[tuple[int, int, int]]] = []
    degree = 0
    for _ in range(2):
        keys = rng.random(steps) ** (1.0 / weight**syncopation)
        count = int(np.clip(round(wanted * rng.uniform(0.7, 1.3)), 1, steps))
        places = np.sort(np.argsort(-keys)[:count]).tolist()
        ends = [*places[1:], steps]
        bar: list[tuple[int, int, int]] = []
        for place, end in zip(places, ends, strict=True):
            degree = int(np.clip(degree + rng.integers(-3, 4), -3, 8))
            bar.append((place, end - place, degree))
        bars.append(bar)
    if rng.random() < 0.5:
        bars[1] = bars[0]
    return bars
