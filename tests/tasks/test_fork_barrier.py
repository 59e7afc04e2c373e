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


# A stream whose lock is held for as long as a line is being written, as that of stderr is.
LOGGING = """
import io, logging, os, signal, threading
from harken.tasks.fork_barrier import ForkBarrier

barrier = ForkBarrier()
inside, leave = threading.Event(), threading.Event()

class Slow(io.RawIOBase):
    def writable(self):
        return True
    def write(self, line):
        if not inside.is_set():
            inside.set()
            leave.wait()
        return len(line)

stream = io.TextIOWrapper(io.BufferedWriter(Slow()), line_buffering=True)
logging.getLogger("some.part").addHandler(logging.StreamHandler(stream))
log = logging.getLogger("some.part")

def fork():
    child = os.fork()
    if child == 0:
        log.warning("the child's first line")
        os._exit(7)
    children.append(child)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

codes, children = [], []
writer = threading.Thread(target=log.warning, args=("a line",))
forker = threading.Thread(target=fork, daemon=True)
writer.start()
inside.wait()
forker.start()
forker.join(0.3)
leave.set()
writer.join()
forker.join(20)
print(codes, flush=True)
if not codes:
    os.kill(children[0], signal.SIGKILL)
os._exit(0)
"""


def test_a_child_that_was_forked_while_the_parent_logs_may_log_too(python: str) -> None:
    shown = subprocess.run(
        [python, "-W", "ignore", "-c", LOGGING],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    assert shown == "[7]\n"
