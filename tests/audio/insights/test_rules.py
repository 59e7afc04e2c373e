"""Rules say what the numbers say, as sure as they are, and nothing where a group is missing."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.audio import Feature, Speech, analyze
from harken.audio.insights.camelot import MAJOR, MINOR, NOTES, camelot, compatible_keys
from harken.audio.insights.groups import NEEDED
from harken.audio.insights.rules import insights_of
from harken.audio.result import (
    Loudness,
    Media,
    Onsets,
    Rhythm,
    Spectral,
    TempoCandidate,
    Tonal,
)

# The wheel as it is printed, clockwise from one o'clock: minor, major.
WHEEL = "G#/B D#/F# A#/C# F/G# C/D# G/A# D/F A/C E/G B/D F#/A C#/E"  # 1A/1B to 12A/12B
SONG = {
    Feature.MEDIA: Media(duration_s=180.0),
    Feature.RHYTHM: Rhythm(tempo_bpm=140.0, tempo_confidence=0.9),
    Feature.TONAL: Tonal(key="A", mode="minor", key_confidence=0.9),
    Feature.SPECTRAL: Spectral(centroid_hz_mean=4_000.0),
    Feature.LOUDNESS: Loudness(integrated_lufs=-8.0, true_peak_dbtp=-0.2, range_lu=3.0),
    Feature.ONSETS: Onsets(onsets_s=(0.0, 179.0), onset_count=1_440, rate_hz=8.0),
}
# What each namespace is drawn from: without one of these there is no such tag.
DRAWN_FROM = {
    "form": {Feature.MEDIA, Feature.RHYTHM, Feature.ONSETS},
    "tempo": {Feature.RHYTHM},
    "brightness": {Feature.SPECTRAL},
    "key": {Feature.TONAL},
    "loudness": {Feature.LOUDNESS},
    "dynamics": {Feature.LOUDNESS},
    "peak": {Feature.LOUDNESS},
    "range": {Feature.LOUDNESS, Feature.MEDIA},
    "density": {Feature.ONSETS, Feature.MEDIA},
    "energy": {Feature.ONSETS, Feature.MEDIA, Feature.LOUDNESS, Feature.SPECTRAL},
}


def tags_of(**groups):
    found = insights_of({Feature(name): group for name, group in groups.items()})
    return {tag.name: tag.confidence for tag in found.tags}


def test_every_key_has_the_notation_of_the_printed_wheel():
    for hour, pair in enumerate(WHEEL.split(), start=1):
        minor, major = pair.split("/")
        assert camelot(minor, MINOR) == f"{hour}A"
        assert camelot(major, MAJOR) == f"{hour}B"


@given(st.sampled_from(NOTES), st.sampled_from([MAJOR, MINOR]))
def test_keys_that_mix_share_all_but_one_note_and_mix_both_ways(key, mode):
    def notes(key, mode):
        steps = (0, 2, 4, 5, 7, 9, 11) if mode == MAJOR else (0, 2, 3, 5, 7, 8, 10)
        return {(NOTES.index(key) + step) % 12 for step in steps}

    same, relative, *fifths = compatible_keys(key, mode)
    assert (same.key, same.mode) == (key, mode)
    assert notes(relative.key, relative.mode) == notes(key, mode)
    for fifth in fifths:
        assert len(notes(fifth.key, fifth.mode) & notes(key, mode)) == 6
        assert key in {back.key for back in compatible_keys(fifth.key, fifth.mode)}
    assert all(camelot(other.key, other.mode) == other.camelot for other in (relative, *fifths))


def test_what_is_no_key_is_refused():
    with pytest.raises(ValueError, match="'H' 'major' is no key"):
        camelot("H", MAJOR)


def test_a_song_has_a_tag_of_every_rule_and_a_sentence():
    found = insights_of(SONG)
    assert [tag.name for tag in found.tags] == [
        *("form:piece", "tempo:fast", "brightness:bright", "key:8a", "loudness:loud"),
        *("dynamics:compressed", "peak:over-streaming-limit", "range:narrow"),
        *("density:dense", "energy:high"),
    ]
    assert found.camelot == "8A"
    assert [key.camelot for key in found.compatible_keys] == ["8A", "8B", "9A", "7A"]
    assert found.description == (
        "A fast, dense, bright, compressed piece of 3:00 min at 140 BPM in A minor (8A), of high energy."
    )


@pytest.mark.parametrize(
    "missing", [some for count in range(len(NEEDED) + 1) for some in combinations(NEEDED, count)]
)
def test_a_missing_group_takes_its_tags_with_it_and_no_others(missing):
    left = {feature: group for feature, group in SONG.items() if feature not in missing}
    found = {tag.name.partition(":")[0] for tag in insights_of(left).tags}
    assert found == {name for name, drawn in DRAWN_FROM.items() if drawn <= left.keys()}


def test_groups_that_found_nothing_give_no_tags():
    nothing = insights_of(
        {f: type(group)() for f, group in SONG.items()}  # silence: every value is unset
    )
    assert (nothing.tags, nothing.camelot, nothing.compatible_keys) == ((), None, ())
    assert nothing.description is None


def test_half_the_tempo_that_is_as_likely_is_said_and_makes_the_class_unsure():
    tempos = (TempoCandidate(bpm=170, confidence=0.5), TempoCandidate(bpm=85, confidence=0.45))
    unsure = tags_of(rhythm=Rhythm(tempo_bpm=170, tempo_confidence=0.5, tempo_candidates=tempos))
    sure = tags_of(rhythm=Rhythm(tempo_bpm=170, tempo_confidence=0.95))
    assert unsure == {"tempo:fast": 0.5, "tempo:half-time": pytest.approx(0.45 / 0.95)}
    assert sure == {"tempo:fast": 0.95}


def test_a_tempo_that_is_a_guess_has_no_class():
    assert tags_of(rhythm=Rhythm(tempo_bpm=120, tempo_confidence=0.2)) == {}


@pytest.mark.parametrize(("bpm", "name"), [(89.9, "slow"), (90, "medium"), (130, "fast")])
def test_at_a_border_a_class_is_as_likely_as_its_neighbour(bpm, name):
    found = tags_of(rhythm=Rhythm(tempo_bpm=bpm, tempo_confidence=1.0))
    assert found == {f"tempo:{name}": pytest.approx(0.5, abs=0.02)}


def test_an_unsure_key_is_not_named():
    assert tags_of(tonal=Tonal(key="A", mode="minor", key_confidence=0.4)) == {}


@pytest.mark.parametrize(
    ("lufs", "name"),
    [(-30, "very-quiet"), (-23, "broadcast"), (-18, "quiet"), (-14, "streaming"), (-9, "loud")],
)
def test_loudness_is_classed_by_what_services_play(lufs, name):
    assert f"loudness:{name}" in tags_of(loudness=Loudness(integrated_lufs=lufs))


@pytest.mark.parametrize(
    ("changed", "form"),
    [
        ({}, "loop"),
        ({"duration_s": 8.2}, "phrase"),  # 16.4 beats
        ({"duration_s": 7.0}, "phrase"),  # 14 beats: no whole bars
        ({"confidence": 0.4}, "phrase"),
        ({"last": 3.0}, "phrase"),  # it rings out
        ({"duration_s": 64.0, "last": 63.0}, "piece"),
        ({"duration_s": 1.0, "last": 0.9}, "one-shot"),  # half a bar
    ],
)
def test_a_loop_is_whole_bars_of_a_sure_tempo_that_play_to_the_end(changed, form):
    given = {"duration_s": 8.0, "confidence": 0.9, "last": 7.5, **changed}
    found = tags_of(
        media=Media(duration_s=given["duration_s"]),
        rhythm=Rhythm(tempo_bpm=120, tempo_confidence=given["confidence"]),
        onsets=Onsets(onsets_s=(0.0, given["last"]), onset_count=16),
    )
    assert [name for name in found if name.startswith("form:")] == [f"form:{form}"]


@pytest.mark.parametrize(
    ("speech_share", "silence_share", "speech_s", "form"),
    [
        (0.9, 0.0, 3.6, "speech"),
        (0.3, 0.5, 1.2, "speech"),  # of what sounds
        (0.4, 0.1, 1.6, "one-shot"),
        (0.0, 1.0, 0.0, "one-shot"),
        (0.9, 0.0, 0.2, "one-shot"),  # shorter than a word
        (0.9, 0.0, 90.0, "speech"),  # of any length
    ],
)
def test_what_is_mostly_speech_is_speech(speech_share, silence_share, speech_s, form):
    duration_s = max(speech_s / max(speech_share, 0.1), 0.5)
    found = tags_of(
        media=Media(duration_s=duration_s),
        rhythm=Rhythm(beat_count=0),
        onsets=Onsets(onsets_s=(0.0,), onset_count=1),
        speech=Speech(speech_share=speech_share, silence_share=silence_share, speech_s=speech_s),
    )
    assert [name for name in found if name.startswith("form:")] == [f"form:{form}"]


def test_the_form_of_recordings_is_that_of_their_folders(samples: Path):
    """The limits were chosen on such recordings: this keeps what they reach there."""
    features = (Feature.INSIGHTS,)

    def forms(*patterns):
        paths = [path for pattern in patterns for path in sorted(samples.glob(pattern))]
        found = (analyze(path, features).insights for path in paths)
        return [next(t.name for t in one.tags if t.name.startswith("form:")) for one in found]

    loops = forms("loops/*.wav", "music/loop_*.flac")
    assert loops == ["form:loop"] * 7
    others = forms("oneshots/*.wav", "oneshots/*.ogg", "notes/*.wav", "music/music_*.ogg")
    assert "form:loop" not in others
    drums = forms("oneshots/kick*.wav", "oneshots/snare*.wav", "oneshots/hihat*.wav")
    assert set(drums) == {"form:one-shot"}
    assert set(forms("speech/*", "oneshots/voice_*.wav")) == {"form:speech"}
    assert "form:speech" not in [*loops, *drums, *forms("music/*", "stems/*.mp3")]


def test_the_engine_computes_what_insights_need_and_gives_what_was_asked_for(piece_path):
    result = analyze(piece_path, ["insights", "onsets"])
    assert {*result.to_dict()} == {"insights", "onsets"}
    assert result.insights is not None
    assert {"form:piece", "form:phrase"} & {tag.name for tag in result.insights.tags}
    assert result.insights.camelot == "8A"  # it is composed in A minor
