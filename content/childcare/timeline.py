"""What is due for a child of whom only the month of birth is known: right for every possible birthday.

A deadline is the earliest and a beginning the latest over all days of the month, so that nobody comes too late or too
early who keeps to them. Nothing is known of what was already done, and nothing is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from content.childcare.ages import days_of
from content.childcare.plans import Period, Plan
from content.childcare.windows import AfterBirth, IsOpen, Window

SOON_DAYS = 60
_FEW = 3  # alternatives that are worth showing
Span = tuple[dt.date, dt.date | None]  # first day, last day (None: never ends)


class Status(StrEnum):
    """Where a period stands on a day, in the order in which they are shown."""

    MAYBE_PASSED = "maybe_passed"  # over for some of the possible birthdays
    DUE_NOW = "due_now"  # open for every possible birthday
    SOON = "soon"  # begins within SOON_DAYS, or has begun for some of the possible birthdays
    UPCOMING = "upcoming"
    PASSED = "passed"  # over for every possible birthday


@dataclass(frozen=True, slots=True)
class Alternative:
    """What holds for some of the possible birthdays."""

    born_from: dt.date
    born_to: dt.date
    starts_on: dt.date
    ends_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Item:
    """One period for one month of birth."""

    plan: Plan
    period: Period
    status: Status
    starts_on: dt.date | None  # the latest beginning; None: from birth
    starts_on_earliest: dt.date
    ends_on: dt.date | None  # the earliest deadline; None: never ends
    ends_on_latest: dt.date | None
    recommended: tuple[dt.date, dt.date | None] | None
    born_from: dt.date  # the possible birthdays that are meant: usually the whole month
    born_to: dt.date
    whole_month: bool
    depends_on_day: bool  # no day suits every possible birthday: only the exact one can tell
    alternatives: tuple[Alternative, ...] = ()  # then, by birthday, when they are few


def of_month(
    plans: Iterable[Plan], month: str, today: dt.date, is_open: IsOpen, soon_days: int = SOON_DAYS
) -> list[Item]:
    """The timeline of a child born in `month` (2026-03), as of `today` (the city's day).

    Dates hold for every day of the month and do not move as days pass; the status looks only at birthdays up to
    `today`, while there are any. Raises ValueError for a month that is none.
    """
    births = days_of(month)
    items = []
    for plan in _in_force(list(plans), births, today):
        for period in plan.periods:
            item = _item(plan, period, births, today, is_open, soon_days)
            if item is not None:
                items.append(item)
    order = list(Status)
    return sorted(
        items,
        key=lambda item: (
            order.index(item.status),
            item.ends_on or dt.date.max,
            item.starts_on or item.starts_on_earliest,
            item.plan.position,
            item.plan.key,
        ),
    )


def status_of(spans: Sequence[Span], today: dt.date, soon_days: int = SOON_DAYS) -> Status:
    """Where a day stands to the windows of all possible birthdays."""
    over = [last is not None and last < today for _, last in spans]
    if all(over):
        return Status.PASSED
    if any(over):
        return Status.MAYBE_PASSED
    begun = [first <= today for first, _ in spans]
    if all(begun):
        return Status.DUE_NOW
    near = max(first for first, _ in spans) - today <= dt.timedelta(days=soon_days)
    return Status.SOON if near or any(begun) else Status.UPCOMING


def _in_force(plans: Sequence[Plan], births: Sequence[dt.date], today: dt.date) -> list[Plan]:
    """The versions that hold today, and of what does not hold yet those without such a predecessor."""
    meant = [
        plan
        for plan in plans
        if any(map(plan.concerns, births)) and (plan.effective_to is None or plan.effective_to >= today)
    ]
    now = {plan.key for plan in meant if plan.effective_from is None or plan.effective_from <= today}
    return [plan for plan in meant if (plan.effective_from or today) <= today or plan.key not in now]


def _item(
    plan: Plan, period: Period, births: Sequence[dt.date], today: dt.date, is_open: IsOpen, soon_days: int
) -> Item | None:
    spans = {birth: span for birth in births if (span := _span(plan, period.window, birth, is_open)) is not None}
    if not spans:
        return None
    born = [span for birth, span in spans.items() if birth <= today] or list(spans.values())
    firsts = [first for first, _ in spans.values()]
    lasts = [last for _, last in spans.values() if last is not None]
    from_birth = period.window.begins == AfterBirth(0) and all(birth == span[0] for birth, span in spans.items())
    starts_on = None if from_birth else max(firsts)
    ends_on = min(lasts, default=None)
    torn = starts_on is not None and ends_on is not None and ends_on < starts_on
    return Item(
        plan=plan,
        period=period,
        status=status_of(born, today, soon_days),
        starts_on=starts_on,
        starts_on_earliest=min(firsts),
        ends_on=ends_on,
        ends_on_latest=max(lasts) if len(lasts) == len(spans) else None,
        recommended=_recommended(plan, period, spans, is_open),
        born_from=min(spans),
        born_to=max(spans),
        whole_month=len(spans) == len(births),
        depends_on_day=torn,
        alternatives=_alternatives(spans) if torn else (),
    )


def _span(plan: Plan, window: Window, birth: dt.date, is_open: IsOpen) -> Span | None:
    """The window of one birthday within the dates on which the rule holds, or None when nothing of it is left."""
    if not plan.concerns(birth):
        return None
    first, last = window.of(birth, is_open)
    if plan.effective_from is not None:
        first = max(first, plan.effective_from)
    if plan.effective_to is not None:
        last = min(last, plan.effective_to) if last is not None else plan.effective_to
    return None if last is not None and last < first else (first, last)


def _recommended(plan: Plan, period: Period, births: Iterable[dt.date], is_open: IsOpen) -> Span | None:
    """The recommended time that suits every possible birthday; None when there is none."""
    if period.recommended is None:
        return None
    spans = [_span(plan, period.recommended, birth, is_open) for birth in births]
    kept = [span for span in spans if span is not None]
    if len(kept) < len(spans):
        return None
    first = max(span[0] for span in kept)
    last = min((span[1] for span in kept if span[1] is not None), default=None)
    return None if last is not None and last < first else (first, last)


def _alternatives(spans: dict[dt.date, Span]) -> tuple[Alternative, ...]:
    groups = []
    for span, same in groupby(spans.items(), key=lambda pair: pair[1]):
        born = [birth for birth, _ in same]
        groups.append(Alternative(born[0], born[-1], *span))
    return tuple(groups) if len(groups) <= _FEW else ()
