"""Uploads, artifacts and the bytes they are; results that an unchanged file gets again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CONTENT = "content_key IS NOT NULL"
HOLDING_UPLOADS = "source_kind = 'upload_id' AND end_time IS NULL"


def upgrade() -> None:
    """To this schema."""
    for column in (
        sa.Column("content_key", sa.String(length=64), nullable=True),
        sa.Column("skip_cache", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cached_from", sa.Uuid(as_uuid=False), nullable=True),
    ):
        op.add_column("harken_jobs", column)
    for name, columns, where in (
        ("content", ["owner", "content_key"], CONTENT),
        ("upload", ["owner", "source"], HOLDING_UPLOADS),
    ):
        op.create_index(
            f"harken_jobs_{name}",
            "harken_jobs",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_table(
        "harken_blobs",
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("used_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "sha256"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "harken_uploads",
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("upload_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("resumable", sa.Boolean(), nullable=False),
        sa.Column("writer", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("writer_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "upload_id"),
    )
    op.create_index("harken_uploads_expire", "harken_uploads", ["expire_time"])
    op.create_index("harken_uploads_content", "harken_uploads", ["owner", "sha256"])
    op.create_table(
        "harken_upload_parts",
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("upload_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner", "upload_id"],
            ["harken_uploads.owner", "harken_uploads.upload_id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner", "upload_id", "position"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "harken_artifacts",
        sa.Column("artifact_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["harken_jobs.job_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("artifact_id"),
        sa.UniqueConstraint("job_id", "name", name="harken_artifacts_name"),
    )
    op.create_index("harken_artifacts_content", "harken_artifacts", ["owner", "sha256"])


def downgrade() -> None:
    """Back to the one before."""
    for table in ("artifacts", "upload_parts", "uploads", "blobs"):
        op.drop_table(f"harken_{table}")
    op.drop_index("harken_jobs_upload", table_name="harken_jobs")
    op.drop_index("harken_jobs_content", table_name="harken_jobs")
    # SQLite can do it in place, where Alembic would copy the table, and with it the rows that refer to it.
    for column in ("cached_from", "skip_cache", "content_key"):
        op.execute(f"ALTER TABLE harken_jobs DROP COLUMN {column}")
