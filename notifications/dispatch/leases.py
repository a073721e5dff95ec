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
    if session.get_bind().dialect.name == "postgresql":
        return sa.func.clock_timestamp(type_=sa.DateTime(timezone=True)) + sa.literal(lease, sa.Interval)
    return sa.literal(now + lease, UtcDateTime)
