"""The pace of a stream, on the event loop that servers have: its timers may come some tenths of a millisecond early."""

import asyncio

from harken.server.event_loop import new_event_loop
from harken.server.metrics.counts import Counts
from harken.server.progress.wakeups import Pace
from harken.server.progress.watcher import Watcher

TIMES = 200
WITHIN_S = 5.0  # of milliseconds


def test_what_may_not_be_sent_yet_is_woken_until_it_may() -> None:
    async def wait_for_all() -> None:
        watcher = Watcher(Counts())
        for number in range(TIMES):
            pace = Pace(watcher, 0.001 + 0.00001 * number)  # with tenths of all sizes
            watcher.ring()
            async with asyncio.timeout(WITHIN_S):
                await watcher.rung()
                while not pace.allows():
                    await watcher.rung()  # nobody else rings

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(wait_for_all())
