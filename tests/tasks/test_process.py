"""A child process as the operating system knows it."""

import os
import sys

import numpy as np
import pytest

from harken.tasks.process import Memory, memory_mb


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries give back by themselves")
def test_what_a_job_left_free_goes_back_to_the_system() -> None:
    # Pieces too small to be mapped one by one, with one in between that stays and keeps the heap from shrinking.
    pieces = [np.ones(10_000) for _ in range(1_000)]
    kept = pieces[::100]
    before = memory_mb(os.getpid())
    del pieces

    Memory().give_back()

    assert memory_mb(os.getpid()) < before - 50
    assert all(piece[0] == 1.0 for piece in kept)
