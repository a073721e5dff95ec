"""Time passes for duties: on PostgreSQL they run by the database's clock, which no test can move."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from database import transaction
from notifications.dispatch.duties import DutyTime

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def let_duties_come_due(engine: Engine) -> None:
    """All of them are due again."""
    with transaction(engine) as session:
        session.execute(sa.update(DutyTime).values(due_at=LONG_AGO))


def let_hands_tire(engine: Engine) -> None:
    """Whoever has a duty in hand has had it for too long."""
    with transaction(engine) as session:
        session.execute(sa.update(DutyTime).where(DutyTime.held_until.is_not(None)).values(held_until=LONG_AGO))
