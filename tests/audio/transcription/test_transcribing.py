"""Speech as text by a real Whisper that speaks nonsense: loading, times, languages, and what goes wrong."""

import io
import shutil
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from harken.audio.blocks import Floats, SoundBlock
from harken.audio.separation.model_file import ModelError
from harken.audio.transcription import transcribing
from harken.audio.transcription.pieces import LONGEST_S, MARGIN_S, pieces, whole
from harken.audio.transcription.result import TranscriptWord
from harken.audio.transcription.sound import SAMPLE_RATE, SpeechSound
from harken.audio.transcription.transcriber import Part, Transcriber, Wanted
from harken.audio.transcription.transcribing import transcribe
from harken.audio.transcription.whisper import Whisper, identity_of, load_whisper
from tests.audio.spoken import RATE, speak
from tests.audio.transcription.tiny_whisper import LANGUAGES, write_model


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def whisper(folder: Path) -> Whisper:
    return load_whisper(str(folder), 1)


class Scripted:
    """A back end that says what piece it hears: a part a second."""

    name = "scripted"

    def languages(self, samples: Floats) -> dict[str, float]:  # noqa: ARG002, D102  # as the interface has it
        return {"en": 0.25, "de": 0.75}

    def parts(self, samples: Floats, wanted: Wanted) -> Iterator[Part]:  # noqa: D102
        assert wanted.language is not None
        for second in range(int(samples.shape[0] / SAMPLE_RATE)):
            word = TranscriptWord(
                start_s=second, end_s=second + 0.5, text=f"w{second}", confidence=0.5
            )
            yield Part(
                start_s=second,
                end_s=second + 1.0,
                text=f"s{second} <b> --> &",
                confidence=0.5,
                words=(word,) if wanted.words else (),
            )


def sound_of(samples: Floats, rate: int = RATE) -> SpeechSound:
    sound = SpeechSound()
    for start in range(0, samples.shape[0], 10_000):
        part = samples[None, start : start + 10_000].astype(np.float32)
        sound.on_sound(SoundBlock(samples=part, sample_rate=rate, channels=("FC",)))
    sound.finish()
    return sound


@pytest.fixture(scope="module")
def sound() -> Iterator[SpeechSound]:
    made = sound_of(speak(4).samples)
    yield made
    made.close_file()


@pytest.mark.parametrize("back_end", ["whisper", "scripted"])
def test_a_back_end_gives_parts_within_the_piece_and_languages_with_their_probability(
    back_end: str, whisper: Whisper, sound: SpeechSound
) -> None:
    transcriber: Transcriber = whisper if back_end == "whisper" else Scripted()
    samples = sound.read(0.0, 10.0)
    assert samples.shape == (10 * SAMPLE_RATE,)
    chances = transcriber.languages(samples)
    assert set(chances) == set(LANGUAGES)
    assert sum(chances.values()) == pytest.approx(1.0, abs=1e-3)
    parts = list(transcriber.parts(samples, Wanted(language="en", words=True)))
    assert parts
    for part in parts:
        assert 0.0 <= part.start_s <= part.end_s <= LONGEST_S
        assert part.confidence is None or 0.0 <= part.confidence <= 1.0
        assert all(0.0 <= (word.confidence or 0) <= 1.0 for word in part.words)
    assert any(part.words for part in parts)


def test_a_real_model_writes_a_recording_down(whisper: Whisper, sound: SpeechSound) -> None:
    captions, ticks = io.BytesIO(), []
    spans = [(0.5, 4.0), (4.5, 9.0)]
    found = transcribe(
        *(sound, spans, whisper, Wanted(words=True), captions),
        lambda heard, total: ticks.append((heard, total)),
    )
    assert found.language in LANGUAGES
    assert 0.5 <= (found.language_probability or 0) <= 1.0
    assert found.text
    assert found.segment_count == len(found.segments) > 0
    assert found.word_count == len(found.words) > 0
    assert all(0.5 <= (s.start_s or 0) <= (s.end_s or 0) <= 9.0 for s in found.segments)
    assert found.model == "tiny"
    assert found.heard_s == 8.0
    heard = [one for one, _ in ticks]
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 8.0)
    assert captions.getvalue().count(b" --> ") == found.segment_count


def test_times_are_the_recordings_and_captions_are_sound(sound: SpeechSound) -> None:
    captions = io.BytesIO()
    found = transcribe(
        *(sound, [(1.0, 3.0), (5.0, 6.5)], Scripted(), Wanted(words=True), captions),
        lambda *_: None,
    )
    assert (found.language, found.language_probability) == ("de", 0.75)
    assert [s.start_s for s in found.segments] == [1.0, 2.0, 5.0]
    assert [(w.start_s, w.end_s) for w in found.words] == [(1.0, 1.5), (2.0, 2.5), (5.0, 5.5)]
    assert captions.getvalue().decode().splitlines()[:4] == [
        "WEBVTT", "", "00:00:01.000 --> 00:00:02.000", "s0 &lt;b&gt; --&gt; &amp;",
    ]  # fmt: skip


def test_a_language_that_is_given_is_taken_as_certain(sound: SpeechSound) -> None:
    found = transcribe(
        sound, [(0.0, 2.0)], Scripted(), Wanted(language="fr"), io.BytesIO(), lambda *_: None
    )
    assert (found.language, found.language_probability, found.word_count) == ("fr", None, None)


def test_lists_are_cut_and_counts_stay_true(
    sound: SpeechSound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcribing, "MAX_TIMES", 3)
    monkeypatch.setattr(transcribing, "MAX_WORDS", 2)
    monkeypatch.setattr(transcribing, "MAX_CHARS", 20)
    captions = io.BytesIO()
    wanted = Wanted(language="en", words=True)
    found = transcribe(sound, [(0.0, 8.0)], Scripted(), wanted, captions, lambda *_: None)
    assert (len(found.segments), found.segment_count) == (3, 8)
    assert (len(found.words), found.word_count) == (2, 8)
    assert len(found.text or "") == 20
    assert captions.getvalue().count(b" --> ") == 8


def test_it_stops_between_parts_when_it_has_to(sound: SpeechSound, whisper: Whisper) -> None:
    class Stopped(Exception):
        pass

    heard: list[float] = []

    def stop(seconds: float, _total: float) -> None:
        heard.append(seconds)
        if seconds > 0:
            raise Stopped

    for back_end in (Scripted(), whisper):
        heard.clear()
        with pytest.raises(Stopped):
            transcribe(sound, [(0.0, 8.0)], back_end, Wanted(language="en"), io.BytesIO(), stop)
        assert sum(seconds > 0 for seconds in heard) == 1


def test_nothing_said_is_an_empty_text(sound: SpeechSound) -> None:
    found = transcribe(sound, [], Scripted(), Wanted(), io.BytesIO(), lambda *_: None)
    assert (found.language, found.text, found.segment_count) == (None, "", 0)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_the_sound_that_is_kept_is_the_recordings_at_16_khz(rate: int) -> None:
    time = np.arange(3 * rate) / rate
    kept = sound_of((0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), rate)
    assert kept.duration_s == pytest.approx(3.0, abs=1e-3)
    found = kept.read(1.0, 2.0)
    expected = 0.5 * np.sin(2 * np.pi * 440 * (1.0 + np.arange(SAMPLE_RATE) / SAMPLE_RATE))
    assert np.abs(found - expected).max() < 0.002
    kept.close_file()


def test_pieces_hold_all_speech_and_end_in_pauses() -> None:
    rng = np.random.default_rng(0)
    edges = np.cumsum(rng.uniform(0.3, 9.0, 400))
    speech = [(float(a), float(b)) for a, b in edges.reshape(-1, 2)]
    duration_s = speech[-1][1] + 0.05
    cut = list(pieces(speech, duration_s))
    assert all(0 < end - start <= LONGEST_S for start, end in cut)
    assert all(a[1] <= b[0] for a, b in pairwise(cut))
    for start, end in speech:
        assert any(a <= start and end <= b for a, b in cut)
    assert cut[0][0] == pytest.approx(speech[0][0] - MARGIN_S)
    assert cut[-1][1] <= duration_s


def test_a_breathless_hour_is_cut_all_the_same() -> None:
    for speech in ([(0.0, 3_605.0)], whole(3_605.0)):
        cut = list(pieces(speech, 3_605.0))
        assert sum(end - start for start, end in cut) == pytest.approx(3_605.0)
        assert max(end - start for start, end in cut) <= LONGEST_S
    assert list(pieces([], 10.0)) == whole(0.0) == []


def test_a_model_of_which_something_is_missing_is_refused_without_a_network(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="HARKEN_TRANSCRIPTION_MODEL") as refused:
        load_whisper("", 1)
    assert refused.value.reason == "MODEL_NOT_CONFIGURED"
    with pytest.raises(ModelError, match="no folder") as refused:
        load_whisper(str(tmp_path / "nothing"), 1)
    assert refused.value.reason == "MODEL_UNREADABLE"
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"lacks tokenizer\.json"):
        load_whisper(str(broken), 1)
    (broken / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="no Whisper model"):
        load_whisper(str(broken), 1)
    shutil.copy(folder / "tokenizer.json", broken)
    (broken / "model.bin").write_bytes(b"nonsense" * 100)
    with pytest.raises(ModelError, match="no Whisper model"):
        load_whisper(str(broken), 1)


def test_without_the_package_it_says_what_to_install(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ModelError, match=r"harken\[transcription\]") as refused:
        load_whisper(str(shutil.copytree(folder, tmp_path / "copy")), 1)
    assert refused.value.reason == "MODEL_RUNTIME_MISSING"


def test_a_language_that_the_model_does_not_know_is_named(
    whisper: Whisper, sound: SpeechSound
) -> None:
    with pytest.raises(ModelError, match="xx") as refused:
        list(whisper.parts(sound.read(0.0, 1.0), Wanted(language="xx")))
    assert refused.value.reason == "LANGUAGE_NOT_KNOWN_TO_MODEL"


def test_a_model_is_loaded_once_and_again_once_it_has_changed(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    first, before = load_whisper(str(copy), 1), identity_of(str(copy))
    assert load_whisper(str(copy), 1) is first
    write_model(copy, seed=1)
    assert identity_of(str(copy)) != before
    assert load_whisper(str(copy), 1) is not first
