"""The relay: jobs that wait are found by queue, priority and owner; jobs can have a time to start by."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FIRST_OUTBOX = "state = 'QUEUED' AND published_at IS NULL"
OUTBOX = "state = 'QUEUED' AND published_at IS NULL AND not_before IS NULL"
PUBLISHED = "state = 'QUEUED' AND published_at IS NOT NULL"
DELAYED = "state = 'QUEUED' AND not_before IS NOT NULL"
UNSTARTED = "state = 'QUEUED' AND attempt = 0 AND schedule_deadline IS NOT NULL"


def upgrade() -> None:
    """To this schema."""
    op.add_column(
        "harken_jobs", sa.Column("schedule_deadline", sa.DateTime(timezone=True), nullable=True)
    )
    op.drop_index("harken_jobs_outbox", table_name="harken_jobs")
    _index("outbox", ["queue", "priority", "owner", "job_id"], OUTBOX)
    _index("published", ["queue", "priority", "owner"], PUBLISHED)
    _index("delayed", ["not_before"], DELAYED)
    _index("unstarted", ["schedule_deadline"], UNSTARTED)


def downgrade() -> None:
    """Back to the one before."""
    for name in ("unstarted", "delayed", "published", "outbox"):
        op.drop_index(f"harken_jobs_{name}", table_name="harken_jobs")
    _index("outbox", [sa.literal_column("priority DESC"), "job_id"], FIRST_OUTBOX)
    # SQLite can do it in place, where Alembic would copy the table, and with it the rows that refer to it.
    op.execute("ALTER TABLE harken_jobs DROP COLUMN schedule_deadline")


def _index(name: str, columns: list[str | sa.ColumnElement[object]], where: str) -> None:
    op.create_index(
        f"harken_jobs_{name}",
        "harken_jobs",
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
