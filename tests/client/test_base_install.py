"""The base install is the light client: nothing of the server's or the engine's comes with it."""

import subprocess
import sys

import pytest

import harken.client

HEAVY = ("celery", "sqlalchemy", "numpy", "redis", "librosa", "av", "alembic", "flower")


def _python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout


@pytest.mark.parametrize("module", ["harken.client.sync", "harken.client.aio", "harken.client.cli"])
def test_the_client_never_pulls_in_the_server_or_the_engine(module: str) -> None:
    code = f"""
import importlib, sys
import harken.client
for name in harken.client.__all__:
    getattr(harken.client, name)
importlib.import_module({module!r})
heavy = {{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r})
others = [n for n in sys.modules if n.startswith("harken.") and n.split(".")[1] not in ("client", "v1")]
print(sorted(heavy), others)
"""
    assert _python(code).strip() == "[] []"


def test_help_needs_neither_grpc_nor_rich_nor_protobuf() -> None:
    code = """
import sys
from click.testing import CliRunner
from harken.client.cli import cli
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
print([name for name in ("grpc", "rich", "google.protobuf", "asyncio") if name in sys.modules])
"""
    assert _python(code).strip() == "[]"


def test_the_names_that_type_checkers_see_are_those_that_are_there() -> None:
    with open(harken.client.__file__) as source:
        lines = [line.split() for line in source if line.startswith("    from harken.client.")]
    assert sorted(words[-1] for words in lines) == list(harken.client.__all__)
    for words in lines:
        assert hasattr(harken.client, words[-1])


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        _ = harken.client.Klient
