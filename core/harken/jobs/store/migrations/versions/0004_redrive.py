"""Retries of jobs can be found; dismissed failures; the record of who did what to several jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "harken_actions",
        sa.Column("action_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("peer", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("request_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("page_end", sa.Uuid(as_uuid=False), nullable=True),
        sa.PrimaryKeyConstraint("action_id"),
        sa.UniqueConstraint("owner", "request_id", name="harken_actions_request"),
    )
    op.create_index("harken_actions_owner", "harken_actions", ["owner", "action_id"])
    op.create_table(
        "harken_dismissals",
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["harken_jobs.job_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id"),
    )
    # No batch_alter_table: on SQLite that makes the table anew, and dropping the old one takes the results along.
    op.create_index(
        "harken_jobs_failed",
        "harken_jobs",
        ["owner", "job_id"],
        sqlite_where=sa.text("state = 'FAILED'"),
        postgresql_where=sa.text("state = 'FAILED'"),
    )
    op.create_index(
        "harken_jobs_retry_of",
        "harken_jobs",
        ["retry_of"],
        sqlite_where=sa.text("retry_of IS NOT NULL"),
        postgresql_where=sa.text("retry_of IS NOT NULL"),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_index("harken_jobs_retry_of", "harken_jobs")
    op.drop_index("harken_jobs_failed", "harken_jobs")
    op.drop_table("harken_dismissals")
    op.drop_table("harken_actions")
