"""The first schema: jobs, batches, results, the transition log, workers, leaders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Why: harken/jobs/log.py. The lock's key is "harl"; a migration takes "hark".
LOG_ORDER = """
CREATE FUNCTION harken_log_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(x'6861726C'::bigint);
    UPDATE harken_transitions SET position = nextval('harken_transitions_position_seq')
    WHERE position = NEW.position;
    RETURN NULL;
END $$
"""
LOG_ORDER_TRIGGER = """
CREATE CONSTRAINT TRIGGER harken_log_order AFTER INSERT ON harken_transitions
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION harken_log_order()
"""


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "harken_batches",
        sa.Column("batch_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("request_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("request_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
        sa.UniqueConstraint("owner", "request_id", name="harken_batches_request"),
    )
    op.create_table(
        "harken_leaders",
        sa.Column("role", sa.String(length=50), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("role"),
    )
    op.create_table(
        "harken_workers",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("hostname", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("jobs_done", sa.Integer(), nullable=False),
        sa.Column("stopping", sa.Boolean(), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "harken_jobs",
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("batch_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("request_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("request_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("retry_of", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("crashes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("queue", sa.String(length=100), nullable=False),
        sa.Column("source_kind", sa.String(length=20), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("error_kind", sa.String(length=10), nullable=True),
        sa.Column("error_reason", sa.String(length=100), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("worker", sa.String(length=255), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_time", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["harken_batches.batch_id"],
        ),
        sa.PrimaryKeyConstraint("job_id"),
        sa.UniqueConstraint("owner", "request_id", name="harken_jobs_request"),
    )
    with op.batch_alter_table("harken_jobs", schema=None) as batch_op:
        batch_op.create_index("harken_jobs_batch", ["batch_id", "state"], unique=False)
        batch_op.create_index(
            "harken_jobs_ended",
            ["end_time"],
            unique=False,
            sqlite_where=sa.text("end_time IS NOT NULL"),
            postgresql_where=sa.text("end_time IS NOT NULL"),
        )
        batch_op.create_index(
            "harken_jobs_held",
            ["queue", "lease_expires_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('RUNNING', 'CANCELLING')"),
            postgresql_where=sa.text("state IN ('RUNNING', 'CANCELLING')"),
        )
        batch_op.create_index(
            "harken_jobs_outbox",
            [sa.literal_column("priority DESC"), "job_id"],
            unique=False,
            sqlite_where=sa.text("state = 'QUEUED' AND published_at IS NULL"),
            postgresql_where=sa.text("state = 'QUEUED' AND published_at IS NULL"),
        )
        batch_op.create_index("harken_jobs_owner", ["owner", "job_id"], unique=False)
        batch_op.create_index(
            "harken_jobs_waiting",
            ["queue", "create_time"],
            unique=False,
            sqlite_where=sa.text("state = 'QUEUED'"),
            postgresql_where=sa.text("state = 'QUEUED'"),
        )

    op.create_table(
        "harken_results",
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["harken_jobs.job_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_table(
        "harken_transitions",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("batch_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=10), nullable=True),
        sa.Column("after", sa.String(length=10), nullable=False),
        sa.Column("error_kind", sa.String(length=10), nullable=True),
        sa.Column("error_reason", sa.String(length=100), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("worker", sa.String(length=255), nullable=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["harken_jobs.job_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("job_id", "revision", name="harken_transitions_revision"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("harken_transitions", schema=None) as batch_op:
        batch_op.create_index("harken_transitions_batch", ["batch_id", "position"], unique=False)
    if op.get_context().dialect.name == "postgresql":
        op.execute(LOG_ORDER)
        op.execute(LOG_ORDER_TRIGGER)


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("harken_transitions", schema=None) as batch_op:
        batch_op.drop_index("harken_transitions_batch")

    op.drop_table("harken_transitions")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION harken_log_order()")
    op.drop_table("harken_results")
    with op.batch_alter_table("harken_jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "harken_jobs_waiting",
            sqlite_where=sa.text("state = 'QUEUED'"),
            postgresql_where=sa.text("state = 'QUEUED'"),
        )
        batch_op.drop_index("harken_jobs_owner")
        batch_op.drop_index(
            "harken_jobs_outbox",
            sqlite_where=sa.text("state = 'QUEUED' AND published_at IS NULL"),
            postgresql_where=sa.text("state = 'QUEUED' AND published_at IS NULL"),
        )
        batch_op.drop_index(
            "harken_jobs_held",
            sqlite_where=sa.text("state IN ('RUNNING', 'CANCELLING')"),
            postgresql_where=sa.text("state IN ('RUNNING', 'CANCELLING')"),
        )
        batch_op.drop_index(
            "harken_jobs_ended",
            sqlite_where=sa.text("end_time IS NOT NULL"),
            postgresql_where=sa.text("end_time IS NOT NULL"),
        )
        batch_op.drop_index("harken_jobs_batch")

    op.drop_table("harken_jobs")
    op.drop_table("harken_workers")
    op.drop_table("harken_leaders")
    op.drop_table("harken_batches")
