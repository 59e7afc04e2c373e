"""How Alembic runs the migrations: on the connection that `harken.jobs.store.migrate` gives it."""

from alembic import context

from harken.jobs.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="harken_schema_version",
    # SQLite changes a table by making it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
