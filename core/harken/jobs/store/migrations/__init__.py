"""The schema's history, run by Alembic through `harken.jobs.store.migrate`."""
