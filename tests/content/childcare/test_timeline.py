"""The conservative promise: whatever the timeline says of a month holds for every birthday in it."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from content.childcare.plans import Kind, Period, Plan
from content.childcare.timeline import Item, Status, of_month
from content.childcare.windows import parse

DAY = dt.timedelta(days=1)
TEXTS: Any = {"ja": {"title": "見本", "body": "見本です。"}}
MONTHS = st.builds("{:04d}-{:02d}".format, st.integers(2016, 2032), st.integers(1, 12))
DELAYS = st.integers(-330, 20 * 366)


def plan(key: str = "one", recommended: Any = None, roll: bool = False, /, **raw: Any) -> Plan:
    ends = {"from" if name == "begins" else name: end for name, end in raw.items() if name in ("begins", "until")}
    period = Period("one", {}, parse({**ends, "roll": roll}), parse(recommended) if recommended else None)
    rest = {name: value for name, value in raw.items() if name not in ends and name != "begins"}
    return Plan(key, rest.pop("version", 1), Kind.VACCINE, TEXTS, (period,), **rest)


def weekdays(day: dt.date) -> bool:
    return day.weekday() < 5


def the_item(one: Plan, month: str, today: dt.date) -> Item:
    (item,) = of_month([one], month, today, weekdays)
    return item


def births(month: str) -> list[dt.date]:
    year, number = int(month[:4]), int(month[5:])
    return [dt.date(year, number, day) for day in range(1, calendar.monthrange(year, number)[1] + 1)]


# Another reckoning of the same rules, by birthdays and by counting days one by one.
def birthday(birth: dt.date, years: int = 0, months: int = 0) -> dt.date:
    """The corresponding day; the first of the next month where there is none."""
    month = birth.month + months + 12 * years
    year, month = birth.year + (month - 1) // 12, (month - 1) % 12 + 1
    try:
        return dt.date(year, month, birth.day)
    except ValueError:
        return dt.date(year + month // 12, month % 12 + 1, 1)


def nursery_year(birth: dt.date) -> int:
    """The year on whose 1 April the year before school begins: born 2 April to 1 April are one year."""
    return birth.year + 5 + ((birth.month, birth.day) > (4, 1))


Ends = Callable[[dt.date], tuple[dt.date, dt.date]]
RULES: dict[str, tuple[Plan, Ends]] = {
    "rota: first dose by 14 weeks 6 days": (
        plan(begins={"after_birth": "6w0d"}, until={"after_birth": "14w6d"}),
        lambda birth: (birth + 42 * DAY, birth + (14 * 7 + 6) * DAY),
    ),
    "hepatitis B before one year": (
        plan(until={"age": "1y"}),
        lambda birth: (birth, birthday(birth, 1) - DAY),
    ),
    "measles and rubella, first": (
        plan(begins={"age": "1y"}, until={"age": "2y"}),
        lambda birth: (birthday(birth, 1), birthday(birth, 2) - DAY),
    ),
    "measles and rubella, second": (
        plan(begins={"grade": 0}, until={"grade": 0}),
        lambda birth: (dt.date(nursery_year(birth), 4, 1), dt.date(nursery_year(birth) + 1, 3, 31)),
    ),
    "Japanese encephalitis, first": (
        plan(begins={"age": "6m"}, until={"age": "7y6m"}),
        lambda birth: (birthday(birth, 0, 6), birthday(birth, 7, 6) - DAY),
    ),
    "Japanese encephalitis, second": (
        plan(begins={"age": "9y"}, until={"age": "13y"}),
        lambda birth: (birthday(birth, 9), birthday(birth, 13) - DAY),
    ),
}


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=60)
@given(MONTHS, DELAYS)
@example("2024-02", 365)
@example("2024-01", 42)
@example("2020-04", 6 * 365)
@example("2016-04", 10 * 365)
def test_what_is_said_of_a_month_holds_for_every_birthday(rule: str, month: str, delay: int) -> None:
    one, ends = RULES[rule]
    today = births(month)[0] + delay * DAY
    item = the_item(one, month, today)
    for birth in births(month):
        first, last = ends(birth)
        assert item.ends_on is not None
        assert item.ends_on_latest is not None
        assert item.ends_on <= last <= item.ends_on_latest  # who keeps to the deadline is never late
        assert item.starts_on_earliest <= first
        assert item.starts_on is None or first <= item.starts_on  # who waits for the beginning is never early
        if birth > today:
            continue  # not born: the status is about those who may be
        if item.status == Status.DUE_NOW:
            assert first <= today <= last
        elif item.status == Status.PASSED:
            assert last < today
        elif item.status in (Status.SOON, Status.UPCOMING):
            assert today <= last


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=40)
@given(MONTHS, DELAYS)
def test_the_promise_is_no_wider_than_it_must_be(rule: str, month: str, delay: int) -> None:
    one, ends = RULES[rule]
    item = the_item(one, month, births(month)[0] + delay * DAY)
    spans = [ends(birth) for birth in births(month)]
    assert item.ends_on == min(last for _, last in spans)
    assert item.ends_on_latest == max(last for _, last in spans)
    assert item.starts_on in (None, max(first for first, _ in spans))


@pytest.mark.parametrize(
    ("rule", "month", "starts_on", "ends_on", "ends_on_latest"),
    [
        # Born on 1 March: until 13 June; born on 31 March: until 13 July, and from 12 May.
        ("rota: first dose by 14 weeks 6 days", "2026-03", "2026-05-12", "2026-06-13", "2026-07-13"),
        ("hepatitis B before one year", "2026-03", None, "2027-02-28", "2027-03-30"),
        ("measles and rubella, first", "2024-02", "2025-03-01", "2026-01-31", "2026-02-28"),
        ("measles and rubella, second", "2020-03", "2025-04-01", "2026-03-31", "2026-03-31"),
        ("measles and rubella, second", "2020-05", "2026-04-01", "2027-03-31", "2027-03-31"),
        ("Japanese encephalitis, first", "2026-08", "2027-03-01", "2034-01-31", "2034-02-28"),
        ("Japanese encephalitis, second", "2016-02", "2025-03-01", "2029-01-31", "2029-02-28"),
    ],
)
def test_dates_known_beforehand(
    rule: str, month: str, starts_on: str | None, ends_on: str, ends_on_latest: str
) -> None:
    item = the_item(RULES[rule][0], month, dt.date(2026, 11, 21))
    dates = (item.starts_on, item.ends_on, item.ends_on_latest)
    assert tuple(day and day.isoformat() for day in dates) == (starts_on, ends_on, ends_on_latest)


@pytest.mark.parametrize(
    ("today", "status"),
    [
        ("2026-02-01", Status.UPCOMING),
        ("2026-03-20", Status.SOON),  # six weeks from the end of March are less than sixty days away
        ("2026-04-12", Status.SOON),  # has begun for who was born on the 1st
        ("2026-05-11", Status.SOON),
        ("2026-05-12", Status.DUE_NOW),
        ("2026-06-13", Status.DUE_NOW),
        ("2026-06-14", Status.MAYBE_PASSED),
        ("2026-07-13", Status.MAYBE_PASSED),
        ("2026-07-14", Status.PASSED),
    ],
)
def test_the_status_moves_at_the_edges_of_the_first_and_last_birthday(today: str, status: Status) -> None:
    one = RULES["rota: first dose by 14 weeks 6 days"][0]
    assert the_item(one, "2026-03", dt.date.fromisoformat(today)).status is status


def test_in_april_one_birthday_belongs_to_the_school_year_before() -> None:
    item = the_item(RULES["measles and rubella, second"][0], "2020-04", dt.date(2025, 12, 1))
    assert item.depends_on_day
    told = [(one.born_from.day, one.born_to.day, one.starts_on.year) for one in item.alternatives]
    assert told == [(1, 1, 2025), (2, 30, 2026)]
    assert item.status is Status.SOON  # begun for some of them
    assert not the_item(RULES["measles and rubella, second"][0], "2020-05", dt.date(2025, 12, 1)).depends_on_day


def test_fourteen_days_from_birth_are_open_from_birth_and_end_with_the_earliest() -> None:
    one = plan("birth", None, True, until={"after_birth": "13d"})
    item = the_item(one, "2026-11", dt.date(2026, 11, 10))
    assert (item.starts_on, item.depends_on_day) == (None, False)
    assert item.ends_on == dt.date(2026, 11, 16)  # born on the 1st: Saturday the 14th moves to Monday
    assert item.status is Status.DUE_NOW
    assert the_item(one, "2026-11", dt.date(2026, 11, 17)).status is Status.MAYBE_PASSED


def test_a_window_of_pregnancy_is_reckoned_from_the_due_month() -> None:
    one = plan(begins={"pregnancy": "28w0d"}, until={"pregnancy": "36w6d"})
    item = the_item(one, "2026-12", dt.date(2026, 10, 15))
    assert (item.starts_on, item.ends_on) == (dt.date(2026, 10, 8), dt.date(2026, 11, 9))
    assert item.status is Status.DUE_NOW
    assert item.period.window.approximate


def test_only_children_born_within_the_rule_are_meant() -> None:
    one = plan(until={"age": "1y"}, born_from=dt.date(2026, 3, 10))
    item = the_item(one, "2026-03", dt.date(2026, 4, 1))
    assert (item.born_from, item.born_to, item.whole_month) == (dt.date(2026, 3, 10), dt.date(2026, 3, 31), False)
    assert item.ends_on == dt.date(2027, 3, 9)
    assert of_month([one], "2026-02", dt.date(2026, 4, 1), weekdays) == []


def test_the_version_that_holds_today_is_shown_and_a_rule_that_has_ended_is_not() -> None:
    old = plan("shot", begins={"age": "2m"}, until={"age": "5y"}, effective_to=dt.date(2027, 3, 31))
    new = plan("shot", begins={"age": "2m"}, until={"age": "4y"}, effective_from=dt.date(2027, 4, 1), version=2)
    for today, version in ((dt.date(2027, 3, 31), 1), (dt.date(2027, 4, 1), 2)):
        (item,) = of_month([old, new], "2026-03", today, weekdays)
        assert item.plan.version == version
    (item,) = of_month([old, new], "2026-03", dt.date(2027, 3, 1), weekdays)
    assert item.ends_on == dt.date(2027, 3, 31)  # as far as the rule in force goes
    assert [item.plan.version for item in of_month([new], "2026-03", dt.date(2026, 5, 1), weekdays)] == [2]


def test_a_recommended_time_is_shown_only_where_it_suits_every_birthday() -> None:
    wide = plan("x", {"from": {"age": "5m"}, "until": {"age": "8m"}}, until={"age": "1y"})
    item = the_item(wide, "2026-03", dt.date(2026, 4, 1))
    assert item.recommended == (dt.date(2026, 8, 31), dt.date(2026, 10, 31))
    narrow = plan("x", {"from": {"after_birth": "60d"}, "until": {"after_birth": "70d"}}, until={"age": "1y"})
    assert the_item(narrow, "2026-03", dt.date(2026, 4, 1)).recommended is None


def test_what_presses_most_comes_first() -> None:
    plans = [one for one, _ in RULES.values()]
    items = of_month(plans, "2025-08", dt.date(2026, 11, 21), weekdays)
    order = [list(Status).index(item.status) for item in items]
    assert order == sorted(order)
    assert {item.status for item in items} == {Status.DUE_NOW, Status.UPCOMING, Status.PASSED}
