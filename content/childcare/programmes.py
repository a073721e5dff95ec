"""Dated programmes: checks, routine vaccines, allowances, applications, each version with its source and dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.childcare.plans import Kind, Plan, period_of
from content.childcare.published import Published, after, offered, present
from database import Base, Json


class Programme(Published, Base):
    """One version of a programme; `periods` as `content.childcare.windows` and `plans` read them."""

    __tablename__ = "childcare_programmes"
    __table_args__ = (sa.UniqueConstraint("source", "key", "version"), {"sqlite_autoincrement": True})

    kind: Mapped[str] = mapped_column(sa.Text)
    periods: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    born_from: Mapped[dt.date | None] = mapped_column(sa.Date)
    born_to: Mapped[dt.date | None] = mapped_column(sa.Date)  # the last birthday that is meant


def listed(
    session: Session,
    day: dt.date | None,
    *,
    kinds: Collection[Kind] = (),
    codes: Collection[str] | None = None,
    place: Sequence[object] | None = None,
    limit: int = 50,
) -> list[Programme]:
    """Programmes in effect on a day (None: every version) in the order of their positions, behind `place`."""
    wanted = present(Programme, day)
    if kinds:
        wanted = wanted.where(Programme.kind.in_([Kind(kind).value for kind in kinds]))
    if place is not None:
        wanted = wanted.where(after(Programme, place))
    found = (one for one in session.scalars(wanted) if offered(one.areas, codes))
    return [one for one, _ in zip(found, range(limit), strict=False)]


def plans(session: Session, codes: Collection[str] | None = None) -> list[Plan]:
    """Every version that is not withdrawn, as plain data for `content.childcare.timeline`."""
    return [plan_of(one) for one in session.scalars(present(Programme, None)) if offered(one.areas, codes)]


def plan_of(row: Programme) -> Plan:
    """A programme as plain data."""
    return Plan(
        key=row.key,
        version=row.version,
        kind=Kind(row.kind),
        texts=row.texts,
        periods=tuple(map(period_of, row.periods)),
        position=row.position,
        topic=row.topic,
        areas=tuple(row.areas),
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        born_from=row.born_from,
        born_to=row.born_to,
        links=row.links,
        provenance={
            "source": row.source,
            "source_name": row.source_name,
            "source_url": row.source_url,
            "licence": row.licence,
            "as_of": row.as_of,
            "sample": row.sample,
        },
    )
