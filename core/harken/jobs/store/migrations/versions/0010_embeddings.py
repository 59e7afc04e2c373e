"""What sounds are like: vectors, and what searches among them filter by."""

import sqlalchemy as sa
from alembic import op

from harken.jobs.similarity import vector_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema. The vectors of earlier results are brought in by `harken maintenance re-embed`, page by page."""
    op.create_table(
        "harken_embeddings",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column(
            "vector", sa.ARRAY(sa.REAL()).with_variant(sa.LargeBinary(), "sqlite"), nullable=False
        ),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("tempo_bpm", sa.Double(), nullable=True),
        sa.Column("tonic", sa.String(length=2), nullable=True),
        sa.Column("mode", sa.String(length=5), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("sound_class", sa.String(length=10), nullable=True),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["harken_jobs.job_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("job_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("harken_embeddings_owner", "harken_embeddings", ["owner", "model", "position"])
    op.create_index("harken_embeddings_digest", "harken_embeddings", ["owner", "digest"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        vector_index.try_to_create(connection)


def downgrade() -> None:
    """Back to the one before. The extension stays: others may use it."""
    op.drop_table("harken_embeddings")
