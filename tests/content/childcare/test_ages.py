"""Ages are reached at the end of the day before the birthday, also where there is no such day."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.childcare.ages import days_of, grade_start, months_of_birth, reached, school_entry

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


@pytest.mark.parametrize(
    ("day", "ages", "months"),
    [
        ("2026-11-21", (0, 12), ("2025-11", "2026-11")),
        ("2026-11-01", (0, 12), ("2025-11", "2026-11")),  # born on 2 November 2025: a year tomorrow
        ("2026-11-30", (0, 12), ("2025-12", "2026-11")),  # everybody of last November is one year old
        ("2026-11-21", (18, None), ("2006-11", "2025-05")),
        ("2026-11-21", (None, 36), ("2023-11", "2026-11")),
        ("2024-02-29", (0, 1), ("2024-01", "2024-02")),
    ],
)
def test_months_of_birth_of_an_age(day, ages, months):
    assert months_of_birth(dt.date.fromisoformat(day), *ages) == months


@given(st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31)), BIRTHS, st.integers(0, 60), st.integers(1, 60))
def test_nobody_of_an_age_is_left_out_of_its_months_of_birth(day, birth, from_months, span):
    first, last = months_of_birth(day, from_months, from_months + span)
    of_age = reached(birth, from_months) < day <= reached(birth, from_months + span)
    assert not of_age or first <= f"{birth:%Y-%m}" <= last
    assert len({first, last}) <= span + 1
