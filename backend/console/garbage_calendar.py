"""A month of an area, day by day with reasons; and what another calendar would change."""

from __future__ import annotations

import calendar as months
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.console.language import current
from content import calendar
from content.garbage import differences
from content.garbage.categories import GarbageCategory
from content.garbage.reasons import sentence
from content.garbage.rules import AreaRules

PREVIEW_MONTHS, FARTHEST_MONTHS = 3, 13
MOST_DIFFERENCES = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One category on one day: collected, or not although the rules mean to."""

    category: GarbageCategory
    why: str
    held: bool = True
    special: bool = False  # not simply as its rule says


@dataclass(slots=True)
class Day:
    """One day of the month."""

    date: dt.date
    holiday: str | None
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Changed:
    """A day that becomes another under the new calendar; `becomes` is added or dropped."""

    date: dt.date
    category: GarbageCategory
    becomes: str
    why: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Before and after: all differences, and the months that are shown whole."""

    changed: list[Changed]
    more: int
    until: dt.date
    months: list[tuple[list[Day], list[Day]]]


def month_of(day: dt.date, steps: int = 0) -> dt.date:
    """The first of the month, so many months on."""
    whole = day.year * 12 + day.month - 1 + steps
    return dt.date(whole // 12, whole % 12 + 1, 1)


def read_month(written: str, today: dt.date) -> dt.date:
    """The month of an address (2026-12); this one for anything else, and none so far off that nothing is known."""
    try:
        found = dt.date.fromisoformat(f"{written}-01")
    except ValueError:
        return month_of(today)
    return found if abs(found.year - today.year) <= 20 else month_of(today)


def days(rules: AreaRules, first: dt.date, kinds: Mapping[int, GarbageCategory]) -> list[Day]:
    """Every day of a month."""
    last = first.replace(day=months.monthrange(first.year, first.month)[1])
    plan, language = rules.plan(first, last), current()
    found = {}
    for number in range(1, last.day + 1):
        day = first.replace(day=number)
        name = calendar.holiday(day)
        found[day] = Day(day, calendar.holiday_name(name, language) if name else None)
    for one in plan.collections:
        special = one.moved or len(one.reasons) > 1 or one.reasons[0].code in ("added", "overlay")
        found[one.day].lines.append(Line(kinds[one.category], sentence(one.reasons, language), special=special))
    for lost in plan.missed:
        line = Line(kinds[lost.category], sentence(lost.reasons, language), held=False, special=True)
        found[lost.day].lines.append(line)
    return list(found.values())


def compare(before: AreaRules, after: AreaRules, today: dt.date, kinds: Mapping[int, GarbageCategory]) -> Compared:
    """The differences of a year, and the next months whole where anything differs."""
    until = month_of(today, FARTHEST_MONTHS) - dt.timedelta(days=1)
    found, language = [], current()
    for one in differences.between(before, after, today, until):
        held = one.after or one.why or one.before
        why = sentence(held.reasons, language) if held is not None and (one.after or one.why) else ""
        found.append(Changed(one.day, kinds[one.category], "added" if one.after else "dropped", why))
    touched = sorted({month_of(one.date) for one in found})[:PREVIEW_MONTHS]
    shown = touched or [month_of(today, step) for step in range(PREVIEW_MONTHS)]
    whole = [(days(before, first, kinds), days(after, first, kinds)) for first in shown]
    return Compared(found[:MOST_DIFFERENCES], max(0, len(found) - MOST_DIFFERENCES), until, whole)
