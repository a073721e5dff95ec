"""Guides for parents: how something works, in several languages, with links and a source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.childcare.published import Published, after, offered, present
from database import Base


class Guide(Published, Base):
    """One version of a guide."""

    __tablename__ = "childcare_guides"
    __table_args__ = (sa.UniqueConstraint("source", "key", "version"), {"sqlite_autoincrement": True})

    from_months: Mapped[int | None] = mapped_column(sa.Integer)  # of the child's age
    to_months: Mapped[int | None] = mapped_column(sa.Integer)  # the first age for which it is no longer meant


def listed(
    session: Session,
    day: dt.date,
    *,
    topic: str | None = None,
    codes: Collection[str] | None = None,
    age_months: int | None = None,
    place: Sequence[object] | None = None,
    limit: int = 50,
) -> list[Guide]:
    """Guides in effect on a day in the order of their positions, behind `place` (position, key, version).

    `topic` takes its subtopics in; `codes` are an area's and those above it; a guide without ages suits every age.
    """
    wanted = present(Guide, day)
    if topic is not None:
        wanted = wanted.where(sa.or_(Guide.topic == topic, Guide.topic.startswith(topic + ".", autoescape=True)))
    if age_months is not None:
        wanted = wanted.where(
            sa.or_(Guide.from_months.is_(None), Guide.from_months <= age_months),
            sa.or_(Guide.to_months.is_(None), Guide.to_months > age_months),
        )
    if place is not None:
        wanted = wanted.where(after(Guide, place))
    found = (guide for guide in session.scalars(wanted) if offered(guide.areas, codes))
    return [guide for guide, _ in zip(found, range(limit), strict=False)]


def get(session: Session, key: str, day: dt.date) -> Guide | None:
    """The newest version of a guide that is in effect on a day."""
    wanted = present(Guide, day).where(Guide.key == key).order_by(None)
    return session.scalars(wanted.order_by(Guide.version.desc(), Guide.id.desc()).limit(1)).first()
