"""Where garbage data come from: licence and age, and how often their calendar has changed."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, UtcDateTime, insert_ignore


class GarbageSource(Base):
    """One city's data. `schedule_version` counts the imports that changed areas, rules or exceptions."""

    __tablename__ = "garbage_sources"

    source: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    licence: Mapped[str | None] = mapped_column(sa.Text)
    as_of: Mapped[dt.date | None] = mapped_column(sa.Date)
    schedule_version: Mapped[int] = mapped_column(sa.Integer)
    schedule_changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def get(session: Session, source: str) -> GarbageSource | None:
    """What is known of a source."""
    return session.get(GarbageSource, source)


def put(
    session: Session,
    source: str,
    now: dt.datetime,
    *,
    schedule_changed: bool,
    licence: str | None = None,
    as_of: dt.date | None = None,
) -> GarbageSource:
    """Notes an import; licence and date stay where none is given."""
    fresh = {"source": source, "schedule_version": 0, "schedule_changed_at": now}
    insert_ignore(session, GarbageSource, fresh)
    found = session.get_one(GarbageSource, source)
    if schedule_changed:
        # Counted by the store itself: two imports must not write the same number.
        counted = GarbageSource.schedule_version + 1
        changed = sa.update(GarbageSource).where(GarbageSource.source == source)
        session.execute(changed.values(schedule_version=counted, schedule_changed_at=now))
    if licence is not None:
        found.licence = licence
    if as_of is not None:
        found.as_of = as_of
    session.flush()
    session.refresh(found)
    return found
