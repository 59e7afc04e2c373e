"""Which process may do what only one may do at a time: a lease on a role, in SQL."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from harken.jobs.store.schema import LEADERS

# What the death of a leader costs at most, with the half second in which others look. Short, since two that lead for a
# moment do no harm: a message sent twice loses the claim, and repairs lock what they change.
TERM = timedelta(seconds=2)
# What a process that only has to be known of holds, such as a server that follows: as long as a worker is not lost.
PRESENT_FOR = timedelta(seconds=15)


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


def is_free(connection: Connection, role: str, *, holder: str, now: datetime) -> bool:
    """Whether `lead` would be granted: a read, for those who only follow."""
    query = select(LEADERS.c.holder, LEADERS.c.expires_at).where(LEADERS.c.role == role)
    row = connection.execute(query).one_or_none()
    return row is None or row.holder == holder or row.expires_at <= now


def holders(connection: Connection, now: datetime) -> tuple[str, ...]:
    """Who holds any role now, each once."""
    query = select(LEADERS.c.holder).where(LEADERS.c.expires_at > now).distinct()
    return tuple(connection.execute(query.order_by(LEADERS.c.holder)).scalars())


def resign(connection: Connection, role: str, *, holder: str) -> None:
    """Gives the role up, so that another process takes it at once."""
    connection.execute(delete(LEADERS).where(LEADERS.c.role == role, LEADERS.c.holder == holder))
