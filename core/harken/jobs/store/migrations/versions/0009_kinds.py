"""Jobs that are no analyses: their kind, and what is to be done."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    kind = sa.Column("kind", sa.String(length=20), server_default="analysis", nullable=False)
    op.add_column("harken_jobs", kind)
    op.add_column("harken_jobs", sa.Column("spec", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Back to the one before, which would take what is no analysis for one: it goes, as what it made does."""
    # The rows of older schemas that refer to jobs go with them on both databases.
    op.execute("DELETE FROM harken_jobs WHERE kind <> 'analysis'")
    # SQLite can do it in place, where Alembic would copy the table, and with it the rows that refer to it.
    op.execute("ALTER TABLE harken_jobs DROP COLUMN spec")
    op.execute("ALTER TABLE harken_jobs DROP COLUMN kind")
