"""Events: what takes place where and when, for children of which age; cancelled and changed ones stay visible."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.texts import Texts
from database import Base, BigId, Json, UtcDateTime
from geo.within import Box


class EventStatus(StrEnum):
    """What became of it."""

    SCHEDULED = "scheduled"
    CHANGED = "changed"  # another day, time or place than first published; `was` has the old ones
    POSTPONED = "postponed"  # 延期: the new day is not known
    CANCELLED = "cancelled"  # 中止


class Event(Base):
    """One event of one source; (source, source_id) is its identity, the numeric id never changes or returns."""

    __tablename__ = "events"
    __table_args__ = (
        sa.UniqueConstraint("source", "source_id"),
        sa.Index(None, "ends_on", "starts_on"),
        sa.Index(None, "cell"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(sa.Text)
    source_id: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str] = mapped_column(sa.Text)
    name_kana: Mapped[str | None] = mapped_column(sa.Text)
    name_en: Mapped[str | None] = mapped_column(sa.Text)
    texts: Mapped[Texts | None] = mapped_column(Json)  # title and body in more languages
    starts_on: Mapped[dt.date] = mapped_column(sa.Date)
    ends_on: Mapped[dt.date] = mapped_column(sa.Date)
    start_time: Mapped[str | None] = mapped_column(sa.Text)  # 09:00, the city's clock
    end_time: Mapped[str | None] = mapped_column(sa.Text)
    time_note: Mapped[str | None] = mapped_column(sa.Text)
    description: Mapped[str | None] = mapped_column(sa.Text)
    category: Mapped[str | None] = mapped_column(sa.Text)
    audience: Mapped[str | None] = mapped_column(sa.Text)  # 対象, as published
    from_months: Mapped[int | None] = mapped_column(sa.Integer)  # age of the child, where the audience says it
    to_months: Mapped[int | None] = mapped_column(sa.Integer)  # the first age for which it is no longer meant
    fee: Mapped[str | None] = mapped_column(sa.Text)
    capacity: Mapped[str | None] = mapped_column(sa.Text)
    apply_until: Mapped[dt.date | None] = mapped_column(sa.Date)
    apply_note: Mapped[str | None] = mapped_column(sa.Text)
    organiser: Mapped[str | None] = mapped_column(sa.Text)
    contact: Mapped[str | None] = mapped_column(sa.Text)
    phone: Mapped[str | None] = mapped_column(sa.Text)
    place_name: Mapped[str | None] = mapped_column(sa.Text)
    address: Mapped[str | None] = mapped_column(sa.Text)
    access: Mapped[str | None] = mapped_column(sa.Text)
    lat: Mapped[float | None] = mapped_column(sa.Float(53))  # degrees, WGS 84
    lon: Mapped[float | None] = mapped_column(sa.Float(53))
    cell: Mapped[int | None] = mapped_column(sa.BigInteger)  # 125 m, geo.mesh
    municipality_code: Mapped[str | None] = mapped_column(sa.Text)
    url: Mapped[str | None] = mapped_column(sa.Text)
    note: Mapped[str | None] = mapped_column(sa.Text)
    status: Mapped[str] = mapped_column(sa.Text)
    changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # when status, day, time or place last moved
    was: Mapped[dict[str, Any] | None] = mapped_column(Json)  # what of these stood there before
    licence: Mapped[str | None] = mapped_column(sa.Text)
    as_of: Mapped[dt.date | None] = mapped_column(sa.Date)
    content_hash: Mapped[str] = mapped_column(sa.Text)
    imported_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[str | None] = mapped_column(sa.Text)  # the person who took it away; None: its list did

    def suits(self, age_months: int) -> bool | None:
        """Whether a child of this age is meant; None when the list does not say."""
        if self.from_months is None and self.to_months is None:
            return None
        return (self.from_months or 0) <= age_months and (self.to_months is None or age_months < self.to_months)


def get(session: Session, event_id: int) -> Event | None:
    """The event, withdrawn ones included (see `withdrawn_at`), or None."""
    return session.get(Event, event_id)


def between(
    session: Session, since: dt.date | None, until: dt.date | None, *, words: str = "", withdrawn: bool = False
) -> sa.ScalarResult[Event]:
    """For city hall: events of these days, both included, or those that were taken away; by first day, then id.

    `words`: all of them in the name, its reading, the place, the organiser or the category.
    """
    wanted = sa.select(Event).where(Event.withdrawn_at.is_not(None) if withdrawn else Event.withdrawn_at.is_(None))
    if since is not None:
        wanted = wanted.where(Event.ends_on >= since)
    if until is not None:
        wanted = wanted.where(Event.starts_on <= until)
    for word in words.split():
        places = (Event.name, Event.name_kana, Event.name_en, Event.place_name, Event.organiser, Event.category)
        wanted = wanted.where(sa.or_(*(place.icontains(word, autoescape=True) for place in places)))
    return session.scalars(wanted.order_by(Event.starts_on, Event.id).execution_options(yield_per=500))


def listed(
    session: Session,
    *,
    since: dt.date,
    until: dt.date | None = None,
    box: Box | None = None,
    cells: Collection[int] = (),
    age_months: int | None = None,
    status: Collection[EventStatus] = (),
    keep: Callable[[Event], bool] = lambda _: True,
    place: tuple[dt.date, int] | None = None,
    limit: int = 50,
) -> Sequence[Event]:
    """Events that take place between two days, both included, ordered by their first day, then id.

    `box` and `cells` leave out events without a position; an age leaves out those that are for others and keeps
    those that do not say; `keep` decides on the rest; `place` is the (first day, id) the last page ended with.
    """
    wanted = sa.select(Event).where(Event.withdrawn_at.is_(None), Event.ends_on >= since)
    if until is not None:
        wanted = wanted.where(Event.starts_on <= until)
    if box is not None:
        south, west, north, east = box
        wanted = wanted.where(Event.lat.between(south, north), Event.lon.between(west, east))
    if cells:
        wanted = wanted.where(Event.cell.in_(cells))
    if age_months is not None:
        wanted = wanted.where(
            sa.or_(Event.from_months.is_(None), Event.from_months <= age_months),
            sa.or_(Event.to_months.is_(None), Event.to_months > age_months),
        )
    if status:
        wanted = wanted.where(Event.status.in_([EventStatus(one).value for one in status]))
    if place is not None:
        day, last = place
        wanted = wanted.where(sa.or_(Event.starts_on > day, sa.and_(Event.starts_on == day, Event.id > last)))
    found = filter(keep, session.scalars(wanted.order_by(Event.starts_on, Event.id).execution_options(yield_per=500)))
    return [event for event, _ in zip(found, range(limit), strict=False)]
