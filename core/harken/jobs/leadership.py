"""Which process may do what only one may do at a time: a lease on a role, in SQL."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from harken.jobs.schema import LEADERS

TERM = timedelta(seconds=5)


def lead(
    connection: Connection, role: str, *, holder: str, now: datetime, term: timedelta = TERM
) -> bool:
    """Takes the role or prolongs it for a term; False while another process has it."""
    free = or_(LEADERS.c.holder == holder, LEADERS.c.expires_at <= now)
    lease = {"holder": holder, "expires_at": now + term}
    taken = connection.execute(
        update(LEADERS).where(LEADERS.c.role == role, free).values(lease).returning(LEADERS.c.role)
    )
    if taken.one_or_none() is not None:
        return True
    if connection.execute(select(LEADERS.c.role).where(LEADERS.c.role == role)).one_or_none():
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(LEADERS).values(role=role, **lease))
    except IntegrityError:
        return False  # another process was first
    return True


def resign(connection: Connection, role: str, *, holder: str) -> None:
    """Gives the role up, so that another process takes it at once."""
    connection.execute(delete(LEADERS).where(LEADERS.c.role == role, LEADERS.c.holder == holder))
