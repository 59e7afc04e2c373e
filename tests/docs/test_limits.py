"""The published limits are those of the code."""

import re

import pytest

from harken.audio import MAX_TIMES
from harken.audio.annotations.cues import MOST_CUES
from harken.audio.annotations.sampler import MOST_LOOPS
from harken.audio.annotations.text import MOST_CHARS
from harken.audio.container import LARGEST_PIXELS
from harken.audio.limits import ALWAYS_S, LEAST_BYTES_A_SECOND
from harken.audio.media import MAX_TAG_CHARS, MAX_TAGS
from harken.audio.transcription.transcribing import MAX_CHARS, MAX_WORDS
from harken.audio.video.probe import MOST_STREAMS
from harken.jobs.collection.breakdown import LONGEST_NAME, MOST_NAMES
from harken.jobs.job import DEFAULT_PRIORITY
from harken.jobs.options import (
    DEFAULT_CEILING_DBTP,
    DEFAULT_PROXY_FPS,
    DEFAULT_PROXY_HEIGHT,
    DEFAULT_SHEET,
    DEFAULT_SHEET_WIDTH,
    DEFAULT_SILENCE_DBFS,
    DEFAULT_THUMBNAIL_HEIGHT,
    PicturesOptions,
)
from harken.jobs.retry import LONGEST_DELAY_S
from harken.jobs.similarity.search import MOST_FOUND
from harken.jobs.standing import MOST_RUNNING
from harken.jobs.upkeep.retention import ACTIONS_KEPT
from harken.media import listing
from harken.media.https_source import IDLE_S, MOST_REDIRECTS
from harken.media.uri import LONGEST_URI_BYTES
from harken.server import options, picture_options, serve, sounds, validate, video_options
from harken.server.access.keyring import HOLDS_FOR_S
from harken.server.collection_service import LONGEST_READ_S
from harken.server.collection_service import MOST_JOBS as MOST_COLLECTED
from harken.server.collections import LONGEST_TITLE
from harken.server.interceptors.arrival import ARRIVES_WITHIN_S
from harken.server.job_service import LARGEST_PAGE_BYTES, MOST_ARTIFACTS
from harken.server.media import upload_request
from harken.server.media.reception import LONGEST_SILENCE_S
from harken.server.media.source_listings import DEFAULT_LISTED, LARGEST_LISTED
from harken.server.progress.batch_stream import SNAPSHOT_EVERY_S
from harken.server.progress.messages import MOST_EVENTS
from harken.server.progress.wakeups import DEFAULT_HEARTBEAT
from harken.server.progress.watcher import LONGEST_BACKLOG
from harken.server.similarity_service import LONGEST_LOOK_S, LONGEST_WAIT_S
from harken.settings import Settings
from harken.tasks.queues import HIGHEST_PRIORITY
from tests.docs.examples import REPOSITORY

MIB = 1024 * 1024
SETTINGS = Settings()
OPTIONS = dict(serve.OPTIONS)
PING_S = OPTIONS["grpc.http2.min_ping_interval_without_data_ms"] // 1000


def between(ends: tuple[float, float], unit: str) -> str:
    """A range as the page has it."""
    return " to ".join(f"{end:,.0f}" for end in ends) + f" {unit}"


PICTURES = PicturesOptions()

LIMITS = {
    "size of a request": f"{OPTIONS['grpc.max_receive_message_length'] // MIB} MiB",
    "items of a batch": f"{validate.MOST_ITEMS:,}",
    "jobs of a retry or dismissal": f"{validate.MOST_JOBS:,}",
    "path of a source": f"{validate.LONGEST_PATH_BYTES:,} bytes",
    "URI of a source": f"{LONGEST_URI_BYTES:,} bytes",
    "place to list": f"{validate.LONGEST_PATH_BYTES:,} bytes",
    "labels of a job": f"{validate.MOST_LABELS}",
    "key of a label": f"1 to {validate.LONGEST_LABEL_KEY} characters",
    "value of a label": f"{validate.LONGEST_LABEL_VALUE} characters",
    "priority": f"0 to {HIGHEST_PRIORITY}, {HIGHEST_PRIORITY} the most urgent; {DEFAULT_PRIORITY} when unset",
    "`schedule_timeout`": f"{validate.SHORTEST_SCHEDULE_TIMEOUT.seconds} s to"
    f" {validate.LONGEST_SCHEDULE_TIMEOUT.days} days; for ever when unset",
    "`sample_rate_hz` of a prepared file": between(options.SAMPLE_RATES_HZ, "Hz"),
    "`loudness_lufs` of a prepared file": between(options.LOUDNESSES_LUFS, "LUFS"),
    "`true_peak_ceiling_dbtp` of a prepared file": between(options.CEILINGS_DBTP, "dBTP")
    + f"; {DEFAULT_CEILING_DBTP:g} when unset",
    "`prompt` of a transcript": f"{options.LONGEST_PROMPT:,} characters",
    "`silence_threshold_dbfs` of a prepared file": between(options.THRESHOLDS_DBFS, "dBFS")
    + f"; {DEFAULT_SILENCE_DBFS:g} when unset",
    "`thumbnail_times_s` of a video": f"{video_options.MOST_THUMBNAILS} times,"
    f" {between(video_options.THUMBNAIL_TIMES_S, 's')}",
    "`thumbnail_height` of a video": between(video_options.THUMBNAIL_HEIGHTS, "pixels")
    + f"; {DEFAULT_THUMBNAIL_HEIGHT} when unset",
    "`sheet_columns` of a video": between(video_options.SHEET_COLUMNS, "columns")
    + f"; {DEFAULT_SHEET[0]} when unset",
    "`sheet_rows` of a video": between(video_options.SHEET_ROWS, "rows")
    + f"; {DEFAULT_SHEET[1]} when unset",
    "`sheet_width` of a video": between(video_options.SHEET_WIDTHS, "pixels")
    + f"; {DEFAULT_SHEET_WIDTH:,} when unset",
    "`proxy_height` of a video": between(video_options.PROXY_HEIGHTS, "pixels")
    + f"; {DEFAULT_PROXY_HEIGHT} when unset",
    "`proxy_fps` of a video": between(video_options.PROXY_FPS, "frames a second")
    + f"; {DEFAULT_PROXY_FPS:g} when unset",
    "title of a report": f"{LONGEST_TITLE} characters",
    "`width` of a picture": between(picture_options.WIDTHS, "pixels")
    + f"; {PICTURES.width:,} when unset",
    "`height` of a picture": between(picture_options.HEIGHTS, "pixels")
    + f"; {PICTURES.height:,} when unset",
    "`scale` of a picture": between(picture_options.SCALES, "pixels a pixel")
    + f"; {PICTURES.scale} when unset",
    "chunk of an upload": f"{upload_request.LARGEST_CHUNK // MIB} MiB",
    "size of an uploaded file": f"{SETTINGS.max_upload_mb:,} MB",
    "name of an uploaded file": f"{upload_request.LONGEST_FILENAME} characters",
    "silence of an upload": f"{LONGEST_SILENCE_S:g} s",
    "metadata of a call, its key or token included": f"{serve.LARGEST_METADATA // 1024} KiB",
    "arrival of a request": f"{ARRIVES_WITHIN_S:g} s",
    "a revoked key is taken for": f"{HOLDS_FOR_S:g} s",
    "jobs, bytes, submits, streams and connections of an owner": "any number",
    "a `request_id` is known for": f"{SETTINGS.retention_days} days",
    "jobs of a page": f"{validate.LARGEST_PAGE:,}; {validate.DEFAULT_PAGE} when unset",
    "sounds of a page of a search": f"{sounds.MOST_SOUNDS}; {sounds.DEFAULT_SOUNDS} when unset",
    "sounds that a search finds": f"{MOST_FOUND:,} on all its pages",
    "groups of a page of duplicates": f"{sounds.MOST_GROUPS}; {sounds.DEFAULT_GROUPS} when unset",
    "time of a page of duplicates": f"{LONGEST_LOOK_S:g} s, or half of what the caller waits",
    "a search by a file waits for its analysis": f"as long as the caller, {LONGEST_WAIT_S:g} s",
    "files of a page of a listing": f"{LARGEST_LISTED:,}; {DEFAULT_LISTED:,} when unset",
    "time of a page of a listing": f"{listing.LONGEST_S:g} s",
    "folders in each other that are listed": f"{listing.MOST_LEVELS}",
    "jobs of statistics that are told at once": f"{MOST_COLLECTED:,}, read within {LONGEST_READ_S:g} s",
    "names of a breakdown that are kept apart": f"{MOST_NAMES}, of {LONGEST_NAME} characters",
    "size of a page": f"{LARGEST_PAGE_BYTES // MIB} MiB",
    "beats and onsets of a result": f"{MAX_TIMES:,} each",
    "segments of speech, and of a transcript": f"{MAX_TIMES:,} each",
    "words of a transcript": f"{MAX_WORDS:,}",
    "text of a transcript": f"{MAX_CHARS:,} characters",
    "tags of a result": f"{MAX_TAGS}, names and values of {MAX_TAG_CHARS:,} characters",
    "markers of a result": f"{MOST_CUES:,}, labels of {MOST_CHARS:,} characters",
    "loops of a result": f"{MOST_LOOPS}",
    "streams of a video's result": f"{MOST_STREAMS}",
    "the record of who retried, dismissed or cancelled what is kept for": f"{ACTIONS_KEPT.days} days",
    "a key that was revoked or has expired is listed for": f"{ACTIONS_KEPT.days} days",
    "artifacts that `GetJob` gives": f"{MOST_ARTIFACTS}",
    "an upload is kept for": f"{SETTINGS.upload_hours} h",
    "a job, its result and its log are kept for": f"{SETTINGS.retention_days} days",
    "`heartbeat_interval`": f"{validate.SHORTEST_HEARTBEAT.seconds} s to"
    f" {validate.LONGEST_HEARTBEAT.seconds // 3600} h; {DEFAULT_HEARTBEAT.seconds} s when unset",
    "snapshots of a batch": f"{1 / SNAPSHOT_EVERY_S:g} a second",
    "changes of state that wait for a slow reader": f"{LONGEST_BACKLOG:,}",
    "running jobs of a batch whose progress is sent with `include_items`": f"{MOST_RUNNING:,}",
    "events of a message": f"{MOST_EVENTS}",
    "a `resume_token` is good for": f"{SETTINGS.retention_days} days after the end of its job",
    "calls that wait to be begun": f"{OPTIONS['grpc.server.max_pending_requests']:,} for each",
    "pings of a client on an idle stream": f"every {PING_S} s",
    "connections of a server process": f"{serve.MOST_CONNECTIONS:,}, and {serve.SPARE_FILES} fewer",
    "calls of a connection": f"{serve.MOST_STREAMS:,} at once",
    "a handshake of TLS and HTTP/2": f"{serve.HANDSHAKE_WITHIN_MS // 1000} s",
    "silence of a connection": f"{serve.SILENT_FOR_MS // 1000} s, and {serve.ANSWER_WITHIN_MS // 1000} s more",
    "a connection without a call is kept for": f"{serve.IDLE_FOR_MS // 60_000} min",
    "a connection takes new calls for": f"{serve.OLD_AFTER_MS // 60_000} min",
    "length of a recording": f"{SETTINGS.max_audio_hours} h decoded",
    "sound in a file": f"{ALWAYS_S / 60:g} min and 1 s for every {LEAST_BYTES_A_SECOND} bytes",
    "pixels of a film's picture": f"{LARGEST_PIXELS:,}",
    "size of a fetched file": f"{SETTINGS.max_fetch_mb:,} MB",
    "time to fetch a file": f"{SETTINGS.fetch_timeout_s} s",
    "silence of a host while it is fetched": f"{IDLE_S:g} s",
    "redirects of an address": f"{MOST_REDIRECTS}",
    "time of a job": f"{SETTINGS.task_soft_time_limit_s:,} s, and killed after {SETTINGS.task_time_limit_s:,} s",
    "`run_timeout` of a job": f"more than 0, at most {SETTINGS.task_time_limit_s:,} s",
    "from a cancel, or the end of a `run_timeout`, to the kill": f"{SETTINGS.kill_after_s} s",
    "memory of a job's process": f"{SETTINGS.max_memory_per_child_mb:,} MB",
    "tries after a transient error": f"{SETTINGS.max_retries} (`HARKEN_MAX_RETRIES`),"
    f" at most {LONGEST_DELAY_S / 60:g} min apart",
    "deaths of a worker over one job": f"{SETTINGS.max_crashes} (",
    "open calls of a server that stops, jobs of a worker that stops": f"{SETTINGS.grace_period_s} s",
}


def published() -> dict[str, str]:
    """The rows of the page: limit and value."""
    text = (REPOSITORY / "docs" / "limits.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (.+?) \| .+ \|$", text, re.MULTILINE)
    return {limit: value for limit, value in rows if limit != "limit"}


def test_the_page_has_these_limits_and_no_others() -> None:
    assert list(published()) == list(LIMITS)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_published_limit_is_the_one_of_the_code(limit: str) -> None:
    assert published()[limit].startswith(LIMITS[limit])
