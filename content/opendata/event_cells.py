"""What the cells of a list of events mean: days with and without a year, times, ages of children, cancellations."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from content.events import EventStatus
from geo.opendata.faults import CellFault

_WEEKDAYS = "月火水木金土日"
_FULL = re.compile(r"(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?(?:[T ]?00:00(?::00)?)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ERA = re.compile(r"(?:令和|R)(\d{1,2}|元)(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?")
_SHORT = re.compile(r"(\d{1,2})月(\d{1,2})日")
_WEEKDAY = re.compile(r"\(([月火水木金土日])(?:曜日?)?(?:[・,]?(?:祝日?|休))?\)")
_TIME = re.compile(r"(午前|午後)?(\d{1,2})(?:[:時](\d{2})?分?)(?::00)?")
_AGE = re.compile(r"(?:満|おおむね)?(?:生後)?(\d{1,3})(か月|ヶ月|ヵ月|カ月|ケ月|歳|才)児?(半)?")
_MARK = re.compile(r"[【\[(<〔]\s*(?:開催)?(中止|延期|変更)(?:のお知らせ|になりました)?\s*[】\])>〕]")
_STATUS = {
    "予定": EventStatus.SCHEDULED,
    "開催": EventStatus.SCHEDULED,
    "中止": EventStatus.CANCELLED,
    "延期": EventStatus.POSTPONED,
    "変更": EventStatus.CHANGED,
}
# Words for children of an age, as school years run: the upper edge is the first age that is surely past.
_GROUPS = {
    "乳幼児": (0, 84),
    "未就学児": (0, 84),
    "就学前": (0, 84),
    "小学生": (72, 156),
    "中学生": (144, 192),
    "高校生": (180, 228),
    "高校生・一般": (180, None),
    "大人": (216, None),
    "一般": (180, None),
}


def day(text: str, near: dt.date) -> dt.date:
    """A day; without a year it needs its weekday, and is the one of that weekday nearest to `near`.

    Raises CellFault for anything else.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    weekday = _WEEKDAY.search(plain)
    bare = _WEEKDAY.sub("", plain)
    try:
        full = _FULL.fullmatch(bare) or _COMPACT.fullmatch(bare)
        if full is not None:
            return _checked(dt.date(*map(int, full.groups())), weekday, text)
        era = _ERA.fullmatch(bare)
        if era is not None:
            year = 2018 + (1 if era[1] == "元" else int(era[1]))
            return _checked(dt.date(year, int(era[2]), int(era[3])), weekday, text)
        short = _SHORT.fullmatch(bare)
        if short is None:
            raise CellFault("not_a_day", "日付として読めません（例 2026-11-21）")
        if weekday is None:
            raise CellFault("no_year", "年がなく、曜日からも決められません")
        return _nearest(int(short[1]), int(short[2]), _WEEKDAYS.index(weekday[1]), near)
    except CellFault:
        raise
    except ValueError:
        raise CellFault("not_a_day", "その日付はありません") from None


def both_days(text: str, near: dt.date) -> tuple[dt.date, dt.date, str | None]:
    """First and last day of one cell such as 「8月5日（水）～8月16日（日）」, and the remark after ※.

    Raises CellFault, also for an event of which only the end is said.
    """
    words, mark, remark = text.partition("※")
    plain = "".join(unicodedata.normalize("NFKC", words).split()).replace("〜", "~").replace("～", "~")
    if plain.startswith("~") or plain.endswith("まで"):
        raise CellFault("no_first_day", "始まりの日がありません")
    first, to, last = plain.partition("~")
    begins = day(first if not _is_moment(words) else words.strip(), near)
    ends = day(last, begins) if to else begins
    return begins, ends, (mark + remark).strip() or None


def time(text: str) -> str:
    """A time of day as 09:00. Raises CellFault."""
    found = _TIME.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    if found is None:
        raise CellFault("not_a_time", "時刻として読めません（例 09:00）")
    hour, minute = int(found[2]) + (12 if found[1] == "午後" and int(found[2]) < 12 else 0), int(found[3] or 0)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise CellFault("not_a_time", "その時刻はありません")
    return f"{hour:02d}:{minute:02d}"


def ages(text: str) -> tuple[int, int | None] | None:
    """From which age in months, and up to which one no longer; None where the words do not say it."""
    plain = "".join(unicodedata.normalize("NFKC", text).split()).replace("〜", "~").replace("から", "~")
    if plain in _GROUPS:
        return _GROUPS[plain]
    low, to, high = plain.partition("~")
    begins, ends = _AGE.fullmatch(low), _AGE.fullmatch(re.sub("(?:まで|以下|未満|児)$", "", high))
    if to and (begins is not None or not low) and (ends is not None or high in ("", "就学前")):
        below = high.endswith("未満")
        until = (84 if high else None) if ends is None else _months(ends, include=not below)
        return (_months(begins) if begins is not None else 0), until
    only = re.fullmatch(rf"({_AGE.pattern})(以上|未満|以下|まで)?", plain)
    found = _AGE.match(plain)
    if only is None or found is None:
        return None
    ending = only[only.lastindex or 0] if (only.lastindex or 0) > 4 else None
    if ending == "以上":
        return _months(found), None
    if ending == "未満":
        return 0, _months(found)
    if ending in ("以下", "まで"):
        return 0, _months(found, include=True)
    return _months(found), _months(found, include=True)


def status(name: str, said: str | None) -> EventStatus:
    """What the list says became of an event: its column, or 【中止】 in its name. Raises CellFault."""
    if said is not None:
        if said not in _STATUS:
            raise CellFault("unknown_status", f"開催状況が分かりません（使えるもの: {'、'.join(_STATUS)}）")
        return _STATUS[said]
    mark = _MARK.search(unicodedata.normalize("NFKC", name))
    return _STATUS[mark[1]] if mark is not None else EventStatus.SCHEDULED


def _is_moment(text: str) -> bool:
    return re.fullmatch(r"\s*\d{4}-\d{2}-\d{2} 00:00(:00)?\s*", text) is not None


def _checked(day: dt.date, weekday: re.Match[str] | None, text: str) -> dt.date:
    if weekday is not None and _WEEKDAYS[day.weekday()] != weekday[1]:
        raise CellFault("wrong_weekday", f"{day}は{_WEEKDAYS[day.weekday()]}曜日です（「{text[:20]}」）")
    return day


def _nearest(month: int, number: int, weekday: int, near: dt.date) -> dt.date:
    possible = []
    for year in range(near.year - 2, near.year + 3):
        try:
            tried = dt.date(year, month, number)
        except ValueError:
            continue
        if tried.weekday() == weekday:
            possible.append(tried)
    if not possible:
        raise CellFault(
            "wrong_weekday", f"{near.year}年前後の{month}月{number}日は{_WEEKDAYS[weekday]}曜日ではありません"
        )
    return min(possible, key=lambda day: abs(day - near))


def _months(found: re.Match[str], *, include: bool = False) -> int:
    """Months of an age; with `include` the first month after it (「2歳まで」 is until three)."""
    number = int(found[1])
    if found[2] in ("歳", "才"):
        return number * 12 + (6 if found[3] else 0) + (12 if include and not found[3] else 0)
    return number + (1 if include else 0)
