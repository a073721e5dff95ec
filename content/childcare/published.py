"""What guides and programmes have in common: texts, where and when they hold, whose word they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.texts import Texts
from database import BigId, Json, UtcDateTime
from geo import areas

_HIGHEST = 4  # town, ward, city, prefecture


class Published:
    """Columns of both tables. (source, key, version) is the identity; a key is unique in what is shown."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(sa.Text)
    key: Mapped[str] = mapped_column(sa.Text, index=True)  # public id
    version: Mapped[int] = mapped_column(sa.Integer)
    position: Mapped[int] = mapped_column(sa.Integer)
    topic: Mapped[str | None] = mapped_column(sa.Text)
    texts: Mapped[Texts] = mapped_column(Json)
    links: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    areas: Mapped[list[str]] = mapped_column(Json)  # codes; empty: the whole city
    effective_from: Mapped[dt.date | None] = mapped_column(sa.Date)
    effective_to: Mapped[dt.date | None] = mapped_column(sa.Date)  # the last day
    source_name: Mapped[str] = mapped_column(sa.Text)
    source_url: Mapped[str | None] = mapped_column(sa.Text)
    licence: Mapped[str | None] = mapped_column(sa.Text)
    as_of: Mapped[dt.date | None] = mapped_column(sa.Date)
    sample: Mapped[bool] = mapped_column(sa.Boolean)  # the city has not confirmed it
    content_hash: Mapped[str] = mapped_column(sa.Text)
    imported_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    def holds(self, day: dt.date) -> bool:
        """Whether it is in effect on a day."""
        return (self.effective_from or day) <= day <= (self.effective_to or day)


def present(table: type[Any], day: dt.date | None) -> sa.Select[Any]:
    """Rows of a table that are not withdrawn, in effect on a day (None: at any time), in the order of lists."""
    wanted = sa.select(table).where(table.withdrawn_at.is_(None))
    if day is not None:
        wanted = wanted.where(
            sa.or_(table.effective_from.is_(None), table.effective_from <= day),
            sa.or_(table.effective_to.is_(None), table.effective_to >= day),
        )
    return wanted.order_by(table.position, table.key, table.version, table.id)


def after(table: type[Any], place: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Rows that stand behind a place (position, key, version) of such a list."""
    position, key, version = place
    return sa.or_(
        table.position > position,
        sa.and_(table.position == position, table.key > key),
        sa.and_(table.position == position, table.key == key, table.version > version),
    )


def codes_above(session: Session, code: str) -> tuple[str, ...]:
    """An area's code and those of the areas above it; empty for a code that is unknown."""
    found: list[str] = []
    area = areas.get(session, code)
    while area is not None and area.code not in found and len(found) < _HIGHEST + 1:
        found.append(area.code)
        area = areas.get(session, area.parent_code) if area.parent_code else None
    return tuple(found)


def offered(held: Collection[str], codes: Collection[str] | None) -> bool:
    """Whether something for these areas (none: everywhere) concerns a reader; None: every reader."""
    return codes is None or not held or bool(set(held) & set(codes))
