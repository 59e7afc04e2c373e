"""Which process is on a job, when its cancel was asked for, and how long an attempt may take."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.add_column("harken_jobs", sa.Column("pid", sa.Integer(), nullable=True))
    op.add_column(
        "harken_jobs", sa.Column("cancel_time", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("harken_jobs", sa.Column("run_timeout_s", sa.Double(), nullable=True))


def downgrade() -> None:
    """Back to the one before."""
    # Not by Alembic's way for SQLite, which makes the table anew: dropping the old one would delete
    # the results and the log of all jobs, since they go with their job.
    for column in ("run_timeout_s", "cancel_time", "pid"):
        op.execute(f"ALTER TABLE harken_jobs DROP COLUMN {column}")
