"""What a recording is by its form: speech, a single sound, a loop, a phrase, or a longer piece.

A loop lasts whole bars of four beats at a sure tempo, and plays up to its end: what has died away before is a take that
happens to fit. It is stricter than the class of the search by sound, which knows length and tempo alone.
"""

from collections.abc import Iterator
from typing import Final

from harken.audio.insights.groups import Groups
from harken.audio.insights.result import InsightTag
from harken.audio.insights.tempo import pulse_confidence

# Speech is what is speech for more than half of the time in which anything sounds, and for about a word at least: of a
# drum hit the first tenth of a second may pass for some.
LEAST_SPEECH: Final = 0.5
SURE_SPEECH: Final = 0.9
SHORTEST_SPEECH_S: Final = 0.25
SURE_SPEECH_S: Final = 1.0
LONGEST_LOOP_S: Final = 30.0
LONGEST_ONE_SHOT_S: Final = 4.0
BEATS_A_BAR: Final = 4
# A tempo is right within a percent or so, and a loop's file may be cut a few milliseconds off.
MOST_BEATS_OFF: Final = 0.1
LEAST_PULSE: Final = 0.6
# The last onset of a loop is in its last part; of one that rings out it is not.
LAST_ONSET_FROM: Final = 0.75
FEW_ONSETS: Final = 2  # the sound, and at most its end
BUSY_HZ: Final = 5.0  # more onsets a second than that speak for a phrase


def form_tags(groups: Groups) -> Iterator[InsightTag]:
    """One of form:speech, form:one-shot, form:loop, form:phrase, form:piece."""
    if (speech := _speech(groups)) is not None:
        yield speech
        return
    duration = groups.duration_s
    if duration is None or groups.onsets is None or groups.rhythm is None:
        return
    if duration > LONGEST_LOOP_S:
        sure = min(duration / LONGEST_LOOP_S - 0.5, 1.0)
        yield InsightTag(name="form:piece", confidence=sure, evidence=f"{duration:.0f} s")
        return
    if (loop := _loop(groups, duration)) is not None:
        yield loop
        return
    count = groups.onsets.onset_count or 0
    if duration <= LONGEST_ONE_SHOT_S or count <= FEW_ONSETS:
        rate = max(count - FEW_ONSETS, 0) / duration
        onsets = "1 onset" if count == 1 else f"{count} onsets"
        yield InsightTag(
            name="form:one-shot",
            confidence=1.0 - 0.5 * min(rate / BUSY_HZ, 1.0),
            evidence=f"{onsets} in {duration:.2f} s",
        )
        return
    yield InsightTag(
        name="form:phrase",
        confidence=0.5 + 0.5 * min(duration / LONGEST_ONE_SHOT_S - 1.0, 1.0),
        evidence=f"{count} onsets in {duration:.1f} s, not whole bars",
    )


def _speech(groups: Groups) -> InsightTag | None:
    speech = groups.speech
    if speech is None or speech.speech_share is None or speech.silence_share is None:
        return None
    sounding = 1.0 - speech.silence_share
    share = speech.speech_share / sounding if sounding > 0.0 else 0.0
    length = speech.speech_s or 0.0
    if share <= LEAST_SPEECH or length < SHORTEST_SPEECH_S:
        return None
    sure = min((share - LEAST_SPEECH) / (SURE_SPEECH - LEAST_SPEECH), length / SURE_SPEECH_S, 1.0)
    evidence = f"{length:.1f} s of speech, {share:.0%} of what sounds"
    return InsightTag(name="form:speech", confidence=0.5 + 0.5 * sure, evidence=evidence)


def _loop(groups: Groups, duration: float) -> InsightTag | None:
    rhythm, onsets = groups.rhythm, groups.onsets
    assert rhythm is not None
    assert onsets is not None
    if rhythm.tempo_bpm is None or rhythm.tempo_confidence is None or not onsets.onsets_s:
        return None
    beats = duration * rhythm.tempo_bpm / 60.0
    bars = round(beats / BEATS_A_BAR)
    off = abs(beats - bars * BEATS_A_BAR)
    pulse = pulse_confidence(rhythm)
    plays_on = onsets.onsets_s[-1] >= LAST_ONSET_FROM * duration
    if bars < 1 or off > MOST_BEATS_OFF or pulse < LEAST_PULSE or not plays_on:
        return None
    return InsightTag(
        name="form:loop",
        confidence=pulse * (1.0 - 0.5 * off / MOST_BEATS_OFF),
        evidence=f"{beats:.2f} beats of {rhythm.tempo_bpm:.1f} BPM, {bars} bars",
    )
