"""The record of who did what to jobs. Rows are added, read, and deleted after a year."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from harken.jobs.action import Action, ActionKind, Asked, Outcome, Refusal
from harken.jobs.errors import ActionNotFound, RequestIdReused
from harken.jobs.ids import new_id
from harken.jobs.store.schema import ACTIONS

_COLUMNS = tuple(
    ACTIONS.c[name]
    for name in ["action_id", "owner", "peer", "kind", "time", "request", "done", "refused"]
)
LONGEST_PEER = 255  # characters; what gRPC says of a peer is far shorter
_DETAILS = (ACTIONS.c.outcomes, ACTIONS.c.page_end)


def record(
    connection: Connection,
    asked: Asked,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    page_end: str | None = None,
) -> Action:
    """Records what was done, in the transaction that does it."""
    done = sum(outcome.refusal is None for outcome in outcomes)
    action = Action(
        action_id=new_id(now),
        owner=asked.owner,
        peer=asked.peer,
        kind=asked.kind,
        time=now,
        request=asked.request,
        done=done,
        refused=len(outcomes) - done,
        outcomes=tuple(outcomes),
        page_end=page_end,
    )
    connection.execute(
        insert(ACTIONS).values(
            action_id=action.action_id,
            owner=asked.owner,
            peer=asked.peer[:LONGEST_PEER],
            kind=asked.kind.value,
            time=now,
            request_id=asked.request_id,
            request_hash=asked.request_hash,
            request=dict(asked.request),
            done=done,
            refused=action.refused,
            outcomes=[[each.job_id, each.new_job_id, each.refusal] for each in outcomes],
            page_end=page_end,
        )
    )
    return action


def done_before(connection: Connection, asked: Asked) -> Action | None:
    """What a request_id has done before; None for the first time. Raises RequestIdReused."""
    if asked.request_id is None:
        return None
    query = select(*_COLUMNS, *_DETAILS, ACTIONS.c.request_hash).where(
        ACTIONS.c.owner == asked.owner, ACTIONS.c.request_id == asked.request_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.request_hash != asked.request_hash:
        raise RequestIdReused(asked.request_id, f"action {row.action_id}")
    return _action_of(row)


def list_actions(
    connection: Connection, *, owner: str, limit: int, before_id: str | None = None
) -> tuple[Action, ...]:
    """At most `limit` actions, the newest first, older than `before_id`, without their outcomes."""
    query = select(*_COLUMNS).where(ACTIONS.c.owner == owner)
    if before_id is not None:
        query = query.where(ACTIONS.c.action_id < before_id)
    query = query.order_by(ACTIONS.c.action_id.desc()).limit(limit)
    return tuple(_action_of(row) for row in connection.execute(query))


def get_action(connection: Connection, action_id: str, *, owner: str) -> Action:
    """The action with its outcomes. Raises ActionNotFound."""
    query = select(*_COLUMNS, *_DETAILS).where(
        ACTIONS.c.action_id == action_id, ACTIONS.c.owner == owner
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ActionNotFound(action_id)
    return _action_of(row)


def _action_of(row: Row[Any]) -> Action:
    return Action(
        action_id=row.action_id,
        owner=row.owner,
        peer=row.peer,
        kind=ActionKind(row.kind),
        time=row.time,
        request=row.request,
        done=row.done,
        refused=row.refused,
        outcomes=tuple(
            Outcome(job_id=job_id, new_job_id=new_job_id, refusal=why and Refusal(why))
            for job_id, new_job_id, why in getattr(row, "outcomes", ())
        ),
        page_end=getattr(row, "page_end", None),
    )
