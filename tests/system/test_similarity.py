"""Search by sound through the whole system, with real recordings: by a file, by a job, from the shell."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harken.client import AsyncClient, Client, SoundClass
from tests.conftest import new_postgresql_database
from tests.data.variants import read, write
from tests.system.conftest import HARKEN, System, clean_environment, harken_up

FILES = (
    "oneshots/hihat_closed_439766__twentytwentymusic__electronic-closed-hat-9.wav",
    "oneshots/hihat_open_439820__twentytwentymusic__electronic-open-hat-7.wav",
    "oneshots/kick_347166__dvbeats__kick-drum-1.wav",
    "oneshots/kick_266764__hard3eat__synth-kick-3.wav",
    "loops/loop_Drums_170BPM.wav",
    "loops/loop_120-funkybeat.wav",
    "loops/loop_130-discobeat.wav",
    "loops/loop_Bass_A_Major_72BPM.wav",
    "speech/speech_cards_001.wav",
    "speech/speech_cards_002.wav",
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def library(
    request: pytest.FixtureRequest, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """A system that knows the files, and one of them in another form."""
    folder = tmp_path_factory.mktemp("library")
    sound, rate = read(samples / "loops/loop_Bass_A_Major_72BPM.wav")
    write(folder / "copy.mp3", sound[:, rate // 2 :] * 0.3, rate, "libmp3lame", 96_000)
    with (
        _database(request) as environment,
        harken_up(folder / "data", samples, folder, **environment) as running,
    ):
        names = [str(samples / name) for name in FILES]
        features = ["media", "rhythm", "tonal", "embedding"]
        batch = running.client.submit_batch([*names, str(folder / "copy.mp3")], features=features)
        assert batch.wait(timeout=100).succeeded == len(FILES) + 1
        yield running


class _database:  # noqa: N801 # a context manager
    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._made = None

    def __enter__(self) -> dict[str, str]:
        if self._request.param == "sqlite":
            return {}
        self._made = new_postgresql_database(self._request.getfixturevalue("postgresql"))
        return {"HARKEN_DATABASE_URL": self._made.__enter__()}

    def __exit__(self, *error: object) -> None:
        if self._made is not None:
            self._made.__exit__(None, None, None)


def names_of(sounds: object) -> list[str]:
    return [os.path.basename(str(sound.source)) for sound in sounds]


def test_neighbours_are_of_the_same_kind(library: System, samples: Path) -> None:
    client = library.client
    for name, kind in ((FILES[0], "hihat"), (FILES[2], "kick"), (FILES[8], "speech")):
        nearest = names_of(client.sounds.similar(samples / name, limit=2))
        assert nearest[0] == os.path.basename(name)  # the file is known already
        assert nearest[1].startswith(kind)
    drums = client.sounds.similar(samples / FILES[4], classes="loop", limit=3)
    assert set(names_of(drums)[1:]) == {"loop_120-funkybeat.wav", "loop_130-discobeat.wav"}


def test_filters_and_jobs(library: System, samples: Path) -> None:
    client = library.client
    everything = client.sounds.similar(samples / FILES[5], limit=50)
    job = next(sound.job_id for sound in everything if "funkybeat" in str(sound.source))
    by_job = client.sounds.similar(job, limit=50)
    assert job not in [sound.job_id for sound in by_job]
    assert len(by_job) == len(everything) - 1
    fast = client.sounds.similar(job, tempo_bpm=(125, None), limit=50)
    assert {sound.tempo_bpm >= 125 for sound in fast if sound.tempo_bpm} == {True}
    short = client.sounds.similar(job, duration_s=(None, 1.0), limit=50)
    assert {sound.sound_class for sound in short} == {SoundClass.ONE_SHOT}
    embedding = client.get_job(job).result.embedding
    assert client.sounds.similar(embedding)[0].job_id == job


def test_a_file_that_the_server_cannot_see_is_sent(
    library: System, tmp_path: Path, samples: Path
) -> None:
    (tmp_path / "mine.wav").write_bytes((samples / FILES[2]).read_bytes())
    assert "kick_347166" in names_of(library.client.sounds.similar(tmp_path / "mine.wav"))[0]


def test_the_same_recording_is_found_and_others_are_not(library: System) -> None:
    (group,) = library.client.sounds.duplicates()
    first, second = group.sounds
    assert names_of([first.sound, second.sound]) == ["loop_Bass_A_Major_72BPM.wav", "copy.mp3"]
    assert second.offset_s == pytest.approx(-0.5, abs=0.1)
    (same,) = library.client.sounds.duplicates(job=second.sound.job_id)
    assert len(same.sounds) == 2


async def test_the_asyncio_client_finds_the_same(library: System, samples: Path) -> None:
    with Client(library.address) as plain:
        expected = plain.sounds.similar(samples / FILES[0], limit=3)
    async with AsyncClient(library.address) as client:
        assert await client.sounds.similar(samples / FILES[0], limit=3) == expected
        assert len([group async for group in client.sounds.duplicates()]) == 1


def test_from_the_shell(library: System, samples: Path) -> None:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*HARKEN, *arguments, "--server", library.address],
            capture_output=True,
            text=True,
            check=True,
            env=clean_environment(),
        )
        return done.stdout

    lines = run("similar", str(samples / FILES[2]), "--limit", "2").splitlines()
    assert lines[0].split()[0] == "LIKE"
    assert lines[1].startswith("1.000")
    found = run("similar", str(samples / FILES[2]), "--json", "--class", "loop").splitlines()
    assert {json.loads(line)["sound_class"] for line in found} == {"SOUND_CLASS_LOOP"}
    assert "copy.mp3" in run("duplicates")


def test_results_are_brought_to_the_newest_model_by_a_command(library: System) -> None:
    """What is stale here is made so by hand; the system's own workers analyse it again."""
    from sqlalchemy import text

    from harken.jobs.store.database import Database

    url = f"sqlite:///{library.data}/harken.db"
    environment = _environment_of(library)
    database = Database(environment.get("HARKEN_DATABASE_URL", url), pooled=False)
    with database.write() as connection:
        connection.execute(text("UPDATE harken_embeddings SET model = 'old'"))
    done = subprocess.run(
        [*HARKEN, "maintenance", "re-embed", "--at-once", "4"],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(**environment),
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(FILES) + 1} sounds were analysed again" in done.stdout
    with database.read() as connection:
        query = text("SELECT count(*), count(DISTINCT model) FROM harken_embeddings")
        assert tuple(connection.execute(query).one()) == (len(FILES) + 1, 1)
    assert len(list(library.client.sounds.duplicates())) == 1


def _environment_of(library: System) -> dict[str, str]:
    """What a part of the system was started with, as far as maintenance needs it."""
    import psutil

    for child in psutil.Process(library.process.pid).children(recursive=True):
        environment = child.environ()
        if "HARKEN_DATABASE_URL" in environment or "HARKEN_BROKER_URL" in environment:
            return {
                name: value for name, value in environment.items() if name.startswith("HARKEN_")
            }
    pytest.fail(f"no part of {sys.executable} tells its settings")
