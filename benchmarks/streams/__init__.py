"""What live progress costs, and how live it is: `python -m benchmarks.streams`.

One `harken serve` on SQLite and a private Redis, watched from processes of their own; the parts are

- latency: from `update_state` in a worker to the update in a typed client, beside polling twice a second
- burst: streams opened all at once: failures, and the server's memory for each
- fan-out: events a second, of one job to many watchers and of a large batch to a few
- dropped: streams that are opened and dropped, in every way; what the server is left with

A server's own seconds (CPU) stand beside those on the wall: they hold on a machine that does other things too.
"""
