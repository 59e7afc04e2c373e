"""The compiled loops: made once for a machine, shared by every process on it, wherever they may be kept."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import harken.audio
from demo.piece import Piece
from tests.audio.signals import noise

# Three quarters of a minute on an idle machine, two minutes beside other tests on a slow one.
COMPILING_S = 280
pytestmark = pytest.mark.timeout(2 * COMPILING_S)

# Analyses files, and prints how many loops came from the cache and how many were compiled.
COUNT = """
import json, sys
import harken.audio
if "--warm" in sys.argv:
    harken.audio.warm_up()
results = [harken.audio.analyze(path).to_dict() for path in sys.argv[1].split(",")]
from numba.core.dispatcher import Dispatcher
kernels = {
    id(value): value
    for name, module in list(sys.modules.items()) if name.startswith("harken.audio")
    for value in vars(module).values() if isinstance(value, Dispatcher)
}
stats = [kernel.stats for kernel in kernels.values()]
used = [kernel for kernel in kernels.values() if kernel.signatures]
print(json.dumps({
    "kernels": len(used),
    "loaded": sum(sum(stat.cache_hits.values()) for stat in stats),
    "compiled": sum(sum(stat.cache_misses.values()) for stat in stats),
    "tempo": results[0]["rhythm"].get("tempo_bpm"),
}))
"""


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory, piece: Piece) -> str:
    """The same music in forms that take different ways through the decoder, and a single hit."""
    folder = tmp_path_factory.mktemp("music")
    samples = piece.samples
    soundfile.write(folder / "a.wav", samples, piece.sample_rate, subtype="PCM_16")
    soundfile.write(folder / "b.wav", samples[:, 0], piece.sample_rate, subtype="FLOAT")
    soundfile.write(folder / "c.flac", samples, piece.sample_rate, subtype="PCM_24")
    soundfile.write(folder / "d.ogg", samples, piece.sample_rate)
    soundfile.write(folder / "e.wav", np.repeat(samples[:, :1], 6, axis=1), piece.sample_rate)
    soundfile.write(folder / "f.wav", noise(0.3, rate=96_000), 96_000)
    soundfile.write(folder / "g.wav", samples, 192_000)
    return ",".join(str(path) for path in sorted(folder.iterdir()))


def analyse(music: str, cache: Path | None, *flags: str, **environment: str) -> dict[str, float]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    done = subprocess.run(
        [sys.executable, "-c", COUNT, music, *flags],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=COMPILING_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Warmed as an installation does it."""
    folder = tmp_path_factory.mktemp("kernels")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    command = [sys.executable, "-m", "harken.audio", "--warm-up"]
    subprocess.run(command, env=environment, timeout=COMPILING_S, check=True)
    return folder


def test_nothing_is_compiled_after_a_warm_up_in_another_process(music: str, cache: Path) -> None:
    found = analyse(music, cache)
    assert found["compiled"] == 0
    assert found["loaded"] >= found["kernels"] > 5


def test_another_kind_of_cpu_compiles_once_beside_the_first(music: str, cache: Path) -> None:
    first = analyse(music, cache, "--warm", NUMBA_CPU_NAME="generic")
    second = analyse(music, cache, "--warm", NUMBA_CPU_NAME="generic")
    native = analyse(music, cache)
    assert first["compiled"] >= first["kernels"] > 5
    assert second["compiled"] == 0
    assert native["compiled"] == 0
    assert first["tempo"] == pytest.approx(native["tempo"], rel=1e-3)


def test_an_installation_that_cannot_be_written_keeps_them_in_the_temporary_folder(
    music: str, tmp_path: Path
) -> None:
    """A file where a folder would have to be made stops even root."""
    source = Path(harken.audio.__file__).parent
    shutil.copytree(
        source, tmp_path / "site/harken/audio", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "site/harken/audio/__pycache__").touch()
    (tmp_path / "temporary").mkdir()
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/dev/null",
        "XDG_CACHE_HOME": "/dev/null",
        "TMPDIR": str(tmp_path / "temporary"),
    }
    first = analyse(music, None, "--warm", **environment)
    second = analyse(music, None, "--warm", **environment)
    assert first["compiled"] >= first["kernels"] > 5
    assert second["compiled"] == 0
    (folder,) = (tmp_path / "temporary").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
