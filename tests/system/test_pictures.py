"""Pictures and videos, from the command line to the files and the terminal of this machine."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.system.test_made_files import run

KINDS = ("waveform", "mel-spectrogram", "chromagram", "tempogram", "loudness")


@pytest.fixture(scope="module")
def newest(system):
    """The id of the job that was submitted last."""
    return lambda: next(iter(system.client.list_jobs(page_size=1))).job_id


def test_a_jobs_pictures_are_files_and_are_shown_in_the_terminal(system, media, tmp_path, newest):
    run(system, "submit", str(media / "piece.flac"), "--pictures", "width=800,light", "--watch")
    job_id = newest()
    shown = run(system, "show", job_id, "--save", str(tmp_path))
    for kind in KINDS:
        assert kind.replace("-", " ") in shown
        picture = Image.open(io.BytesIO((tmp_path / f"{kind}.png").read_bytes()))
        assert picture.size == (800, 500)
        assert len(set(np.asarray(picture.convert("L")).ravel().tolist())) > 5
    one = run(system, "show", job_id, "--kind", "loudness")
    titles = [
        line for line in one.splitlines() if line in {kind.replace("-", " ") for kind in KINDS}
    ]
    assert titles == ["loudness"]
    artifacts = {artifact.name: artifact for artifact in system.client.media.artifacts(job_id)}
    assert set(artifacts) == {f"{kind}.png" for kind in KINDS} | {"peaks.json", "peaks.dat"}
    path = system.client.media.download(artifacts["peaks.json"].artifact_id, tmp_path)
    peaks = json.loads(path.read_text())
    assert len(peaks["data"]) == 2 * peaks["channels"] * peaks["length"]


def test_a_job_without_pictures_says_how_to_get_some(system, media, newest):
    run(system, "submit", str(media / "piece.flac"), "--features", "media", "--watch")
    refused = run(system, "show", newest(), ends_with=2)
    assert "has no such pictures. Run: harken submit" in refused
    assert "--pictures all --watch" in refused


def test_a_file_is_shown_without_a_server(system, media, tmp_path):
    shown = run(
        system, "show", str(media / "piece.flac"), "--kind", "waveform", "--save", str(tmp_path)
    )
    assert "Tempo" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["waveform.png"]


def test_a_film_has_its_facts_stills_and_proxy(system, samples, tmp_path, newest):
    film = samples / "video" / "video_nasa_h264.mp4"
    wanted = ("--video", "at=2,sheet=3x2,proxy", "--upload", "always", "--watch")
    shown = run(system, "submit", str(film), *wanted)
    assert "480 × 270, 29.97 fps, h264 in mp4" in shown
    run(system, "download", newest(), "--to", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        "thumbnail.jpg",
        "contact-sheet.jpg",
        "proxy.mp4",
    }
    with Image.open(tmp_path / "thumbnail.jpg") as still:
        assert still.size == (480, 270)


def test_the_state_of_a_file_and_what_the_rest_means_are_told(system, media):
    features = "media,rhythm,tonal,loudness,quality,insights,speech"
    shown = run(system, "submit", str(media / "piece.flac"), "--features", features, "--watch")
    for line in ("Quality", "Speech", "About", "Mixes with"):
        assert line in shown
    assert "form:" in shown
