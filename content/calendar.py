"""The city's own day: its date, nth weekdays of a month, Japan's holidays."""

from __future__ import annotations

import calendar
import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import jpholiday

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)  # as datetime.date.weekday()

_WEEKDAYS: dict[str, tuple[str, ...]] = {"ja": tuple("月火水木金土日"), "en": tuple(calendar.day_name)}
# English as the Cabinet Office writes it; a substitute holiday carries the name of the day it stands for.
_HOLIDAYS = {
    "元日": "New Year's Day",
    "成人の日": "Coming of Age Day",
    "建国記念の日": "National Foundation Day",
    "天皇誕生日": "The Emperor's Birthday",
    "春分の日": "Vernal Equinox Day",
    "昭和の日": "Showa Day",
    "憲法記念日": "Constitution Memorial Day",
    "みどりの日": "Greenery Day",
    "こどもの日": "Children's Day",
    "海の日": "Marine Day",
    "山の日": "Mountain Day",
    "敬老の日": "Respect for the Aged Day",
    "秋分の日": "Autumnal Equinox Day",
    "スポーツの日": "Sports Day",
    "体育の日": "Health and Sports Day",
    "文化の日": "Culture Day",
    "勤労感謝の日": "Labor Thanksgiving Day",
}


def day_of(now: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The date on the city's wall at this moment. Raises ValueError for a time without a zone."""
    if now.tzinfo is None:
        raise ValueError(f"a moment without a zone has no day: {now!r}")
    return now.astimezone(zone).date()


def nth(day: dt.date) -> int:
    """Which occurrence of its weekday in its month a day is: 1 to 5."""
    return (day.day - 1) // 7 + 1


def nth_weekday(year: int, month: int, weekday: int, number: int) -> dt.date | None:
    """The `number`th (1–5) such weekday of a month, or None where the month has no fifth."""
    if not 1 <= number <= 5:
        raise ValueError(f"a month has at most five of a weekday, not a {number}th")
    first = dt.date(year, month, 1)
    day = 1 + (weekday - first.weekday()) % 7 + 7 * (number - 1)
    return first.replace(day=day) if day <= calendar.monthrange(year, month)[1] else None


def weekday_name(weekday: int, language: str = "ja") -> str:
    """「木」 or "Thursday"."""
    return _WEEKDAYS[language][weekday]


@lru_cache(maxsize=4096)
def holiday(day: dt.date) -> str | None:
    """The Japanese name of a national or substitute holiday, None on other days (国民の祝日に関する法律)."""
    name: str | None = jpholiday.is_holiday_name(day)
    return name


def holiday_name(name: str, language: str = "ja") -> str:
    """A holiday's name in a language; Japanese where there is no English."""
    if language == "ja":
        return name
    own, _, substitute = name.partition(" ")
    english = _HOLIDAYS.get(own)
    if english is None:
        return {"国民の休日": "Citizens' Holiday", "振替休日": "Substitute Holiday"}.get(name, name)
    return f"{english} (substitute)" if substitute else english
