"""Opening hours as lists publish them, read with caution: what is not understood stays unknown, never "open"."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

_WEEKDAYS = {day: at for at, day in enumerate("月火水木金土日")}
_GROUPS = {"毎日": "月火水木金土日", "全日": "月火水木金土日", "平日": "月火水木金"}
_TIME = re.compile(r"(\d{1,2})[:時](?:(\d{2})分?)?(?::00)?")
_DAY_MINUTES = 24 * 60
_SPLIT = re.compile(r"[、。,\n;]+")
_TURN_OF_YEAR = re.compile(r"12(?:/|月)(\d{1,2})日?[~-](?:翌年)?1(?:/|月)(\d{1,2})日?")


class Opening(StrEnum):
    """Whether a place is open at a moment, by what its list says."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class HoursError(ValueError):
    """A cell of opening hours that cannot be read; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Days and times of a week, and how far a remark lets them be relied on."""

    days: frozenset[int]  # 0 Monday … 6 Sunday
    opens: int  # minutes after midnight
    closes: int
    on_holidays: bool | None = None  # None: nobody says
    closed_turn: tuple[tuple[int, int], tuple[int, int]] | None = None  # shut from this (month, day) to that
    always: bool = False  # 通年・終日: holidays and the turn of the year too
    only_at_most: bool = False  # 開所日のみ: shut outside these hours, unknown within
    unclear: bool = False  # a remark that nobody understands may change everything

    def at(self, moment: dt.datetime, is_holiday: Callable[[dt.date], bool]) -> Opening:
        """Open, closed or unknown at a moment of the city's clock (aware, already in the city's zone)."""
        if self.unclear:
            return Opening.UNKNOWN
        day, minute = moment.date(), moment.hour * 60 + moment.minute
        within = self.opens <= minute < self.closes
        if self.always:
            return Opening.OPEN if within and day.weekday() in self.days else Opening.CLOSED
        if self._turn_of_year(day):
            return Opening.CLOSED if self.closed_turn is not None else Opening.UNKNOWN
        if is_holiday(day):
            if self.on_holidays is None:
                return Opening.UNKNOWN
            if not self.on_holidays or not within:
                return Opening.CLOSED
        elif day.weekday() not in self.days or not within:
            return Opening.CLOSED
        return Opening.UNKNOWN if self.only_at_most else Opening.OPEN

    def _turn_of_year(self, day: dt.date) -> bool:
        """Days around New Year on which most places are shut, or those that the list names."""
        begins, ends = self.closed_turn or ((12, 29), (1, 3))
        return (day.month, day.day) >= begins or (day.month, day.day) <= ends


def parse(days: str | None, opens: str | None, closes: str | None, note: str | None) -> Hours | None:
    """The columns 利用可能曜日, 開始時間, 終了時間 and 利用可能日時特記事項; None when days or times are not given.

    Raises HoursError for days or times that cannot be read. A remark that is not wholly understood makes the hours
    unclear; it may shorten, lengthen or move them.
    """
    if not days or not opens or not closes:
        return None
    on, holidays = _days(days)
    start, end = _minutes(opens), _minutes(closes)
    if end == _DAY_MINUTES - 1:
        end = _DAY_MINUTES  # 23:59 stands for midnight
    if start >= end or end > _DAY_MINUTES:
        raise HoursError(f"{opens}から{closes}までという時間帯が分かりません")
    remarks = _Remarks(note)
    return Hours(
        on,
        start,
        end,
        on_holidays=holidays if holidays is not None else remarks.on_holidays,
        closed_turn=remarks.closed_turn,
        always=remarks.always and len(on) == 7,
        only_at_most=remarks.only_at_most,
        unclear=remarks.unclear,
    )


class _Remarks:
    """What the known phrases of a remark say; anything else makes it unclear."""

    def __init__(self, note: str | None) -> None:
        self.on_holidays: bool | None = None
        self.closed_turn: tuple[tuple[int, int], tuple[int, int]] | None = None
        self.always = self.only_at_most = self.unclear = False
        plain = unicodedata.normalize("NFKC", note or "").replace("〜", "~").replace("ー", "-").replace(" ", "")
        # 「祝日、12/29～1/3を除く」 excludes both: the ending belongs to every part before it.
        excluded = False
        for part in reversed([one for one in _SPLIT.split(plain) if one]):
            named = re.fullmatch(r"(.*?)(?:は|を)?(?:除く|休み|休館|休業)", part)
            excluded = excluded or named is not None
            self._take(named[1] if named is not None else part, excluded)

    def _take(self, part: str, excluded: bool) -> None:
        turn = _TURN_OF_YEAR.fullmatch(part)
        if part in ("終日利用可能", "通年利用可能", "24時間利用可能", "年中無休") and not excluded:
            self.always = True
        elif part in ("祝日", "祝休日", "国民の祝日") and excluded:
            self.on_holidays = False
        elif turn is not None and excluded:
            self.closed_turn = (12, int(turn[1])), (1, int(turn[2]))
        elif part in ("年末年始", "12/29-1/3") and excluded:
            self.closed_turn = (12, 29), (1, 3)
        elif re.fullmatch(r"(?:開所日|開館日|開園日)のみ(?:利用可能?)?", part) and not excluded:
            self.only_at_most = True
        else:
            self.unclear = True


def _days(text: str) -> tuple[frozenset[int], bool | None]:
    """Weekdays, and whether 祝 is among them (None: not said)."""
    plain = unicodedata.normalize("NFKC", text)
    for word, meant in _GROUPS.items():
        plain = plain.replace(word, meant)
    plain = re.sub(r"曜日?|[\s、,・]", "", plain)
    holidays = True if re.search("祝日?", plain) else None
    plain = re.sub("祝日?", "", plain)
    span = re.fullmatch(r"([月火水木金土日])[~〜-]([月火水木金土日])", plain)
    if span is not None:
        first, last = _WEEKDAYS[span[1]], _WEEKDAYS[span[2]]
        if first > last:
            raise HoursError(f"曜日の範囲「{text[:20]}」が分かりません")
        return frozenset(range(first, last + 1)), holidays
    if not plain or set(plain) - _WEEKDAYS.keys():
        raise HoursError(f"曜日「{text[:20]}」が分かりません")
    return frozenset(_WEEKDAYS[one] for one in plain), holidays


def _minutes(text: str) -> int:
    found = _TIME.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None or int(found[1]) > 24 or int(found[2] or 0) > 59:
        raise HoursError(f"時刻「{text[:20]}」が分かりません")
    return int(found[1]) * 60 + int(found[2] or 0)
