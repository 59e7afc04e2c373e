"""An outside opinion on the submits: ghz, the load generator of the gRPC world, where it is installed."""

import json
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.engine.report import Section
from benchmarks.service import harken_server, parts
from benchmarks.service.submit import CALLERS

METHOD: Final = "harken.v1.JobService/SubmitAnalysis"
TITLE: Final = "SubmitAnalysis on SQLite by ghz"


def measure(*, seconds: float) -> Section:
    """What ghz says of a server on SQLite; it finds the contract by reflection."""
    ghz = shutil.which("ghz")
    if ghz is None:
        missing = "ghz is not installed (https://ghz.sh): not measured"
        return Section(part="ghz", title=TITLE, notes=(missing,))
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        media = folder / "media"
        media.mkdir()
        (media / "a.wav").write_bytes(b"RIFF")
        _, broker = stack.enter_context(parts.redis(folder))
        url = f"sqlite:///{folder / 'harken.db'}"
        server = harken_server.running("server", url, broker, media, folder)
        address = stack.enter_context(server)
        command = [ghz, "--insecure", "--call", METHOD, "--format", "json"]
        command += ["-d", '{"source": {"path": "a.wav"}}', "-c", str(CALLERS), "-z", f"{seconds}s"]
        run = subprocess.run([*command, address], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    p99_ns = next(one["latency"] for one in found["latencyDistribution"] if one["percentage"] == 99)
    return Section(
        part="ghz",
        title=TITLE,
        columns=("", "requests/s", "p99 ms"),
        rows=((f"{CALLERS} callers", f"{found['rps']:,.0f}", f"{p99_ns / 1e6:.1f}"),),
    )
