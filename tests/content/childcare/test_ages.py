"""Ages are reached at the end of the day before the birthday, also where there is no such day."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.childcare.ages import days_of, grade_start, reached, school_entry

DAY = dt.timedelta(days=1)
BIRTHS = st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31))


@pytest.mark.parametrize(
    ("birth", "months", "day"),
    [
        ("2026-03-15", 12, "2027-03-14"),
        ("2026-03-01", 1, "2026-03-31"),
        ("2026-01-28", 1, "2026-02-27"),
        ("2026-01-29", 1, "2026-02-28"),  # no 29 February: the month is over on its last day
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-28"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-01-01", 0, "2025-12-31"),
    ],
)
def test_an_age_is_reached_on_the_day_before(birth: str, months: int, day: str) -> None:
    assert reached(dt.date.fromisoformat(birth), months) == dt.date.fromisoformat(day)


@given(BIRTHS, st.integers(0, 240))
def test_later_births_never_reach_an_age_earlier(birth: dt.date, months: int) -> None:
    assert reached(birth, months) <= reached(birth + DAY, months) <= reached(birth, months + 1) + DAY


@pytest.mark.parametrize(
    ("birth", "entry"),
    [("2020-03-31", 2026), ("2020-04-01", 2026), ("2020-04-02", 2027), ("2020-02-29", 2026), ("2021-01-15", 2027)],
)
def test_whoever_is_born_on_the_first_of_april_is_the_youngest_of_the_year(birth: str, entry: int) -> None:
    born = dt.date.fromisoformat(birth)
    assert school_entry(born) == dt.date(entry, 4, 1)
    assert grade_start(born, 0) == dt.date(entry - 1, 4, 1)
    assert grade_start(born, 7) == dt.date(entry + 6, 4, 1)


@pytest.mark.parametrize(("month", "days"), [("2024-02", 29), ("2026-02", 28), ("2026-04", 30), ("2026-12", 31)])
def test_a_month_has_its_days(month: str, days: int) -> None:
    assert [day.day for day in days_of(month)] == list(range(1, days + 1))


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026", "2026-3", "2026-03-01", "２０２６-03", "0000-01", "x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        days_of(text)
