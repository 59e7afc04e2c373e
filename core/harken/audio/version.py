"""Which engine finds what it finds: the same version finds the same in the same file."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What decodes, resamples and computes: another release may find a little else.
_PACKAGES = ("harken", "av", "numba", "numpy", "soxr")


@cache
def engine_version() -> str:
    """A digest of the engine's own code and of the releases below it; it takes some milliseconds the first time."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for file in sorted(folder.rglob("*")):
        if file.suffix in {".py", ".npy"}:
            digest.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes())
    for name in _PACKAGES:
        digest.update(f"{name}\0{_version(name)}\0".encode())
    return digest.hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
