"""A report is a page and its figures, of what its filter finds, and nothing in it can be markup."""

import json
import random
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from google.protobuf.json_format import ParseDict

from harken.jobs import cancellation, clock
from harken.jobs.collection import rows
from harken.jobs.collection.extent import Extent
from harken.jobs.collection.measures import PATHS
from harken.jobs.collection.report import Report
from harken.jobs.collection.statistics import Statistics
from harken.jobs.files import artifacts
from harken.jobs.job import JobKind
from harken.jobs.queries import JobFilter
from harken.jobs.state import JobState
from harken.media.storage import Storage
from harken.tasks.report.document import document
from harken.v1.collection_pb2 import CollectionStatistics
from tests.tasks.test_export import START, add_jobs

ASKED = ["media", "rhythm", "tonal", "spectral", "loudness", "onsets"]


def song(tempo=120.0, key="A", mode="minor", lufs=-14.0, peak=-1.0, duration=200.0, **more):
    """The result of a song."""
    return {
        "media": {
            "duration_s": duration,
            "codec": "flac",
            "container": "flac",
            "sample_rate_hz": 44100,
            "channels": 2,
            "bit_rate": 900_000,
        },
        "rhythm": {"tempo_bpm": tempo, "beats_s": [0.5, 1.0]},
        "tonal": {"key": key, "mode": mode},
        "spectral": {"centroid_hz_mean": 1800.0},
        "loudness": {"integrated_lufs": lufs, "range_lu": 6.0, "true_peak_dbtp": peak},
        "onsets": {"rate_hz": 3.2},
        **more,
    }


def spec(title="", **where):
    return Report(where=JobFilter(**where), title=title).to_spec()


def made_by(hands, wanted):
    """The figures and the page of a report."""
    job = hands.run(JobKind.REPORT, wanted)
    assert job.state is JobState.SUCCEEDED, job.error
    storage = Storage(hands.settings.storage_url)
    files = {}
    with hands.database.read() as connection:
        for one in artifacts.of_job(connection, job.job_id, owner=job.owner):
            _, stored = artifacts.get_artifact(connection, one.artifact_id, owner=job.owner)
            files[one.name, one.media_type] = b"".join(storage.read(stored.key, end=stored.size))
    page = files.pop(("report.html", "text/html; charset=utf-8"))
    figures = files.pop(("statistics.json", "application/json"))
    assert not files
    return json.loads(figures), page.decode()


class Markup(HTMLParser):
    """The elements of a page, as a browser reads them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Keeps an element."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        """Keeps a text."""
        self.texts.append(data)


def test_a_report_has_its_page_and_the_same_figures_as_the_contract_has_them(hands):
    add_jobs(hands.database, 3, result=song(), features=ASKED)
    add_jobs(hands.database, 1, result=song(tempo=None, key=None, peak=0.4), features=ASKED)
    why = {"error_kind": "INPUT", "error_reason": "EMPTY_FILE"}
    add_jobs(hands.database, 1, state="FAILED", **why)
    add_jobs(hands.database, 2, owner="another", result=song(), features=ASKED)
    figures, page = made_by(hands, spec())
    found = ParseDict(figures, CollectionStatistics())
    assert (found.job_count, found.result_count, found.duration_s) == (5, 4, 800.0)
    assert {one.name: one.count for one in found.states.shares} == {"SUCCEEDED": 4, "FAILED": 1}
    assert [one.name for one in found.failures.shares] == ["INPUT EMPTY_FILE"]
    assert (found.tempo.count, found.tempo.none_count) == (3, 1)
    assert (found.keys.count, found.keys.none_count, len(found.keys.shares)) == (3, 1, 24)
    assert found.true_peak_over_count == 1
    text = " ".join(Markup(page).texts)
    for words in ("All analyses", "120.0 bpm", "INPUT EMPTY_FILE", "A minor", "−14.0 LUFS"):
        assert words in text


def test_every_plot_is_told_in_words_and_stands_in_a_table(hands):
    add_jobs(hands.database, 3, result=song(), features=ASKED)
    _, page = made_by(hands, spec())
    markup = Markup(page)
    pictures = markup.attributes.count(("role", "img"))
    assert pictures == 9
    assert markup.tags.count("desc") == pictures
    assert markup.tags.count("details") == pictures
    assert markup.tags.count("table") >= pictures
    assert ("lang", "en") in markup.attributes
    labelled = [value for name, value in markup.attributes if name == "aria-labelledby"]
    ids = {value for name, value in markup.attributes if name == "id"}
    assert {one for label in labelled for one in label.split()} <= ids


def test_the_page_asks_for_nothing_and_runs_nothing(hands):
    add_jobs(hands.database, 3, result=song(), features=ASKED)
    _, page = made_by(hands, spec())
    markup = Markup(page)
    assert not {"script", "link", "img", "iframe", "object", "use", "image", "a"} & {*markup.tags}
    names = {name for name, _ in markup.attributes}
    assert not {name for name in names if name.startswith("on")}
    assert not {"src", "href", "xlink:href", "style", "action"} & names
    assert "url(" not in page
    assert "@import" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert ("http-equiv", "Content-Security-Policy") in markup.attributes


HOSTILE = (
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><svg onload=alert(1)>",
    "'; alert(1); //<!--",
    "]]><a href='javascript:alert(1)'>x</a>",
    "&lt;script&gt;\x00\x1b[31m\u202e",
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_text(hostile):
    """In the title, labels, and whatever a result can say."""
    label = {"set": hostile}
    markup = Markup(page_of(hostile, title=hostile, labels=label))
    labelled = Markup(page_of(hostile, title="", labels=label))
    harmless = Markup(page_of("plain", title="plain", labels={"set": "plain"}))
    assert markup.tags == harmless.tags
    assert [name for name, _ in markup.attributes] == [name for name, _ in harmless.attributes]
    assert not {"\x00", "\x1b", "\u202e"} & {*page_of(hostile, title=hostile, labels=label)}
    shown = hostile.partition("\x00")[0]
    assert sum(text.count(shown) for text in markup.texts) >= 7
    assert any(f"set = {shown}" in text for text in labelled.texts)


def page_of(name, *, title, labels):
    """The page of a collection in which all that can have a name has this one."""
    found = {
        **{path: name for path in PATHS if path.startswith("media.")},
        "media.duration_s": 60.0,
        "rhythm.tempo_bpm": 120.0,
        "errors": [{"feature": f"FEATURE_{name}", "reason": name}],
        "quality.problems": [{"kind": name}],
    }
    asked = json.dumps([*ASKED, "quality"])
    rows = [
        SimpleNamespace(
            state="SUCCEEDED", features=asked, found=json.dumps([*map(found.get, PATHS)])
        ),
        SimpleNamespace(
            state="FAILED", features=asked, found=None, error_kind="INPUT", error_reason=name
        ),
    ]
    statistics = Statistics()
    statistics.add(rows)
    figures = statistics.to_dict(Extent(jobs=2, first_end_time=START, last_end_time=START))
    wanted = Report(where=JobFilter(labels=labels), title=title)
    return document(figures, wanted, made=START).decode()


def test_problems_of_quality_and_failed_features_are_counted(hands):
    clipping = {"kind": "KIND_CLIPPING", "severity": 2}
    problems = {"quality": {"problems": [clipping, clipping, {"kind": "KIND_HUM"}]}}
    asked = ["media", "quality"]
    add_jobs(hands.database, 2, result=problems, features=asked)
    add_jobs(hands.database, 3, result={"quality": {"problems": []}}, features=asked)
    failed = {"feature": "FEATURE_QUALITY", "kind": "KIND_INPUT", "reason": "TOO_SHORT"}
    add_jobs(hands.database, 1, result={"errors": [failed]}, features=asked)
    figures, _ = made_by(hands, spec())
    quality = figures["quality_problems"]
    assert {one["name"]: one["count"] for one in quality["shares"]} == {"CLIPPING": 2, "HUM": 2}
    assert (quality["count"], quality["none_count"]) == (2, 3)
    assert [one["name"] for one in figures["feature_errors"]["shares"]] == ["quality TOO_SHORT"]


def test_a_report_is_of_what_its_filter_finds(hands):
    add_jobs(hands.database, 2, result=song(tempo=90.0), features=ASKED, labels={"set": "a"})
    add_jobs(hands.database, 3, result=song(), features=ASKED)
    hands.run(JobKind.REPORT, spec())  # reports are no analyses

    def jobs(**where):
        return made_by(hands, spec(**where))[0]["job_count"]

    assert jobs() == 5
    assert jobs(labels={"set": "a"}) == 2
    assert jobs(states=(JobState.FAILED,)) == 0
    assert jobs(ended_after=START) == 5
    assert jobs(ended_before=START) == 0


def test_a_report_on_nothing_is_a_page(hands):
    figures, page = made_by(hands, spec(labels={"set": "none"}))
    assert figures["job_count"] == 0
    assert "median" not in figures["tempo"]
    assert "Nothing to show." in page


def test_every_job_is_counted_once_however_they_fall_into_pages(hands, monkeypatch):
    monkeypatch.setattr(rows, "FIRST_PAGE", 3)
    monkeypatch.setattr(rows, "LEAST_PAGE", 5)
    monkeypatch.setattr(rows, "LARGEST_PAGE", 7)
    monkeypatch.setattr("harken.tasks.progress.FLUSH_EVERY_S", 0.0)
    add_jobs(hands.database, 100, result=song(), features=ASKED)
    figures, _ = made_by(hands, spec())
    assert figures["job_count"] == 100
    fractions = [tick["fraction"] for tick in hands.ticks]
    assert fractions == sorted(fractions)
    assert (fractions[-1], hands.ticks[-1]["message"]) == (1.0, "100 of 100 analyses")


def test_a_cancelled_report_stops_and_leaves_no_file(hands, monkeypatch):
    add_jobs(hands.database, 5, result=song(), features=ASKED)
    job_id = hands.submit(JobKind.REPORT, spec())
    page = rows.page

    def endless(connection, *arguments, **options):
        with hands.database.write() as other:
            cancellation.cancel_job(other, job_id, owner="local", now=clock.now(other))
        return page(connection, *arguments, **{**options, "after_id": None})

    monkeypatch.setattr("harken.tasks.report.body.page", endless)
    assert hands.attempt(job_id).state is JobState.CANCELLED
    with hands.database.read() as connection:
        assert artifacts.of_job(connection, job_id, owner="local") == ()


def test_pictures_hold_their_bars_whatever_the_values(hands):
    """At the ends of the scales too: what is below the first bound, above the last, all alike."""
    chance = random.Random(1)
    for values in ([5.0], [500.0], [5.0, 500.0], [chance.uniform(20, 300) for _ in range(50)]):
        for tempo in values:
            add_jobs(hands.database, 1, result=song(tempo=tempo), features=ASKED)
        _, page = made_by(hands, spec())
        svg = page[page.index("<svg") : page.index("</svg>") + 6]
        root = ElementTree.fromstring(svg)  # our own
        for one in root.iter("rect"):
            assert 0 <= float(one.get("x")) <= 560
            assert float(one.get("x")) + float(one.get("width")) <= 561
            assert 0 <= float(one.get("y")) <= 230
            assert float(one.get("height")) >= 0
