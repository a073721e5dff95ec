"""Leases: work held for a time by one worker, on the database's clock where it has one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from database import UtcDateTime


def clock(session: Session, now: dt.datetime) -> sa.ColumnElement[Any]:
    """The moment by which leases are judged.

    PostgreSQL's own clock when several machines share it (theirs may differ); on SQLite, which
    is one machine, the caller's.
    """
    if session.get_bind().dialect.name == "postgresql":
        return sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
    return sa.literal(now, UtcDateTime)


def until(session: Session, now: dt.datetime, lease: dt.timedelta) -> sa.ColumnElement[Any]:
    """The end of a lease taken now."""
    found = reckoned(session, now, lease)
    if isinstance(found, dt.timedelta):
        return sa.func.clock_timestamp(type_=sa.DateTime(timezone=True)) + sa.literal(found, sa.Interval)
    return sa.literal(found, UtcDateTime)


def reckoned(session: Session, now: dt.datetime, lease: dt.timedelta) -> dt.timedelta | dt.datetime:
    """The end of a lease taken now as a value: a span to add to the store's own clock, or the moment itself."""
    return lease if session.get_bind().dialect.name == "postgresql" else now + lease
