"""Kinds of garbage: names, bag, limits, how and until when to put them out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json, UtcDateTime

Words = dict[str, str]  # one text by language

# The texts a category may have beside its name, in the order in which they are shown.
TEXTS = ("bag", "limits", "how", "note")


class GarbageCategory(Base):
    """One kind of garbage of a source. Its number stays; it is withdrawn, never deleted."""

    __tablename__ = "garbage_categories"
    __table_args__ = (sa.UniqueConstraint("source", "key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(sa.Text)
    key: Mapped[str] = mapped_column(sa.Text)  # as its list names it
    position: Mapped[int] = mapped_column(sa.Integer)
    names: Mapped[Words] = mapped_column(Json)
    bag: Mapped[Words] = mapped_column(Json)
    limits: Mapped[Words] = mapped_column(Json)
    how: Mapped[Words] = mapped_column(Json)
    note: Mapped[Words] = mapped_column(Json)
    cutoff: Mapped[str | None] = mapped_column(sa.Text)  # "08:30" by the city's clock, on the day
    colour: Mapped[str | None] = mapped_column(sa.Text)  # "#rrggbb"
    link: Mapped[str | None] = mapped_column(sa.Text)  # where to apply, for what is fetched on request
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def listed(session: Session, source: str | None = None) -> Sequence[GarbageCategory]:
    """The present categories in the order of their lists; of one source when given."""
    wanted = sa.select(GarbageCategory).where(GarbageCategory.withdrawn_at.is_(None))
    if source is not None:
        wanted = wanted.where(GarbageCategory.source == source)
    order = (GarbageCategory.source, GarbageCategory.position, GarbageCategory.id)
    return session.scalars(wanted.order_by(*order)).all()


def every(session: Session) -> Sequence[GarbageCategory]:
    """All that there ever were, withdrawn ones too: calendars of the past name them."""
    return session.scalars(sa.select(GarbageCategory).order_by(GarbageCategory.id)).all()


def by_id(session: Session, ids: Sequence[int]) -> dict[int, GarbageCategory]:
    """Categories by their numbers, withdrawn ones too."""
    found = session.scalars(sa.select(GarbageCategory).where(GarbageCategory.id.in_(set(ids))))
    return {one.id: one for one in found}
