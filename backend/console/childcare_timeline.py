"""The timeline of a month of birth before and after an edit: what a parent would read otherwise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from backend.console import garbage_words
from backend.console.language import mark, say
from content import offices
from content.childcare.plans import Plan
from content.childcare.timeline import Item, Status, of_month

STATUSES = {
    Status.MAYBE_PASSED: mark("期限を過ぎたかもしれない"),
    Status.DUE_NOW: mark("いまできる"),
    Status.SOON: mark("もうすぐ"),
    Status.UPCOMING: mark("まだ先"),
    Status.PASSED: mark("終わった"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One period of a programme as a parent sees it; `was` is the other dates it had, "" for none."""

    name: str
    when: str
    recommended: str
    status: str
    was: str
    change: str  # "" for none, added, dropped, changed


def compare(before: Sequence[Plan], after: Sequence[Plan], month: str, today: dt.date) -> list[Row]:
    """Every period of the month, those that change with what they were. Raises ValueError for a month that is none."""
    both = (of_month(plans, month, today, offices.are_open) for plans in (before, after))
    old, new = ({_key(one): one for one in items} for items in both)
    rows = []
    for key, one in new.items():
        was = old.get(key)
        changed = was is not None and _said(was) != _said(one)
        change = "added" if was is None else "changed" if changed else ""
        rows.append(_row(one, change, _when(was) if was is not None and changed else ""))
    rows += [_row(one, "dropped", "") for key, one in old.items() if key not in new]
    return rows


def _key(one: Item) -> tuple[str, str, dt.date | None]:
    return one.plan.key, one.period.key, one.plan.effective_from


def _said(one: Item) -> tuple[str, str, str]:
    return _name(one), _when(one), _recommended(one)


def _row(one: Item, change: str, was: str) -> Row:
    return Row(_name(one), _when(one), _recommended(one), say(STATUSES[one.status]), was, change)


def _name(one: Item) -> str:
    title = garbage_words.text_of({tag: text["title"] for tag, text in one.plan.texts.items()})
    part = garbage_words.text_of(one.period.names)
    return f"{title} {part}".strip()


def _when(one: Item) -> str:
    if one.depends_on_day:
        return say("生まれた日によって違う")
    first = garbage_words.day(one.starts_on, year=True) if one.starts_on else say("生まれてすぐ")
    return f"{first} 〜 {garbage_words.day(one.ends_on, year=True) if one.ends_on else ''}"


def _recommended(one: Item) -> str:
    return garbage_words.span(*one.recommended) if one.recommended else ""
