"""The city's hours at which reminders are due, and up to which of them they were seen to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content import calendar
from database import Base, UtcDateTime, insert_ignore

STEP = 30  # minutes: whole and half hours
_DAY = 24 * 60


class ReminderClock(Base):
    """Up to which moment reminders of a kind were seen to. Moves forward only, in the transaction that posts them."""

    __tablename__ = "reminder_clocks"

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    done_until: Mapped[dt.datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Hour:
    """A whole or half hour on the city's wall."""

    day: dt.date
    minute: int  # of the day

    def __str__(self) -> str:
        return f"{self.day.isoformat()}T{self.minute // 60:02d}:{self.minute % 60:02d}"


@dataclass(frozen=True, slots=True)
class Strike:
    """A moment, and the hours that the city's clock shows or skips in it.

    Where a change of the clock skips an hour, what was asked for in it is due when it would have been; where an hour
    comes twice, the first time counts.
    """

    moment: dt.datetime
    hours: tuple[Hour, ...]


def moment_of(day: dt.date, minute: int, zone: ZoneInfo) -> dt.datetime:
    """The moment (UTC) at which the city's clock shows this minute of a day, for the first time."""
    return dt.datetime.combine(day, dt.time(*divmod(minute, 60)), zone).astimezone(dt.UTC)


def strikes(since: dt.datetime, until: dt.datetime, zone: ZoneInfo) -> list[Strike]:
    """Every strike later than `since` and not later than `until`, in order."""
    first, last = (calendar.day_of(moment, zone) for moment in (since, until))
    found: dict[dt.datetime, list[Hour]] = {}
    # A skipped hour may belong to the day before or after.
    for offset in range(-1, (last - first).days + 2):
        day = first + dt.timedelta(days=offset)
        for minute in range(0, _DAY, STEP):
            moment = moment_of(day, minute, zone)
            if since < moment <= until:
                found.setdefault(moment, []).append(Hour(day, minute))
    return [Strike(moment, tuple(found[moment])) for moment in sorted(found)]


def due(session: Session, name: str, now: dt.datetime, late: dt.timedelta, zone: ZoneInfo) -> list[Strike]:
    """What was not seen to yet of the last `late`: what is older is stale, and over."""
    done = session.scalar(sa.select(ReminderClock.done_until).where(ReminderClock.name == name))
    return strikes(max(done or now - late, now - late), now, zone)


def advance(session: Session, name: str, moment: dt.datetime) -> bool:
    """Says that everything up to a moment is seen to; False when somebody else was there before.

    Whoever gets True posts in the same transaction; others wait for its end and then get False.
    """
    if insert_ignore(session, ReminderClock, {"name": name, "done_until": moment}):
        return True
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(ReminderClock)
        .where(ReminderClock.name == name, ReminderClock.done_until < moment)
        .values(done_until=moment)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1
