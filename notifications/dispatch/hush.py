"""Hush: what of everyday pushes was not handed over when quiet hours begin waits until they are over."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from database import transaction
from notifications.dispatch import leases
from notifications.dispatch.batches import Batch, BatchState

EVERY = dt.timedelta(seconds=10)
_DAY = dt.timedelta(days=1)
_QUIET = (BatchState.READY.value, BatchState.LEASED.value)


def hush(engine: Engine, now: dt.datetime) -> int:
    """Puts off batches whose quiet hours have begun; returns how many. Nobody claims them meanwhile.

    After an outage, or behind something urgent, an evening's batches may be late: they then ring in the morning, or
    never, when their message is over by then. One in a worker's hands is let alone as long as its lease lasts.
    """
    with transaction(engine, "read") as session:
        if session.scalar(sa.select(Batch.id).where(_begun(session, now)).limit(1)) is None:
            return 0
    with transaction(engine) as session:
        return put_off(session, now)


def put_off(session: Session, now: dt.datetime) -> int:
    """The same in the caller's transaction."""
    # Locked in the order of ids, as everybody who writes several of them does.
    query = sa.select(Batch.id, Batch.quiet_at, Batch.resume_at).where(_begun(session, now)).order_by(Batch.id)
    rows = session.execute(query.with_for_update()).all()
    for quiet_at, resume_at in {(row.quiet_at, row.resume_at) for row in rows}:
        ids = [row.id for row in rows if (row.quiet_at, row.resume_at) == (quiet_at, resume_at)]
        for start in range(0, len(ids), 500):
            session.execute(
                sa.update(Batch)
                .where(Batch.id.in_(ids[start : start + 500]))
                .values(
                    not_before=resume_at,
                    # An abandoned one is taken over when it may be handed over again.
                    lease_until=sa.case((Batch.state == BatchState.LEASED.value, resume_at), else_=Batch.lease_until),
                    quiet_at=quiet_at + _DAY,
                    resume_at=resume_at + _DAY,
                )
                .execution_options(synchronize_session=False)
            )
    return len(rows)


def _begun(session: Session, now: dt.datetime) -> sa.ColumnElement[bool]:
    clock = leases.clock(session, now)
    free = sa.or_(Batch.state == BatchState.READY.value, Batch.lease_until < clock)
    return sa.and_(Batch.state.in_(_QUIET), Batch.quiet_at <= clock, free, ~Batch.withdrawn)
