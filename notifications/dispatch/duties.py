"""Duties: what is due by the clock, done once in the whole fleet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, UtcDateTime, insert_ignore, transaction, unreachable
from notifications.dispatch import leases

AGAIN_AFTER_A_FAULT = dt.timedelta(minutes=1)

log = structlog.get_logger("duties")


class DutyTime(Base):
    """When a duty is due next, and until when a worker has it in hand."""

    __tablename__ = "duties"

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    held_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(sa.Integer)  # how often it was taken up


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do again and again. Two runs of it must not harm each other: a frozen worker may wake up late.

    `run` gets the engine and the worker's moment and opens its own transactions; see `in_one_transaction`.
    `lasts` is longer than a run can take: after that another worker takes the duty up.
    """

    name: str
    every: dt.timedelta
    run: Callable[[Engine, dt.datetime], object]
    lasts: dt.timedelta = dt.timedelta(minutes=5)


def in_one_transaction(work: Callable[[Session, dt.datetime], object]) -> Callable[[Engine, dt.datetime], object]:
    """A duty's function from one that needs a single writing transaction."""

    def run(engine: Engine, now: dt.datetime) -> object:
        with transaction(engine) as session:
            return work(session, now)

    return run


def see_to(engine: Engine, duties: Sequence[Duty], now: dt.datetime) -> list[str]:
    """Does what is due and nobody else has in hand; returns the names of what was done well.

    A duty that fails is logged and tried again after a minute; it keeps no other waiting. Raises only
    when the database cannot be reached.
    """
    done = []
    for duty in _due(engine, duties, now):
        with transaction(engine) as session:
            fence = _take(session, duty, now)
        if fence is None:
            continue
        wait = duty.every
        try:
            duty.run(engine, now)
            done.append(duty.name)
        except Exception as error:
            if unreachable(error):
                raise
            log.exception("duty_failed", duty=duty.name)
            wait = min(wait, AGAIN_AFTER_A_FAULT)
        with transaction(engine) as session:
            _end(session, duty, fence, now, wait)
    return done


def _due(engine: Engine, duties: Sequence[Duty], now: dt.datetime) -> list[Duty]:
    """What is due, by a look that locks nothing."""
    with transaction(engine, "read") as session:
        known = set(session.scalars(sa.select(DutyTime.name)))
        due = set(session.scalars(sa.select(DutyTime.name).where(_open(session, now))))
    unknown = [duty for duty in duties if duty.name not in known]
    if unknown:
        with transaction(engine) as session:
            for duty in unknown:
                insert_ignore(
                    session,
                    DutyTime,
                    {"name": duty.name, "due_at": leases.clock(session, now), "held_until": None, "fence": 0},
                )
    return [duty for duty in duties if duty.name in due or duty in unknown]


def _open(session: Session, now: dt.datetime) -> sa.ColumnElement[bool]:
    clock = leases.clock(session, now)
    return sa.and_(DutyTime.due_at <= clock, sa.or_(DutyTime.held_until.is_(None), DutyTime.held_until < clock))


def _take(session: Session, duty: Duty, now: dt.datetime) -> int | None:
    """Takes a due duty in hand; None when somebody else was faster."""
    return session.scalar(
        sa.update(DutyTime)
        .where(DutyTime.name == duty.name, _open(session, now))
        .values(held_until=leases.until(session, now, duty.lasts), fence=DutyTime.fence + 1)
        .returning(DutyTime.fence)
    )


def _end(session: Session, duty: Duty, fence: int, now: dt.datetime, wait: dt.timedelta) -> None:
    session.execute(
        sa.update(DutyTime)
        .where(DutyTime.name == duty.name, DutyTime.fence == fence)
        .values(due_at=leases.until(session, now, wait), held_until=None)
    )
