"""What an import of garbage data counts and tells of each row that it adds, changes or withdraws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import object_session

from content.garbage.categories import GarbageCategory
from content.garbage.rules import GarbageRule
from content.opendata.garbage_harvest import RuleRow
from geo.opendata.report import Report


def added(report: Report, row: Any, counted: bool = True) -> None:
    """A row that is new."""
    if counted:
        report.added += 1
        told = {name: getattr(row, name) for name in ("ward", "centre", "kind", "first", "last") if _has(row, name)}
        report.differs("added", row.key, name_of(row), after=told)


def changed(
    report: Report, row: Any, values: Mapping[str, Any], rules: Iterable[RuleRow] | None = None, counted: bool = True
) -> None:
    """A row that gets other values, or comes back. `rules`: what a collection area's become."""
    if not counted:
        return
    gone = row.withdrawn_at is not None
    report.restored += gone
    report.changed += not gone
    before, after = {name: getattr(row, name, None) for name in values}, dict(values)
    if rules is not None:
        before["rules"], after["rules"] = _stored(row), sorted(map(_said, rules), key=str)
    report.differs("restored" if gone else "changed", row.key, name_of(row), before, after)


def withdrawn(report: Report, row: Any) -> None:
    """A row that the source no longer has."""
    report.withdrawn += 1
    report.differs("withdrawn", row.key, name_of(row))


def name_of(row: Any) -> str:
    """What people call it."""
    names = getattr(row, "names", None) or {}
    return str(getattr(row, "name", None) or names.get("ja") or row.key)


def _has(row: Any, name: str) -> bool:
    return bool(getattr(row, name, None))


def _stored(area: Any) -> list[dict[str, Any]]:
    session = object_session(area)
    if session is None:
        return []
    wanted = (
        sa.select(GarbageRule, GarbageCategory.key)
        .join(GarbageCategory, GarbageCategory.id == GarbageRule.category_id)
        .where(GarbageRule.area_id == area.id)
    )
    return sorted((_words(rule, key, rule.pattern) for rule, key in session.execute(wanted)), key=str)


def _said(rule: RuleRow) -> dict[str, Any]:
    return _words(rule, rule.category, rule.pattern.to_json())


def _words(rule: Any, category: str, pattern: Mapping[str, Any]) -> dict[str, Any]:
    days = {"first": rule.first and rule.first.isoformat(), "last": rule.last and rule.last.isoformat()}
    said = {"category": category, **pattern, **days, "note": rule.note, "reason": rule.reason}
    return {name: value for name, value in said.items() if value not in (None, [], {}, "")}
