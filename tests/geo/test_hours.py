"""Opening hours are read with caution: open only when the published words leave no doubt."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.hours import HoursError, Opening, parse

ZONE = ZoneInfo("Asia/Tokyo")
HOLIDAY = dt.date(2026, 11, 23)  # 勤労感謝の日, a Monday
FULL = "月火水木金土日"


def is_holiday(day: dt.date) -> bool:
    return day == HOLIDAY


def at(moment: str, days: str | None, opens: str | None, closes: str | None, note: str | None = None) -> str:
    read = parse(days, opens, closes, note)
    assert read is not None
    return read.at(dt.datetime.fromisoformat(moment).replace(tzinfo=ZONE), is_holiday).value


@pytest.mark.parametrize(
    ("moment", "hours", "opening"),
    [
        # Saturday 2026-11-21, Sunday 22, Monday 23 (a holiday), Tuesday 24
        ("2026-11-21T09:00", ("月火水木金土", "09:00", "17:00"), "open"),
        ("2026-11-21T08:59", ("月火水木金土", "09:00", "17:00"), "closed"),
        ("2026-11-21T17:00", ("月火水木金土", "09:00", "17:00"), "closed"),
        ("2026-11-22T10:00", ("月火水木金土", "09:00", "17:00"), "closed"),
        ("2026-11-23T10:00", ("月火水木金土", "09:00", "17:00"), "unknown"),  # nobody says what holidays are
        ("2026-11-23T10:00", ("月火水木金土", "09:00", "17:00", "祝日、12/29～1/3を除く"), "closed"),
        ("2026-11-24T10:00", ("月火水木金土", "09:00", "17:00", "祝日、12/29～1/3を除く"), "open"),
        ("2026-11-23T10:00", ("月火水木金土祝", "09:00", "17:00"), "open"),
        ("2026-11-22T10:00", ("月火水木金土祝", "09:00", "17:00"), "closed"),
        ("2026-12-30T10:00", ("月火水木金", "09:00", "17:00"), "unknown"),
        ("2026-12-30T10:00", ("月火水木金", "09:00", "17:00", "12/29～1/3を除く"), "closed"),
        ("2027-01-04T10:00", ("月火水木金", "09:00", "17:00", "12/29～1/3を除く"), "open"),
        ("2027-01-04T10:00", ("月火水木金", "09:00", "17:00", "12月28日～1月4日は休み"), "closed"),
        ("2026-12-30T10:00", ("月火水木金", "09:00", "17:00", "年末年始を除く"), "closed"),
        ("2026-11-23T23:59", (FULL, "0:00", "23:59", "終日利用可能"), "open"),
        ("2027-01-01T03:00", (FULL, "0:00", "23:59", "通年利用可能"), "open"),
        ("2026-11-24T10:00", ("月火水木金", "8:15", "17:00", "開所日のみ。"), "unknown"),  # perhaps a day off
        ("2026-11-24T07:00", ("月火水木金", "8:15", "17:00", "開所日のみ。"), "closed"),
        ("2026-11-24T07:00", ("月火水木金", "8:15", "17:00", "8/1～8/20は6:00から"), "unknown"),
        ("2026-11-24T10:00", ("月火水木金土", "7:30", "19:00", "土曜日は17:00まで"), "unknown"),
        ("2026-11-24T10:00", ("平日", "９：００", "１７時３０分"), "open"),
        ("2026-11-24T10:00", ("月～金", "9:00", "17:00"), "open"),
        ("2026-11-21T10:00", ("月曜日、水曜日、金曜日", "9:00", "17:00"), "closed"),
    ],
)
def test_open_closed_or_unknown(moment: str, hours: tuple[str, ...], opening: str) -> None:
    assert at(moment, *hours) == opening


@pytest.mark.parametrize(
    "hours", [(None, "9:00", "17:00"), ("月", None, "17:00"), ("月", "9:00", None), (None, None, None), ("", "", "")]
)
def test_where_something_is_not_given_nothing_is_known(hours: tuple[str | None, str | None, str | None]) -> None:
    assert parse(*hours, None) is None


@pytest.mark.parametrize(
    "hours",
    [
        ("土日祝以外", "8:50", "17:25"),
        ("月火", "8:00", "26:00"),
        ("月火", "9:00", "1700"),
        ("月火", "17:00", "9:00"),
        ("月火", "9:00", "9:00"),
        ("月火", "9:60", "17:00"),
        ("金～月", "9:00", "17:00"),
        ("開館日", "9:00", "17:00"),
    ],
)
def test_what_cannot_be_read_says_why(hours: tuple[str, str, str]) -> None:
    with pytest.raises(HoursError, match="分かりません"):
        parse(*hours, None)


@given(st.text(min_size=1, max_size=30), st.integers(0, 13), st.integers(0, 23))
def test_no_remark_opens_a_place_outside_its_published_hours(note: str, day: int, hour: int) -> None:
    read = parse("月火水木金", "09:00", "17:00", note)
    assert read is not None
    moment = dt.datetime(2026, 11, 16, hour, tzinfo=ZONE) + dt.timedelta(days=day)
    if moment.weekday() >= 5 or not 9 <= hour < 17 or moment.date() == HOLIDAY:
        assert read.at(moment, is_holiday) is not Opening.OPEN
