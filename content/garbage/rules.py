"""Collection rules as rows with validity, and the exceptions to them; read for one area or many."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.garbage.areas import GarbageArea
from content.garbage.pattern import Pattern
from content.garbage.schedule import Change, Plan, Rule, plan
from database import Base, BigId, Json, UtcDateTime

Words = dict[str, str]
_CHUNK = 500


class GarbageRule(Base):
    """When one category is collected in one area (None: in every area of the source), from and to which day."""

    __tablename__ = "garbage_rules"
    __table_args__ = (sa.Index(None, "area_id"), sa.Index(None, "source", "area_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(sa.Text)
    area_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("garbage_areas.id"))
    category_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("garbage_categories.id"))
    pattern: Mapped[dict[str, Any]] = mapped_column(Json)  # as `Pattern.to_json`
    first: Mapped[dt.date | None] = mapped_column(sa.Date)
    last: Mapped[dt.date | None] = mapped_column(sa.Date)
    on_holidays: Mapped[bool] = mapped_column(sa.Boolean)
    overlay: Mapped[bool] = mapped_column(sa.Boolean)
    key: Mapped[str | None] = mapped_column(sa.Text)  # of an overlay for the whole source, so that it can be replaced
    reason: Mapped[Words] = mapped_column(Json)
    note: Mapped[Words] = mapped_column(Json)


class GarbageChange(Base):
    """One exception, for a source, a centre's areas or one area; withdrawn, never deleted: feeds count revisions."""

    __tablename__ = "garbage_changes"
    __table_args__ = (sa.UniqueConstraint("source", "key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(sa.Text)
    key: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)  # closed | moved | added
    centre: Mapped[str | None] = mapped_column(sa.Text)  # None: all
    area_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("garbage_areas.id"))
    category_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("garbage_categories.id"))
    first: Mapped[dt.date] = mapped_column(sa.Date)
    last: Mapped[dt.date] = mapped_column(sa.Date)
    moved_to: Mapped[dt.date | None] = mapped_column(sa.Date)
    lost_nth: Mapped[int | None] = mapped_column(sa.Integer)
    new_nth: Mapped[int | None] = mapped_column(sa.Integer)
    reason: Mapped[Words] = mapped_column(Json)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    def plain(self) -> Change:
        """As the engine takes it."""
        return Change(
            self.kind, self.first, self.last, self.moved_to, self.category_id, self.lost_nth, self.new_nth,
            self.reason, self.id,
        )  # fmt: skip


@dataclass(slots=True)
class AreaRules:
    """All that decides the days of one area; `past` are withdrawn exceptions, which only feeds look at."""

    rules: list[Rule] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    past: list[Change] = field(default_factory=list)

    def plan(self, first: dt.date, last: dt.date) -> Plan:
        """Collections and what is missed from `first` to `last`, both included."""
        return plan(self.rules, first, last, self.changes)


def of_area(session: Session, area: GarbageArea) -> AreaRules:
    """The rules and exceptions of one area."""
    return of_areas(session, [area])[area.id]


def of_areas(session: Session, areas: Sequence[GarbageArea]) -> dict[int, AreaRules]:
    """The rules and exceptions of many areas, in a handful of queries."""
    found = {area.id: AreaRules() for area in areas}
    by_source: dict[str, list[GarbageArea]] = defaultdict(list)
    for area in areas:
        by_source[area.source].append(area)
    ids = sorted(found)
    for start in range(0, len(ids), _CHUNK):
        own = sa.select(GarbageRule).where(GarbageRule.area_id.in_(ids[start : start + _CHUNK]))
        for row in session.scalars(own.order_by(GarbageRule.id)):
            found[row.area_id or 0].rules.append(_rule(row))
    for source, members in by_source.items():
        shared = sa.select(GarbageRule).where(GarbageRule.source == source, GarbageRule.area_id.is_(None))
        everywhere = [_rule(row) for row in session.scalars(shared.order_by(GarbageRule.id))]
        changes = sa.select(GarbageChange).where(GarbageChange.source == source).order_by(GarbageChange.id)
        rows = [(stored, stored.plain()) for stored in session.scalars(changes)]
        for area in members:
            mine = found[area.id]
            mine.rules += everywhere
            for stored, change in rows:
                if stored.area_id in (None, area.id) and stored.centre in (None, area.centre):
                    (mine.changes if stored.withdrawn_at is None else mine.past).append(change)
    return found


def _rule(row: GarbageRule) -> Rule:
    return Rule(
        row.category_id, Pattern.from_json(row.pattern), row.first, row.last, row.on_holidays, row.overlay,
        row.reason, row.note,
    )  # fmt: skip
