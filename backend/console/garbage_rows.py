"""Rows of the form of a calendar: rules and exceptions, from elements of the store to fields and back."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from backend.console import garbage_words
from backend.console.garbage_words import CHANGES
from backend.console.language import mark, say
from content.garbage.pattern import Pattern, PatternError
from content.opendata.garbage_harvest import digest
from content.texts import LANGUAGES

Record = dict[str, Any]
WRITTEN = ("ja", "en")  # languages of reasons and notes that are asked for; others stay as they are
SPOKEN = (*LANGUAGES, "vi", "zh-Hant", "pt", "tl", "ne", "id", "es")  # that lists of cities have
KINDS = {
    "weekdays": mark("曜日で（毎週・第何週）"),
    "interval": mark("何週かに1回"),
    "dates": mark("日付を並べて"),
    "none": mark("収集しない（臨時の休止）"),
}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_NOT_A_DAY = mark("日付「%(written)s」を読めません。2026-12-01 のように書いてください。")


class RowError(ValueError):
    """A row cannot be kept; the text says why, in the reader's language."""


@dataclass(slots=True)
class RuleTyped:
    """What stands in the fields of one rule."""

    category: str = ""
    kind: str = "weekdays"
    weekdays: list[str] = field(default_factory=list)
    nths: list[str] = field(default_factory=list)
    months: str = ""
    every: str = "2"
    base: str = ""
    dates: str = ""
    first: str = ""
    last: str = ""
    holidays: bool = True
    overlay: bool = False
    reason: dict[str, str] = field(default_factory=dict)
    note: dict[str, str] = field(default_factory=dict)
    key: str = ""
    wrong: str = ""
    added: bool = False

    @classmethod
    def of(cls, element: Mapping[str, Any]) -> RuleTyped:
        """The fields of a stored rule."""
        pattern = Pattern.from_json({name: element[name] for name in _PATTERN if name in element})
        kind = {"weekly": "weekdays", "nth": "weekdays"}.get(pattern.kind, pattern.kind)
        return cls(
            category=element["category"],
            kind=kind,
            weekdays=[str(one) for one in pattern.weekdays],
            nths=[str(one) for one in pattern.nths],
            months=", ".join(map(str, pattern.months)),
            every=str(pattern.every if pattern.base else 2),
            base=pattern.base.isoformat() if pattern.base else "",
            dates="\n".join(one.isoformat() for one in pattern.dates),
            first=element.get("first", ""),
            last=element.get("last", ""),
            holidays=element.get("on_holidays", True),
            overlay=element.get("overlay", False),
            reason=dict(element.get("reason", {})),
            note=dict(element.get("note", {})),
            key=element.get("key", ""),
        )

    @classmethod
    def read(cls, form: MultiDict[str, str], at: str) -> RuleTyped:
        """What was typed into the row that begins with `at`."""
        said: dict[str, Any] = {name: form.get(f"{at}-{name}", "").strip() for name in _RULE_FIELDS}
        return cls(
            **said,
            weekdays=form.getlist(f"{at}-weekday"),
            nths=form.getlist(f"{at}-nth"),
            holidays=f"{at}-holidays" in form,
            overlay=f"{at}-overlay" in form,
            reason=texts(form, f"{at}-reason"),
            note=texts(form, f"{at}-note"),
        )

    def element(self, *, shared: bool = False) -> Record:
        """The rule as it is stored. Raises RowError."""
        overlay = self.overlay or shared
        if not self.category:
            raise RowError(say("区分を選んでください。"))
        first, last = _day(self.first), _day(self.last)
        if first and last and first > last:
            raise RowError(say("始まりの日が終わりの日より後です。"))
        if overlay and not (first and last):
            raise RowError(say("臨時の規則には、始まりと終わりの日が両方必要です。"))
        if self.kind == "none" and not overlay:
            raise RowError(say("「収集しない」は、臨時の規則でだけ使えます。"))
        found: Record = {"category": self.category, **self._pattern(), "first": first, "last": last}
        found |= {"on_holidays": None if self.holidays else False, "overlay": (overlay and not shared) or None}
        found |= {"reason": self.reason, "note": self.note}
        if shared:
            found["key"] = self.key or digest(found)[:12]
        return filled(found)

    def _pattern(self) -> Record:
        raw: Record = {"months": _months(self.months)} if self.kind in ("weekdays", "interval") else {}
        if self.kind == "weekdays":
            raw |= {"weekdays": [int(one) for one in self.weekdays if one in tuple("0123456")]}
            raw |= {"nths": [int(one) for one in self.nths if one in tuple("12345")]}
            if not raw["weekdays"]:
                raise RowError(say("曜日を一つ以上選んでください。"))
        elif self.kind == "interval":
            every = unicodedata.normalize("NFKC", self.every)
            base = _day(self.base)
            if base is None or not (every.isdecimal() and 2 <= int(every) <= 52):
                raise RowError(say("何週ごとか（2〜52）と、起点になる収集日を書いてください。"))
            raw |= {"every": int(every), "base": base}
        elif self.kind == "dates":
            raw["dates"] = [_day(one) for one in re.split(r"[\s,、]+", self.dates) if one]
            if not raw["dates"]:
                raise RowError(say("日付を一つ以上書いてください。"))
        try:
            return Pattern.from_json(raw).to_json()
        except PatternError as error:
            raise RowError(str(error)) from None

    @property
    def says(self) -> str:
        """The row as a sentence, as far as it can be read."""
        try:
            return garbage_words.pattern(self._pattern())
        except RowError:
            return ""

    @property
    def span(self) -> str:
        """From when until when it holds, as far as it can be read."""
        try:
            return garbage_words.span(*(dt.date.fromisoformat(one) if one else None for one in (self.first, self.last)))
        except ValueError:
            return f"{self.first}〜{self.last}"


@dataclass(slots=True)
class ChangeTyped:
    """What stands in the fields of one exception."""

    kind: str = "closed"
    first: str = ""
    last: str = ""
    to: str = ""
    category: str = ""
    centre: str = ""
    lost_nth: str = ""
    new_nth: str = ""
    reason: dict[str, str] = field(default_factory=dict)
    key: str = ""
    wrong: str = ""
    added: bool = False

    @classmethod
    def of(cls, element: Mapping[str, Any]) -> ChangeTyped:
        """The fields of a stored exception."""
        said: dict[str, Any] = {name: str(element.get(name, "")) for name in _CHANGE_FIELDS}
        if said["last"] == said["first"]:
            said["last"] = ""
        return cls(**said, reason=dict(element.get("reason", {})))

    @classmethod
    def read(cls, form: MultiDict[str, str], at: str) -> ChangeTyped:
        """What was typed into the row that begins with `at`."""
        said: dict[str, Any] = {name: form.get(f"{at}-{name}", "").strip() for name in _CHANGE_FIELDS}
        return cls(**said, reason=texts(form, f"{at}-reason"))

    def element(self) -> Record:
        """The exception as it is stored. Raises RowError."""
        first, last, to = _day(self.first), _day(self.last), _day(self.to)
        if self.kind not in CHANGES or first is None:
            raise RowError(say("何日のことか書いてください。"))
        if self.kind == "closed":
            to, last = None, last or first
            if not first <= last <= (dt.date.fromisoformat(first) + dt.timedelta(days=366)).isoformat():
                raise RowError(say("終わりの日が始まりより前か、一年より後です。"))
        else:
            last = first
        if self.kind == "moved" and (to is None or to == first):
            raise RowError(say("振替先の日を書いてください。"))
        if self.kind == "added" and not self.category:
            raise RowError(say("追加の収集には区分が必要です。"))
        nths = (self.lost_nth, self.new_nth) if self.kind == "closed" else ("", "")
        if bool(nths[0]) != bool(nths[1]):
            raise RowError(say("第何回から第何回へ移すかは、両方を選んでください。"))
        found: Record = {"kind": self.kind, "first": first, "last": last, "to": to if self.kind == "moved" else None}
        found |= {"category": self.category, "centre": self.centre, "reason": self.reason, "key": self.key}
        found |= {name: int(one) if one else None for name, one in zip(("lost_nth", "new_nth"), nths, strict=True)}
        return filled(found)

    @property
    def says(self) -> str:
        """What it does, without its kind, as far as it can be read."""
        try:
            first, last = (dt.date.fromisoformat(one) if one else None for one in (self.first, self.last or self.first))
            if self.kind not in CHANGES:
                return ""
            words = [garbage_words.span(first, last)]
            if self.kind == "moved" and self.to:
                words.append("→ " + garbage_words.day(dt.date.fromisoformat(self.to), year=True))
            if self.kind == "closed" and self.lost_nth and self.new_nth:
                lost, new = (garbage_words.nth(int(one)) for one in (self.lost_nth, self.new_nth))
                words.append(say("%(lost)s週の分は同じ月の%(new)s週へ", lost=lost, new=new))
        except (KeyError, ValueError, IndexError):
            return ""
        why = garbage_words.text_of(self.reason)
        return " ".join(filter(None, [*words, say("（%(why)s）", why=why) if why else ""]))


_PATTERN = ("weekdays", "nths", "months", "every", "base", "dates")
_RULE_FIELDS = ("category", "kind", "months", "every", "base", "dates", "first", "last", "key")
_CHANGE_FIELDS = ("kind", "first", "last", "to", "category", "centre", "lost_nth", "new_nth", "key")


def texts(form: Mapping[str, str], at: str) -> dict[str, str]:
    """One text by language, of fields such as `rule-1-reason.en`; empty ones left out."""
    found = {language: form.get(f"{at}.{language}", "").replace("\r\n", "\n").strip() for language in SPOKEN}
    return {language: text for language, text in found.items() if text}


def filled(element: Record) -> Record:
    """Without what says nothing."""
    return {name: value for name, value in element.items() if value not in (None, "", [], {})}


def _day(written: str) -> str | None:
    if not written.strip():
        return None
    plain = unicodedata.normalize("NFKC", written).strip()
    found = _DAY.fullmatch(plain)
    try:
        if found is not None and 1990 <= int(found[1]) <= 2200:
            return dt.date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        pass
    raise RowError(say(_NOT_A_DAY, written=written[:20]))


def _months(written: str) -> list[int]:
    """「4〜9、11」 → 4 to 9 and 11; 「11-2」 goes over the turn of the year."""
    plain = unicodedata.normalize("NFKC", written).replace("月", "").replace("、", ",")
    found: list[int] = []
    for part in filter(None, re.split(r"[\s,・]+", re.sub(r"\s*[~〜-]\s*", "-", plain))):
        ends = [int(one) if one.isdecimal() else 0 for one in part.split("-")]
        if len(ends) > 2 or not all(1 <= one <= 12 for one in ends):
            raise RowError(say("月「%(written)s」を読めません。「4-9, 11」のように書いてください。", written=part[:20]))
        count = (ends[-1] - ends[0]) % 12 + 1
        found += [(ends[0] - 1 + step) % 12 + 1 for step in range(count)]
    return sorted(set(found))
