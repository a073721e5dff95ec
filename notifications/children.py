"""The birth months of a family's children, never a birthday, and the hour at which their dates are told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.childcare.ages import days_of
from database import Base, BigId
from geo import areas
from notifications import devices
from notifications.garbage_days import DAY, WishRefused

MOST_CHILDREN = 8
OLDEST_YEARS = 20
EXPECTED_DAYS = 300  # a child may be told of before it is born


class Child(Base):
    """A month in which a child of this device's family was born, or is expected."""

    __tablename__ = "children"
    __table_args__ = (
        sa.PrimaryKeyConstraint("born", "device_id"),
        sa.Index(None, "minute", "born", "area", "device_id"),
        sa.Index(None, "device_id"),
        {"sqlite_with_rowid": False},
    )

    born: Mapped[str] = mapped_column(sa.Text)  # 2026-03
    device_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("devices.id", ondelete="CASCADE"))
    area: Mapped[str] = mapped_column(sa.Text)  # whose programmes hold: a code of geo.areas; empty: the whole city
    minute: Mapped[int | None] = mapped_column(sa.Integer)  # of the day, at which dates are told; None: they are not


@dataclass(frozen=True, slots=True)
class Family:
    """What a device said of its children."""

    born: tuple[str, ...] = ()
    area: str = ""
    minute: int | None = None


def put(session: Session, device_id: int, family: Family, today: dt.date) -> None:
    """Replaces what is known of the children. Raises WishRefused and then changes nothing."""
    _check(session, family, today)
    devices.hold(session, device_id)
    session.execute(sa.delete(Child).where(Child.device_id == device_id))
    rows = [
        {"born": month, "device_id": device_id, "area": family.area, "minute": family.minute}
        for month in sorted(set(family.born))
    ]
    if rows:
        session.execute(sa.insert(Child), rows)


def of_device(session: Session, device_id: int) -> Family:
    """What a device said of its children, the youngest first."""
    found = session.scalars(sa.select(Child).where(Child.device_id == device_id).order_by(Child.born.desc())).all()
    if not found:
        return Family()
    return Family(tuple(child.born for child in found), found[0].area, found[0].minute)


def asked_for(session: Session, minute: int) -> list[tuple[str, str]]:
    """Which (birth month, area) anybody wants to be told the dates of at this minute of the day."""
    query = sa.select(Child.born, Child.area).where(Child.minute == minute).distinct()
    return sorted((born, area) for born, area in session.execute(query))


def months(first: str, last: str) -> list[str]:
    """Every month from `first` to `last` (2023-04), both included. Raises ValueError for what is no month."""
    begin, end = (days_of(month)[0] for month in (first, last))
    numbers = range(begin.year * 12 + begin.month - 1, end.year * 12 + end.month)
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def _check(session: Session, family: Family, today: dt.date) -> None:
    if len(set(family.born)) > MOST_CHILDREN:
        raise WishRefused("born", f"at most {MOST_CHILDREN} months")
    for number, month in enumerate(family.born):
        try:
            first = days_of(month)[0]
        except ValueError as error:
            raise WishRefused(f"born[{number}]", str(error)) from None
        earliest = today.replace(year=today.year - OLDEST_YEARS, day=1)
        if not earliest <= first <= today + dt.timedelta(days=EXPECTED_DAYS):
            raise WishRefused(f"born[{number}]", f"a month from {earliest:%Y-%m} to some 10 months from now")
    # PostgreSQL takes no text with a NUL in it, not even to look for.
    if family.area and ("\0" in family.area or areas.get(session, family.area) is None):
        raise WishRefused("area", f"there is no area {family.area}")
    if family.minute is not None and (not 0 <= family.minute < DAY or family.minute % 30):
        raise WishRefused("at", "a whole or half hour, 00:00 to 23:30")
