"""Windows as files write them: each end reckoned as its rule says, anything else refused by its place."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from content.childcare.windows import WindowError, next_open, parse


def always(_day: dt.date) -> bool:
    return True


def weekdays(day: dt.date) -> bool:
    return day.weekday() < 5


def days(raw: dict[str, Any], birth: str, is_open: Any = always) -> tuple[str, str | None]:
    first, last = parse(raw).of(dt.date.fromisoformat(birth), is_open)
    return first.isoformat(), last.isoformat() if last else None


@pytest.mark.parametrize(
    ("raw", "birth", "first", "last"),
    [
        # ロタ: the day of birth is day 0, both ends included
        (
            {"from": {"after_birth": "6w0d"}, "until": {"after_birth": "24w0d"}},
            "2026-03-01",
            "2026-04-12",
            "2026-08-16",
        ),
        (
            {"from": {"after_birth": "6w0d"}, "until": {"after_birth": "14w6d"}},
            "2026-03-01",
            "2026-04-12",
            "2026-06-13",
        ),
        # 1歳に至るまで: until the day before the birthday
        ({"from": {"after_birth": "0d"}, "until": {"age": "1y"}}, "2026-03-01", "2026-03-01", "2027-02-28"),
        ({"from": {"age": "1y"}, "until": {"age": "2y"}}, "2024-02-29", "2025-03-01", "2026-02-28"),
        ({"from": {"age": "2m"}, "until": {"age": "7y6m"}}, "2026-12-31", "2027-03-01", "2034-06-30"),
        # 年長, 就学時健診, 小6–高1, 18歳年度末
        ({"from": {"grade": 0}, "until": {"grade": 0}}, "2020-04-01", "2025-04-01", "2026-03-31"),
        ({"from": {"grade": 0}, "until": {"grade": 0}}, "2020-04-02", "2026-04-01", "2027-03-31"),
        (
            {"from": {"grade": 0, "day": "10-01"}, "until": {"grade": 0, "day": "11-30"}},
            *("2020-06-01", "2026-10-01", "2026-11-30"),
        ),
        ({"from": {"grade": 6}, "until": {"grade": 10}}, "2014-06-01", "2026-04-01", "2031-03-31"),
        ({"until": {"grade": 12}}, "2020-04-01", "2020-04-01", "2038-03-31"),
        ({"until": {"grade": 12, "day": "01-15"}}, "2020-04-02", "2020-04-02", "2039-01-15"),
        # 妊娠28週0日–36週6日, the due date being 40週0日
        ({"from": {"pregnancy": "28w0d"}, "until": {"pregnancy": "36w6d"}}, "2026-06-30", "2026-04-07", "2026-06-08"),
        ({}, "2026-03-01", "2026-03-01", None),
    ],
)
def test_a_window_is_reckoned_from_the_birthday(raw: Any, birth: str, first: str, last: str | None) -> None:
    assert days(raw, birth) == (first, last)


def test_a_last_day_on_which_offices_are_closed_moves_to_the_next_open_one() -> None:
    allowance = {"until": {"after_birth": "15d"}, "roll": True}
    assert days(allowance, "2026-11-06", weekdays)[1] == "2026-11-23"  # the 21st is a Saturday
    assert days(allowance, "2026-11-05", weekdays)[1] == "2026-11-20"
    assert days({**allowance, "roll": False}, "2026-11-06", weekdays)[1] == "2026-11-21"
    with pytest.raises(ValueError, match="closed"):
        next_open(dt.date(2026, 1, 1), lambda _: False)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("1y", ""),
        ({"till": {"age": "1y"}}, "till"),
        ({"until": "1y"}, "until"),
        ({"until": {"age": "1y", "grade": 0}}, "until"),
        ({"until": {"age": "1 year"}}, "until.age"),
        ({"until": {"age": ""}}, "until.age"),
        ({"until": {"age": 12}}, "until.age"),
        ({"until": {"age": "１y"}}, "until.age"),
        ({"from": {"after_birth": "6w 0d"}}, "from.after_birth"),
        ({"from": {"moon": "6"}}, "from.moon"),
        ({"from": {"age": "1y", "day": "10-01"}}, "from.day"),
        ({"from": {"grade": "0"}}, "from.grade"),
        ({"from": {"grade": True}}, "from.grade"),
        ({"from": {"grade": 0, "day": "02-29"}}, "from.day"),
        ({"from": {"grade": 0, "day": "1-1"}}, "from.day"),
        ({"roll": 1}, "roll"),
        ({"from": {"age": "2y"}, "until": {"age": "1y"}}, ""),
    ],
)
def test_what_is_no_window_is_refused_by_its_place(raw: Any, place: str) -> None:
    with pytest.raises(WindowError) as refused:
        parse(raw)
    assert refused.value.place == place
    assert refused.value.reason
