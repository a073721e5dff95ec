"""One cell of the 5374 format as patterns: 「月 木」「水2 水4」「水3:4 5 8」「隔水20150114」, dates, 「*1」."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field

from content.garbage.pattern import Pattern, PatternError
from geo.opendata.faults import CellFault

WEEKDAYS = "月火水木金土日"
_NOTHING = {"", "-", "ー", "―", "—", "–", "×", "なし", "無し", "収集なし", "収集しない"}
_DAY = f"([{WEEKDAYS}])"
_WEEKLY = re.compile(f"^(?:毎週)?{_DAY}(?:曜日?)?$")
_NTH = re.compile(f"^(?:第)?{_DAY}([0-9])$")
_NTH_BEFORE = re.compile(f"^第([0-9]){_DAY}(?:曜日?)?$")
_INTERVAL = re.compile(f"^隔([{WEEKDAYS}週])([0-9]{{8}})$")
_DATE = re.compile("^([0-9]{4})([0-9]{2})([0-9]{2})$|^([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})$")
_REMARK = re.compile(r"^\*(\w+)$")
_SEPARATORS = re.compile("[,、・/](?=[^0-9]|$)|(?<=[0-9])[,、・](?=[0-9])")  # not the slashes of a date


@dataclass(slots=True)
class Cell:
    """What one cell says: patterns of which any may match, ids of remarks, and what a person should look at."""

    patterns: list[Pattern] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """Days that share a list of months; no list: the whole year."""

    weekly: set[int] = field(default_factory=set)
    nths: dict[int, set[int]] = field(default_factory=dict)
    bases: list[dt.date] = field(default_factory=list)
    months: set[int] | None = None

    @property
    def empty(self) -> bool:
        return not (self.weekly or self.nths or self.bases)


def read(text: str) -> Cell:
    """The meaning of a cell. Raises `CellFault` for anything that is not of the format: nobody can guess days.

    Months stand after the days they hold for (`火2 金4:4 6 8`); `;` or the next day after months begins anew.
    Where days of every week stand before an nth day with months (`月 木 日5:12`), the months hold for the
    nth day only, with a warning.
    """
    cell = Cell()
    plain = unicodedata.normalize("NFKC", text).replace("，", ",").strip()
    if plain in _NOTHING:
        return cell
    if "\0" in plain:
        raise CellFault("control_characters", "使えない制御文字が含まれています")
    spaced = _SEPARATORS.sub(" ", plain)
    if spaced != plain:
        cell.warnings.append(("unusual_separator", f"「{plain[:40]}」の区切りを空白として読みました"))
    dates: set[dt.date] = set()
    groups: list[_Group] = []
    for part in re.sub(r"\s*:\s*", ":", spaced).split(";"):
        group = _Group()
        groups.append(group)
        for token in part.split():
            if mark := _REMARK.match(token):
                cell.remarks.append(mark[1])
                continue
            day, colon, month = token.partition(":")
            if token.isascii() and token.isdecimal() and len(token) <= 2:
                _month(group, token)
                continue
            if group.months is not None:
                group = _Group()
                groups.append(group)
            _day(day, group, dates, cell)
            if colon:
                if group.empty:
                    raise CellFault("dates_with_months", "日付の列挙には月を指定できません")
                group.months = set()
                if month:
                    _month(group, month)
    for group in groups:
        cell.patterns += _patterns(group, cell)
    try:
        if dates:
            cell.patterns.append(Pattern(dates=tuple(dates)))
    except PatternError as error:
        raise CellFault(error.code, str(error)) from None
    return cell


def date_of(text: str) -> dt.date:
    """A day written 20140301, 2014/3/1 or 2014-03-01. Raises `CellFault`."""
    found = _DATE.match(unicodedata.normalize("NFKC", text).strip())
    if not found:
        raise CellFault("not_a_date", f"日付として読めません: {text[:20]}")
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise CellFault("not_a_date", f"暦にない日付です: {text[:20]}") from None


def _month(group: _Group, token: str) -> None:
    if group.months is None:
        raise CellFault("stray_number", f"「{token}」は月なら「:」の後に、回数なら曜日の後に書いてください")
    if not (token.isascii() and token.isdecimal() and 1 <= int(token) <= 12):
        raise CellFault("not_a_month", f"「{token}」は月ではありません")
    group.months.add(int(token))


def _day(token: str, group: _Group, dates: set[dt.date], cell: Cell) -> None:
    if found := _WEEKLY.match(token):
        group.weekly.add(WEEKDAYS.index(found[1]))
    elif (found := _NTH.match(token)) or (found := _NTH_BEFORE.match(token)):
        weekday, number = sorted(found.groups(), key=str.isdecimal)
        if number not in "12345":
            raise CellFault("not_an_occurrence", f"「{token}」: 同じ曜日は月に1～5回です")
        group.nths.setdefault(WEEKDAYS.index(weekday), set()).add(int(number))
    elif found := _INTERVAL.match(token):
        base = date_of(found[2])
        if found[1] != "週" and WEEKDAYS[base.weekday()] != found[1]:
            said = f"「{token}」: {base.isoformat()}は{WEEKDAYS[base.weekday()]}曜日です。日付の方に従いました"
            cell.warnings.append(("weekday_mismatch", said))
        group.bases.append(base)
    elif _DATE.match(token):
        dates.add(date_of(token))
    elif not token:
        raise CellFault("no_day", "「:」の前に曜日がありません")
    else:
        raise CellFault("not_a_day", f"「{token[:20]}」は収集日の書き方ではありません")


def _patterns(group: _Group, cell: Cell) -> list[Pattern]:
    if group.months is not None and not group.months:
        raise CellFault("no_month", "「:」の後に月がありません")
    months = tuple(group.months or ())
    if len(months) == 12:
        months = ()
    weekly_months = months
    if months and group.weekly and group.nths:
        cell.warnings.append(
            ("mixed_months", "毎週の曜日は通年、月の指定は第n曜日だけのものとして読みました。確かめてください")
        )
        weekly_months = ()
    found: list[Pattern] = []
    if group.weekly:
        found.append(Pattern(weekdays=tuple(group.weekly), months=weekly_months))
    same: dict[tuple[int, ...], list[int]] = {}
    for weekday, nths in group.nths.items():
        same.setdefault(tuple(sorted(nths)), []).append(weekday)
    found += [Pattern(weekdays=tuple(days), nths=nths, months=months) for nths, days in same.items()]
    found += [Pattern(base=base, every=2, months=months) for base in dict.fromkeys(group.bases)]
    return found
