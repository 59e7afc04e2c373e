"""Every dependency has its reason on the page, in its place, and none stands there that is not one."""

import re
import tomllib

from tests.docs.examples import REPOSITORY

NAME = re.compile(r"[A-Za-z0-9._-]+")


def names(requirements: list[str]) -> set[str]:
    """The names of requirements, harken's own extras left out."""
    found = {NAME.match(requirement)[0] for requirement in requirements}  # type: ignore[index] # each has one
    return found - {"harken"}


def documented() -> list[list[str]]:
    """For each section of the page the packages in its table."""
    _, *sections = (REPOSITORY / "docs" / "dependencies.md").read_text().split("\n## ")
    return [
        [
            name
            for name in re.findall(r"^\| ([\w.-]+) \|", section, re.MULTILINE)
            if name != "package"
        ]
        for section in sections
    ]


def test_the_page_lists_the_dependencies_of_pyproject() -> None:
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        pyproject = tomllib.load(file)
    extras = pyproject["project"]["optional-dependencies"]
    groups = pyproject["dependency-groups"]
    all_of_it = names(extras["all"])
    development = names([*pyproject["build-system"]["requires"], *groups["dev"], *groups["image"]])
    assert {*pyproject["project"]["optional-dependencies"]} == {
        "audio",
        "jobs",
        "server",
        "worker",
        "otel",
        "transcription",
        "models",
        "language",
        "all",
    }

    client, audio, service, traces, models, speech, language, everything, tools, measuring = (
        documented()
    )

    assert client == sorted(names(pyproject["project"]["dependencies"]))
    assert audio == sorted(names(extras["audio"]))
    assert set(service) == names([*extras["jobs"], *extras["server"], *extras["worker"]])
    assert traces == sorted(names(extras["otel"]))
    assert models == sorted(names(extras["models"]))
    assert speech == sorted(names(extras["transcription"]))
    assert language == sorted(names(extras["language"]))
    assert everything == sorted(all_of_it)
    assert tools == sorted(development - all_of_it)
    assert measuring == sorted(names(groups["bench"]))
