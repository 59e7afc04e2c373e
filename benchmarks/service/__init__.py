"""The service against what people build today: `make bench-service`, or `python -m benchmarks.service --help`.

The peer is FastAPI + Celery `delay()` + a table of jobs, with sync and with async handlers, on the same Redis and the
same kind of database. All that is compared takes turns (A B C A B C …); what is compared are medians of the same run.

| part | what it prints |
|---|---|
| submit | requests accepted and durable at 64 callers, on SQLite and PostgreSQL: rate, p99, processor time |
| batch | 10,000 jobs accepted by one SubmitBatch, and by 10,000 `delay()` from a loop |
| publish | the relay's publisher, and a loop of `apply_async` |
| path | no-op jobs through everything, from SubmitBatch to the watcher, and Celery alone with stored results |
| progress | what one report of progress costs the work |
| growth | submit, get, list, relay, inspect with 1,000 and with 1,000,000 finished jobs in the table |
| ghz | an outside opinion on the submits, where ghz is installed |

Who sends the requests is a process of its own, and so is every server; the sender's share of all processor time is
printed, for on a small machine it takes that from the others.
"""
