"""No fork happens while the database is open, and a child is not held up by what its parent held."""

import subprocess

PROGRAM = """
import os, threading
from harken.tasks.fork_barrier import ForkBarrier

barrier, order = ForkBarrier(), []
inside, leave = threading.Event(), threading.Event()

def hold():
    with barrier:
        inside.set()
        leave.wait()
        order.append("left")

def fork():
    child = os.fork()
    if child == 0:
        with barrier:
            os._exit(7)
    order.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

holder, forker = threading.Thread(target=hold), threading.Thread(target=fork)
holder.start()
inside.wait()
forker.start()
forker.join(0.3)
assert forker.is_alive(), "it forked all the same"
leave.set()
forker.join()
print(order)
"""


def test_a_fork_waits_for_the_barrier_and_its_child_may_enter_it(python: str) -> None:
    shown = subprocess.run(
        [python, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout

    assert shown.split("\n")[0] == "['left', 7]"
