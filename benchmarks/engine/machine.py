"""The machine that is measured on: its name, and one core of it."""

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

# Whatever starts threads of its own would be measured on more than one core's caches.
ONE_THREAD: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
PACKAGES: Final = (
    "librosa",
    "pyloudnorm",
    "essentia",
    "numpy",
    "scipy",
    "numba",
    "soundfile",
    "av",
)


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if "model name" in line), "unknown")


def described() -> str:
    """Processor, Python and the versions of what is installed of all that is compared."""
    parts = [f"{platform.machine()}, {processor()}, Python {platform.python_version()}"]
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            parts.append(f"{name} {version(name)}")
    return "; ".join(parts)


def keep_to_one_core() -> None:
    """Pin this process, and all it starts from now on, to one core with one thread for algebra."""
    for name in ONE_THREAD:
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):  # Linux; elsewhere CPU time alone has to do
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
