"""On which days a rule collects: weekly, nth weekdays, every other week, some months, dates that are named."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from content import calendar

MOST_DATES = 800  # two years of every day


class PatternError(ValueError):
    """No such pattern; `code` is stable, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Pattern:
    """Days without end: what is empty does not restrict. `dates` stands alone.

    `weekdays` 0 Monday to 6 Sunday; `nths` 1–5, the occurrence of the weekday in its month; `months` 1–12;
    `every` weeks from `base`, whose weekday then is the only one. A pattern without weekdays, base and dates
    never collects: a suspension.
    """

    weekdays: tuple[int, ...] = ()
    nths: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    every: int = 1
    base: dt.date | None = None
    dates: tuple[dt.date, ...] = ()

    def __post_init__(self) -> None:
        for name, lowest, highest in (("weekdays", 0, 6), ("nths", 1, 5), ("months", 1, 12)):
            values = getattr(self, name)
            if any(type(one) is not int or not lowest <= one <= highest for one in values):
                raise PatternError("not_a_pattern", f"{name}は{lowest}～{highest}で書いてください")
            object.__setattr__(self, name, tuple(sorted(set(values))))
        object.__setattr__(self, "dates", tuple(sorted(set(self.dates))))
        if len(self.dates) > MOST_DATES:
            raise PatternError("too_many_dates", f"日付が多すぎます（上限{MOST_DATES}）")
        if self.dates and (self.weekdays or self.nths or self.months or self.base):
            raise PatternError("not_a_pattern", "日付の列挙と曜日・月・隔週は一つの規則に書けません")
        if self.base is not None and (self.weekdays or self.nths):
            raise PatternError("not_a_pattern", "隔週の曜日は起点の日付が決めます")
        if not 1 <= self.every <= 52 or (self.every > 1) != (self.base is not None):
            raise PatternError("not_a_pattern", "隔週には起点の日付と2～52週の間隔が必要です")
        if self.nths and not self.weekdays:
            raise PatternError("not_a_pattern", "第n回には曜日が必要です")

    @property
    def kind(self) -> str:
        """dates | interval | nth | weekly | none."""
        if self.dates:
            return "dates"
        if self.base is not None:
            return "interval"
        if not self.weekdays:
            return "none"
        return "nth" if self.nths else "weekly"

    def on(self, day: dt.date) -> bool:
        """Whether this day is one of it."""
        if self.dates:
            at = bisect_left(self.dates, day)
            return at < len(self.dates) and self.dates[at] == day
        if self.months and day.month not in self.months:
            return False
        if self.base is not None:
            since = (day - self.base).days
            return since >= 0 and since % (7 * self.every) == 0
        return day.weekday() in self.weekdays and (not self.nths or calendar.nth(day) in self.nths)

    def days(self, first: dt.date, last: dt.date) -> Iterator[dt.date]:
        """Its days from `first` to `last`, both included."""
        for offset in range((last - first).days + 1):
            day = first + dt.timedelta(days=offset)
            if self.on(day):
                yield day

    def to_json(self) -> dict[str, Any]:
        """Only what is said, for the store and the interface."""
        found: dict[str, Any] = {
            name: list(values) for name in ("weekdays", "nths", "months") if (values := getattr(self, name))
        }
        if self.base is not None:
            found |= {"every": self.every, "base": self.base.isoformat()}
        if self.dates:
            found["dates"] = [day.isoformat() for day in self.dates]
        return found

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Pattern:
        """The pattern of such a value. Raises PatternError."""
        unknown = set(raw) - {"weekdays", "nths", "months", "every", "base", "dates"}
        if unknown:
            raise PatternError("not_a_pattern", f"知らない項目です: {min(unknown)}")
        try:
            base = raw.get("base")
            return cls(
                weekdays=tuple(raw.get("weekdays", ())),
                nths=tuple(raw.get("nths", ())),
                months=tuple(raw.get("months", ())),
                every=int(raw.get("every", 2 if base else 1)),
                base=dt.date.fromisoformat(base) if base else None,
                dates=tuple(dt.date.fromisoformat(day) for day in raw.get("dates", ())),
            )
        except PatternError:
            raise
        except (TypeError, ValueError) as error:
            raise PatternError("not_a_pattern", f"規則として読めません（{error}）") from None
