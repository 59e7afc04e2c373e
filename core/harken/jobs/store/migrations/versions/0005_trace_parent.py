"""The trace that a job was submitted in, as W3C's traceparent header has it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.add_column("harken_jobs", sa.Column("trace_parent", sa.String(length=55), nullable=True))


def downgrade() -> None:
    """Back to the one before."""
    # SQLite can do it in place, where Alembic would copy the table, and with it the rows that refer to it.
    op.execute("ALTER TABLE harken_jobs DROP COLUMN trace_parent")
