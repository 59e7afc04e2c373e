"""Chaos: seeded traffic and faults on a real system, recorded as a history that a checker judges.

`make chaos` runs it for long; `docs/promises.md` says what is judged.
"""
