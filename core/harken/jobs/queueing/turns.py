"""Whose turn it is: what is to be done once in a while is done once, however often and by whomever it is asked for."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from harken.jobs.queueing import leadership

_ROLE = "turn:"


def take_turn(
    connection: Connection, name: str, *, every: timedelta, holder: str, now: datetime
) -> bool:
    """Takes the turn of this period; False when it was taken before. `holder` is new for each try."""
    return leadership.lead(connection, _ROLE + name, holder=holder, now=now, term=every)


def give_back(connection: Connection, name: str, *, holder: str) -> None:
    """Gives the turn back, since nothing came of it: the next one who asks gets it."""
    leadership.resign(connection, _ROLE + name, holder=holder)
