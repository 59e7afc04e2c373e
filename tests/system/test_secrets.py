"""A secret is in its file, and in nobody's command line, log or answer."""

from pathlib import Path

import psutil
from sqlalchemy import make_url

from tests.conftest import new_postgresql_database
from tests.system.conftest import harken_up
from tests.system.test_exports import harken

SECRET = "s3cret-of-the-database"


def test_a_secret_of_a_file_is_shown_nowhere(postgresql: str, media: Path, tmp_path: Path) -> None:
    with new_postgresql_database(postgresql) as url:
        file = tmp_path / "url"
        with_password = make_url(url).set(password=SECRET).render_as_string(hide_password=False)
        file.write_text(with_password + "\n")
        data = tmp_path / "data"
        with harken_up(data, media, HARKEN_DATABASE_URL_FILE=str(file)) as system:
            system.client.submit("piece.flac", features=["media"]).result()
            said = harken(system, "workers", "--deep", "--json")
            family = psutil.Process(system.process.pid).children(recursive=True)
            lines = [" ".join(one.cmdline()) for one in family if one.is_running()]
    assert len(lines) >= 5, "server, workers and their children, beat, Redis"
    shown = [*lines, said.stdout, said.stderr]
    shown += [log.read_text(errors="replace") for log in (data / "logs").iterdir()]
    assert not [text for text in shown if SECRET in text]
