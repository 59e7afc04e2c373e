"""Transcripts of jobs: by a real Whisper that speaks nonsense, with captions as their artifact."""

import pytest
import soundfile

from harken.jobs.job import ErrorKind
from harken.jobs.options import Options, TranscriptOptions
from harken.jobs.state import JobState
from tests.audio.spoken import RATE, speak
from tests.audio.transcription.tiny_whisper import write_model
from tests.tasks.test_made_files import made  # noqa: F401  # a fixture

WORDS = Options(transcript=TranscriptOptions(language="en", words=True))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def said(made):  # noqa: F811
    soundfile.write(made.source, speak(3).samples, RATE, format="WAV")
    return made


def test_speech_is_written_down_with_its_captions(said, folder):
    job, result, files = said("speech", "transcript", options=WORDS, transcription_model=folder)
    assert job.state is JobState.SUCCEEDED, job.error
    transcript = result["transcript"]
    assert (transcript["language"], transcript["model"]) == ("en", "tiny")
    assert transcript["text"]
    assert transcript["segment_count"] == len(transcript["segments"])
    assert transcript["word_count"] == len(transcript["words"])
    assert transcript["heard_s"] <= 9.0
    assert transcript["artifact_name"] == "transcript.vtt"
    assert files["transcript.vtt"].startswith(b"WEBVTT\n\n00:00:0")
    assert result["speech"]["segment_count"] == 3


def test_speech_is_found_for_a_transcript_alone_and_not_told(said, folder):
    _, result, _ = said("transcript", transcription_model=folder)
    assert list(result) == ["transcript"]
    assert 0 < result["transcript"]["language_probability"] <= 1


def test_music_has_nothing_to_be_written_down_but_where_all_is_to_be_heard(made, folder):  # noqa: F811
    _, result, files = made("transcript", transcription_model=folder)
    assert result["transcript"]["segment_count"] == 0
    assert files == {"transcript.vtt": b"WEBVTT\n"}
    everything = Options(transcript=TranscriptOptions(language="de", whole=True))
    _, result, _ = made("transcript", options=everything, transcription_model=folder)
    assert result["transcript"]["segment_count"] > 0


def test_another_model_is_not_answered_with_the_transcript_of_the_one_before(said, tmp_path):
    path = write_model(tmp_path / "model")
    first, _, _ = said("transcript", transcription_model=str(path))
    again, _, _ = said("transcript", transcription_model=str(path))
    write_model(path, seed=1)
    other, _, _ = said("transcript", transcription_model=str(path))
    assert again.cached_from == first.job_id
    assert other.cached_from is None


def test_without_a_model_the_others_are_there_and_the_error_says_what_to_do(said):
    job, result, files = said("media", "transcript")
    (error,) = result["errors"]
    assert (job.state, files) == (JobState.SUCCEEDED, {})
    assert (error["kind"], error["reason"]) == ("KIND_INTERNAL", "MODEL_NOT_CONFIGURED")
    assert "HARKEN_TRANSCRIPTION_MODEL" in error["message"]
    alone, _, _ = said("transcript")
    assert (alone.error.kind, alone.error.reason) == (ErrorKind.INTERNAL, "MODEL_NOT_CONFIGURED")
