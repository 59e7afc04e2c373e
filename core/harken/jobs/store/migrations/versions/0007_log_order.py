"""Rows of the log get their positions when they are written, last in their transaction, rather than by a trigger."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

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
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER harken_log_order ON harken_transitions")
        op.execute("DROP FUNCTION harken_log_order()")


def downgrade() -> None:
    """Back to the one before."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(LOG_ORDER)
        op.execute(LOG_ORDER_TRIGGER)
