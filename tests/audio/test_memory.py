"""Memory that a process has let go of is there for its next block, without asking the system again."""

import platform
import subprocess
import sys

import pytest

# How many pages the system hands out while 8 arrays of a megabyte are made and let go of, again and again.
PAGES = """
import resource, sys
import harken.audio
if sys.argv[1] == "warm":
    harken.audio.warm_up()
import numpy as np

def some():
    return [np.ones(1 << 20, dtype=np.uint8) for _ in range(8)]

some()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    some()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(start: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PAGES, start],
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library; CI has glibc")
def test_a_warm_process_keeps_what_it_lets_go_of() -> None:
    assert pages("warm") < 1_000 < 50_000 < pages("cold")
