"""The agenda: when something is due next, so that an idle worker may sleep until then."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from database import UtcDateTime
from notifications.dispatch import leases
from notifications.dispatch.batches import Batch, BatchState
from notifications.messages import Message, Planning


def seconds_to_planning(session: Session, now: dt.datetime) -> float | None:
    """Seconds until something is to be planned, negative when it already is, None when nothing waits."""
    waiting = Message.planning.in_([Planning.WAITING.value, Planning.LATECOMERS.value])
    return _seconds(session, now, sa.select(sa.func.min(Message.plan_due_at)).where(waiting))


def seconds_to_sending(session: Session, now: dt.datetime) -> float | None:
    """Seconds until a batch is due or a lease runs out, negative when it already is, None when there is no batch."""
    return _seconds(
        session,
        now,
        sa.select(sa.func.min(Batch.not_before)).where(Batch.state == BatchState.READY.value),
        sa.select(sa.func.min(Batch.lease_until)).where(Batch.state == BatchState.LEASED.value),
    )


def _seconds(session: Session, now: dt.datetime, *moments: sa.Select[Any]) -> float | None:
    """By the clock that leases run on."""
    clock = sa.type_coerce(leases.clock(session, now), UtcDateTime)
    *found, current = session.execute(sa.select(*(one.scalar_subquery() for one in moments), clock)).one()
    known = [moment for moment in found if moment is not None]
    return (min(known) - current).total_seconds() if known else None
