"""When a person reaches an age in Japanese law, and the school years that follow from it."""

from __future__ import annotations

import calendar
import datetime as dt

OLDEST_MONTHS = 12 * 20


def reached(birth: dt.date, months: int) -> dt.date:
    """The day at whose end an age in months is reached: the day before the birthday.

    The day of birth is day one (年齢計算ニ関する法律); a period of months or years ends with the day before the
    corresponding day, or with the last day of a month that has no such day (民法143条): born on 29 February, one is
    a year older at the end of 28 February in every year.
    """
    year, month = divmod(birth.year * 12 + birth.month - 1 + months, 12)
    if birth.day > calendar.monthrange(year, month + 1)[1]:
        return dt.date(year, month + 1, calendar.monthrange(year, month + 1)[1])
    return dt.date(year, month + 1, birth.day) - dt.timedelta(days=1)


def school_entry(birth: dt.date) -> dt.date:
    """The 1 April on which primary school begins: the first one after the day on which six is reached.

    Whoever is born on 1 April reaches six on 31 March and enters with those born in the March before
    (学校教育法17条).
    """
    six = reached(birth, 72)
    first = dt.date(six.year, 4, 1)
    return first if first > six else dt.date(six.year + 1, 4, 1)


def grade_start(birth: dt.date, grade: int) -> dt.date:
    """The 1 April of a school year: 0 is 年長, 1–6 小学校, 7–9 中学校, 10–12 the three after."""
    entry = school_entry(birth)
    return entry.replace(year=entry.year + grade - 1)


def days_of(month: str) -> list[dt.date]:
    """Every day of a month written as 2026-03. Raises ValueError for any other text."""
    if len(month) != 7 or month[4] != "-" or not (month[:4] + month[5:]).isascii() or not month[:4].isdecimal():
        raise ValueError(f"a month is written as 2026-03, not {month[:20]!r}")
    try:
        first = dt.date(int(month[:4]), int(month[5:]), 1)
    except ValueError:
        raise ValueError(f"there is no month {month!r}") from None
    return [first.replace(day=day) for day in range(1, calendar.monthrange(first.year, first.month)[1] + 1)]


def months_of_birth(day: dt.date, from_months: int | None, to_months: int | None) -> tuple[str, str] | None:
    """The first and the last month in which a child may be born that is of an age on a day; None when there is none.

    From the day on which `from_months` is reached until the day before `to_months` is (None: from birth; OLDEST).
    For one birthday of the month at least: of whom only the month is known, nobody is left out.
    """
    oldest = OLDEST_MONTHS if to_months is None else to_months
    this_month = day.year * 12 + day.month - 1
    fitting = []
    for number in range(this_month - oldest, this_month - (from_months or 0) + 1):
        month = f"{number // 12:04d}-{number % 12 + 1:02d}"
        # A day of age is whole from the birthday on: reached at the end of the day before.
        if any(reached(birth, from_months or 0) < day <= reached(birth, oldest) for birth in days_of(month)):
            fitting.append(month)
    return (fitting[0], fitting[-1]) if fitting else None
