"""Legal windows: from when until when something may or must be done for a child, reckoned from its birthday.

In files and in the store a window is `{"from": …, "until": …, "roll": true}`, each end one of
`{"age": "1y6m"}` (from the birthday on; until the day before it), `{"after_birth": "6w0d"}` (the day of birth is
day 0; that day included at either end), `{"grade": 0}` (1 April to 31 March of a school year; with `"day": "10-01"`
that day in it), `{"pregnancy": "28w0d"}` (reckoned back from the day of birth as the due date, 40w0d). Without
`from` it begins at birth, without `until` it never ends. `roll`: a last day on which offices are closed moves to the
next open one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from content.childcare.ages import grade_start, reached

IsOpen = Callable[[dt.date], bool]
TERM_DAYS = 280  # 40 weeks
_AGE = re.compile(r"(?:(\d{1,2})y)?(?:(\d{1,2})m)?")
_SPAN = re.compile(r"(?:(\d{1,3})w)?(?:(\d{1,4})d)?")
_DAY = re.compile(r"(\d{2})-(\d{2})")
_LONGEST_CLOSURE = 60


class WindowError(ValueError):
    """A window cannot be understood: `place` names the member, the message the reason."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place, self.reason = place, reason


class End(Protocol):
    """One end of a window."""

    def first(self, birth: dt.date) -> dt.date:
        """The first day when the window begins with this."""

    def last(self, birth: dt.date) -> dt.date:
        """The last day when the window ends with this."""


@dataclass(frozen=True, slots=True)
class Age:
    """An age in months: a window from it begins on the birthday, one until it ends on the day before."""

    months: int

    def first(self, birth: dt.date) -> dt.date:
        return reached(birth, self.months) + dt.timedelta(days=1)

    def last(self, birth: dt.date) -> dt.date:
        return reached(birth, self.months)


@dataclass(frozen=True, slots=True)
class AfterBirth:
    """So many days after the day of birth (出生6週0日後), or before it when negative; that day is included."""

    days: int

    def first(self, birth: dt.date) -> dt.date:
        return birth + dt.timedelta(days=self.days)

    def last(self, birth: dt.date) -> dt.date:
        return birth + dt.timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Grade:
    """A school year, or one day in it."""

    grade: int
    day: tuple[int, int] | None = None  # month and day

    def first(self, birth: dt.date) -> dt.date:
        return self._within(grade_start(birth, self.grade), (4, 1))

    def last(self, birth: dt.date) -> dt.date:
        return self._within(grade_start(birth, self.grade), (3, 31))

    def _within(self, start: dt.date, otherwise: tuple[int, int]) -> dt.date:
        month, day = self.day or otherwise
        return dt.date(start.year + (month < 4), month, day)


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when; `of` reckons it for one birthday."""

    begins: End = AfterBirth(0)
    ends: End | None = None
    roll: bool = False

    def of(self, birth: dt.date, is_open: IsOpen) -> tuple[dt.date, dt.date | None]:
        """First and last day (None: never ends) for a child born on this day. `is_open`: whether offices are."""
        last = self.ends.last(birth) if self.ends is not None else None
        if last is not None and self.roll:
            last = next_open(last, is_open)
        return self.begins.first(birth), last

    @property
    def approximate(self) -> bool:
        """Whether it is reckoned from the due date, which the day of birth only stands for."""
        return isinstance(self.begins, AfterBirth) and self.begins.days < 0


def next_open(day: dt.date, is_open: IsOpen) -> dt.date:
    """The day itself, or the next one on which offices are open."""
    for later in range(_LONGEST_CLOSURE):
        if is_open(day + dt.timedelta(days=later)):
            return day + dt.timedelta(days=later)
    raise ValueError(f"offices are closed for {_LONGEST_CLOSURE} days after {day}")


def parse(raw: Any, place: str = "") -> Window:
    """A window as written. Raises WindowError naming the member and the reason."""
    if not isinstance(raw, Mapping):
        raise WindowError(place, "from と until の表で書いてください")
    unknown = sorted(set(raw) - {"from", "until", "roll"})
    if unknown:
        raise WindowError(_below(place, unknown[0]), "知らない項目です（使えるもの: from、until、roll）")
    roll = raw.get("roll", False)
    if not isinstance(roll, bool):
        raise WindowError(_below(place, "roll"), "true か false で書いてください")
    begins = _end(raw["from"], _below(place, "from")) if "from" in raw else AfterBirth(0)
    ends = _end(raw["until"], _below(place, "until")) if "until" in raw else None
    window = Window(begins, ends, roll)
    for birth in (dt.date(2021, 4, 1), dt.date(2020, 2, 29)):
        first, last = window.of(birth, lambda _: True)
        if last is not None and last < first:
            raise WindowError(place, f"{birth}生まれの子では、終わり（{last}）が始まり（{first}）より前になります")
    return window


def _end(raw: Any, place: str) -> End:
    kinds = "age、after_birth、grade、pregnancy"
    if not isinstance(raw, Mapping) or len(set(raw) - {"day"}) != 1:
        raise WindowError(place, f"{kinds} のどれか一つを持つ表で書いてください")
    (kind,) = set(raw) - {"day"}
    if "day" in raw and kind != "grade":
        raise WindowError(_below(place, "day"), "grade と共にだけ使えます")
    if kind == "grade":
        return _grade(raw, place)
    if kind == "age":
        years, months = _numbers(_AGE, raw[kind], _below(place, kind), "2m、1y、7y6m のような年齢")
        return Age(years * 12 + months)
    if kind in ("after_birth", "pregnancy"):
        weeks, days = _numbers(_SPAN, raw[kind], _below(place, kind), "14w6d や 13d のような週数・日数")
        return AfterBirth(weeks * 7 + days - (TERM_DAYS if kind == "pregnancy" else 0))
    raise WindowError(_below(place, str(kind)), f"知らない項目です（使えるもの: {kinds}）")


def _grade(raw: Mapping[str, Any], place: str) -> Grade:
    grade, day = raw["grade"], raw.get("day")
    if not isinstance(grade, int) or isinstance(grade, bool) or not -5 <= grade <= 15:
        raise WindowError(_below(place, "grade"), "整数で書いてください（0 は年長、1 は小1、12 は高3に当たる年度）")
    if day is None:
        return Grade(grade)
    month_day = str(day).partition("-") if isinstance(day, str) and _DAY.fullmatch(day) else ("0", "", "0")
    month, number = int(month_day[0]), int(month_day[2])
    try:
        dt.date(2023, month, number)  # not a leap year: the day must exist every year
    except ValueError:
        raise WindowError(_below(place, "day"), "10-01 のような、毎年ある日を書いてください") from None
    return Grade(grade, (month, number))


def _numbers(pattern: re.Pattern[str], raw: Any, place: str, wanted: str) -> tuple[int, int]:
    found = pattern.fullmatch(raw) if isinstance(raw, str) and raw.isascii() else None
    if found is None or not raw:
        raise WindowError(place, f"{wanted}で書いてください")
    return int(found[1] or 0), int(found[2] or 0)


def _below(place: str, member: str) -> str:
    return f"{place}.{member}" if place else member
