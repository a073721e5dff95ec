"""Cells of lists of events: days without a year, times, ages, cancellations; anything else is refused."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.events import EventStatus
from content.opendata import event_cells
from geo.opendata.faults import CellFault

NEAR = dt.date(2026, 8, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-21", "2026-11-21"),
        ("2026/1/5", "2026-01-05"),
        ("2026年８月５日（水）", "2026-08-05"),
        ("令和8年8月5日", "2026-08-05"),
        ("R8.8.5", "2026-08-05"),
        ("20260805", "2026-08-05"),
        ("2026-08-22 00:00:00", "2026-08-22"),
        ("8月5日（水）", "2026-08-05"),
        ("9月23日(水・祝)", "2026-09-23"),
        ("1月9日(土)", "2027-01-09"),
        ("2月29日（木）", "2024-02-29"),
    ],
)
def test_a_day_is_read(text: str, day: str) -> None:
    assert event_cells.day(text, NEAR).isoformat() == day


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("8月5日", "no_year"),
        ("8月5日（木）ごろ", "not_a_day"),
        ("2026-02-30", "not_a_day"),
        ("2026-08-05（木）", "wrong_weekday"),
        ("2月29日（月）", "wrong_weekday"),
        ("随時", "not_a_day"),
        ("13月1日（月）", "wrong_weekday"),
    ],
)
def test_what_is_no_day_is_refused(text: str, code: str) -> None:
    with pytest.raises(CellFault) as refused:
        event_cells.day(text, NEAR)
    assert refused.value.code == code


@given(st.dates(dt.date(2025, 9, 1), dt.date(2027, 6, 30)))
def test_the_weekday_decides_the_year(day: dt.date) -> None:
    text = f"{day.month}月{day.day}日（{'月火水木金土日'[day.weekday()]}）"
    if (day.month, day.day) != (2, 29):
        assert event_cells.day(text, NEAR) == day


@pytest.mark.parametrize(
    ("text", "first", "last", "remark"),
    [
        ("8月5日（水）～8月16日（日）\n※10日（月）以外", "2026-08-05", "2026-08-16", "※10日（月）以外"),
        ("8月22日(土)～8月23日(日）", "2026-08-22", "2026-08-23", None),
        ("12月26日(土)〜1月11日(月)", "2026-12-26", "2027-01-11", None),
        ("2026-08-22 00:00:00", "2026-08-22", "2026-08-22", None),
    ],
)
def test_one_cell_may_have_two_days(text: str, first: str, last: str, remark: str | None) -> None:
    found = event_cells.both_days(text, NEAR)
    assert (found[0].isoformat(), found[1].isoformat(), found[2]) == (first, last, remark)


@pytest.mark.parametrize("text", ["8月16日(日)まで", "～9月25日(金)\nまで ", "9月4日、18日", "随時（要調整）"])
def test_a_cell_without_a_first_day_is_refused(text: str) -> None:
    with pytest.raises(CellFault):
        event_cells.both_days(text, NEAR)


@pytest.mark.parametrize(
    ("text", "time"),
    [("9：00", "09:00"), ("09:00:00", "09:00"), ("13時30分", "13:30"), ("午後6時", "18:00"), (" 9:45", "09:45")],
)
def test_a_time_is_read(text: str, time: str) -> None:
    assert event_cells.time(text) == time


@pytest.mark.parametrize("text", ["17:00(金、土は19:00まで)", "①10：00\n②14：00", "25:00", "9:60", "正午", "24:30"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(CellFault):
        event_cells.time(text)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("0歳～2歳", (0, 36)),
        ("4か月～8か月", (4, 9)),
        ("３ヶ月〜", (3, None)),
        ("おおむね2か月～2歳児", (2, 36)),
        ("1歳半～3歳未満", (18, 36)),
        ("～3歳", (0, 48)),
        ("3歳以上", (36, None)),
        ("6歳未満", (0, 72)),
        ("2歳まで", (0, 36)),
        ("2歳児", (24, 36)),
        ("6か月～就学前", (6, 84)),
        ("小学生", (72, 156)),
        ("高校生・一般", (180, None)),
        ("両方", None),
        ("子ども・親子", None),
        ("どなたでも", None),
    ],
)
def test_ages_are_read_or_stay_unknown(text: str, months: tuple[int, int | None] | None) -> None:
    assert event_cells.ages(text) == months


@given(st.text(max_size=20))
def test_no_text_breaks_the_reading_of_ages(text: str) -> None:
    found = event_cells.ages(text)
    assert found is None or found[0] >= 0


@pytest.mark.parametrize(
    ("name", "said", "status"),
    [
        ("【中止】もちつき", None, EventStatus.CANCELLED),
        ("もちつき［開催延期］", None, EventStatus.POSTPONED),
        ("(中止)もちつき", None, EventStatus.CANCELLED),
        ("中止にならない運動会", None, EventStatus.SCHEDULED),
        ("もちつき", "中止", EventStatus.CANCELLED),
        ("【中止】もちつき", "予定", EventStatus.SCHEDULED),
    ],
)
def test_a_list_may_say_that_it_is_called_off(name: str, said: str | None, status: EventStatus) -> None:
    assert event_cells.status(name, said) is status
