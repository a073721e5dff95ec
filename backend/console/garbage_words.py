"""Rules of collection as a person says them, in the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from backend.console.language import current, mark, say
from content import calendar
from content.garbage.categories import GarbageCategory
from content.garbage.pattern import Pattern, PatternError
from content.texts import chain

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ORDINALS = ("1st", "2nd", "3rd", "4th", "5th")
CAUTIONS = {
    "lithium_battery": mark("リチウムイオン電池"),
    "gas_can": mark("スプレー缶・ガスボンベ"),
    "lighter": mark("ライター・マッチ・花火"),
    "sharp": mark("刃物・割れ物"),
    "mercury": mark("水銀"),
}
CHANGES = {
    "closed": mark("休み"),
    "moved": mark("振替（別の日に）"),
    "added": mark("追加の収集"),
}
# Fields of a calendar by their names in the store, for the history.
_ROW = {
    "category": mark("区分"),
    "weekdays": mark("曜日"),
    "nths": mark("第何週"),
    "months": mark("収集する月"),
    "every": mark("何週ごと"),
    "base": mark("起点になる収集日"),
    "dates": mark("収集する日"),
    "kind": mark("何をするか"),
    "first": mark("この日から"),
    "last": mark("この日まで"),
    "to": mark("振替先の日"),
    "reason": mark("理由"),
    "on_holidays": mark("祝日も収集する"),
    "overlay": mark("臨時"),
    "note": mark("注記"),
    "key": mark("内部の名前"),
    "area": mark("地区"),
    "centre": mark("収集事業所"),
    "lost_nth": mark("休みになる第何週の分を"),
    "new_nth": mark("同じ月の第何週へ移すか"),
}
LABELS = {
    "withdrawn": mark("取り下げた"),
    "area": "",
    "changes": mark("例外"),
    "overlays": mark("臨時の規則"),
    "area.rules": mark("規則"),
    "area.ward": mark("区"),
    "area.name": mark("名前"),
    "area.town": mark("町"),
    "area.block": mark("丁目・番地など"),
    "area.reading": mark("読み"),
    "area.postcodes": mark("郵便番号"),
    "area.centre": mark("収集事業所"),
    "area.names": mark("地区の名前"),
    "area.note": mark("地区の注記"),
    "area.contact": mark("連絡先"),
    "area.contact.phone": mark("電話"),
    "area.contact.url": mark("連絡先のページ"),
    "area.areas": mark("区域のコード"),
    **{f"{rows}[].{name}": said for rows in ("area.rules", "overlays", "changes") for name, said in _ROW.items()},
}


def text_of(words: Mapping[str, str], fallback: str = "") -> str:
    """The best of some texts for the reader."""
    found = (words[tag] for tag in (*chain(current()), *words) if words.get(tag))
    return next(found, fallback)


def category_name(category: GarbageCategory) -> str:
    """A kind of garbage for the reader."""
    return text_of(category.names, category.key)


def day(value: dt.date, *, year: bool = False) -> str:
    """12月3日(木), or Thu 3 Dec."""
    weekday = calendar.weekday_name(value.weekday(), current())
    if current() == "ja":
        return f"{f'{value.year}年' if year else ''}{value.month}月{value.day}日({weekday})"
    return f"{weekday[:3]} {value.day} {MONTHS[value.month - 1]}{f' {value.year}' if year else ''}"


def month(value: dt.date) -> str:
    """2026年12月, or December 2026."""
    return f"{value.year}年{value.month}月" if current() == "ja" else f"{value:%B %Y}"


def weekday(number: int, *, short: bool = True) -> str:
    """木, or Thu."""
    name = calendar.weekday_name(number, current())
    return name[:3] if short else name


def nth(number: int) -> str:
    """第2, or 2nd."""
    return f"第{number}" if current() == "ja" else ORDINALS[number - 1]


def pattern(raw: Mapping[str, Any]) -> str:
    """The days of a rule as it is stored: 「毎週月・木曜日」. What cannot be read is left out."""
    kept = {name: raw[name] for name in ("weekdays", "nths", "months", "every", "base", "dates") if name in raw}
    try:
        found = Pattern.from_json(kept)
    except PatternError:
        return ""
    japanese = current() == "ja"
    joined = ("・" if japanese else ", ").join
    days = joined(weekday(one) for one in found.weekdays)
    match found.kind:
        case "weekly":
            said = say("毎週%(days)s曜日", days=days)
        case "nth":
            said = say("%(nths)s%(days)s曜日", nths=joined(map(nth, found.nths)), days=days)
        case "interval":
            base = found.base or dt.date.min
            values = {"every": found.every, "days": weekday(base.weekday()), "base": day(base, year=True)}
            rare = mark("%(every)s週に1回の%(days)s曜日（%(base)sから）")
            said = say(rare if found.every > 2 else mark("隔週%(days)s曜日（%(base)sから）"), **values)
        case "dates":
            first = joined(day(one) for one in found.dates[:3])
            said = say("%(many)s日: %(first)s", many=len(found.dates), first=first) + ("…" if found.dates[3:] else "")
        case _:
            said = say("収集しない")
    if not found.months:
        return said
    names = joined(str(one) if japanese else MONTHS[one - 1] for one in found.months)
    return say("%(months)s月の%(said)s", months=names, said=said)


def span(first: dt.date | None, last: dt.date | None) -> str:
    """From when until when something holds; empty for always."""
    if first is None and last is None:
        return ""
    if first is not None and first == last:
        return day(first, year=True)
    ends = ("" if one is None else day(one, year=True) for one in (first, last))
    return ("〜" if current() == "ja" else " – ").join(ends)


def stored(path: str, value: Any, kinds: Iterable[GarbageCategory]) -> str | None:
    """A value of a stored calendar for people, for the history; None where it needs no words."""
    match path.rpartition(".")[2]:
        case "weekdays[]":
            return weekday(value)
        case "nths[]":
            return nth(value)
        case "kind" if value in CHANGES:
            return say(CHANGES[value])
        case "category":
            return next((category_name(one) for one in kinds if one.key == value), None)
    return None
