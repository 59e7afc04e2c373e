"""What a file was called stands in the job too, since its upload is deleted before the job is; a system has an id."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema; jobs whose uploads are still there get their names."""
    op.add_column("harken_jobs", sa.Column("filename", sa.String(length=255), nullable=True))
    op.execute(
        """
        UPDATE harken_jobs SET filename = (
            SELECT upload.filename FROM harken_uploads AS upload
            WHERE upload.upload_id = harken_jobs.source AND upload.owner = harken_jobs.owner)
        WHERE source_kind = 'upload_id'
        """
    )

    system = op.create_table("harken_system", sa.Column("system_id", sa.Uuid(), primary_key=True))
    op.bulk_insert(system, [{"system_id": uuid.uuid4()}])


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("harken_system")
    op.execute("ALTER TABLE harken_jobs DROP COLUMN filename")
