"""Why a collection is on its day, or is not: for programs by code and fields, for people as a sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from content import calendar
from content.garbage.pattern import Pattern
from content.texts import chain

_ORDINALS = ("", "1st", "2nd", "3rd", "4th", "5th")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LANGUAGES = ("ja", "en")  # of the sentences

# A code is followed by the fields it has: day, nth, weekday, every, months, first, last, name, text.
CODES = (
    "weekly", "nth", "interval", "dates", "overlay", "moved_from", "added",
    "closed", "moved_to", "holiday", "suspended",
)  # fmt: skip


class Reason:
    """One reason; equal when all it says is equal."""

    __slots__ = ("code", "fields", "text")

    def __init__(self, code: str, *, text: Mapping[str, str] | None = None, **fields: Any) -> None:
        if code not in CODES:
            raise ValueError(f"no such reason: {code}")
        self.code = code
        self.text = dict(text or {})  # what the city says about it, by language
        self.fields = {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def of_pattern(cls, pattern: Pattern, day: dt.date) -> Reason:
        """Why a pattern collects on this day."""
        months = pattern.months or None
        if pattern.kind == "nth":
            return cls("nth", nth=calendar.nth(day), weekday=day.weekday(), months=months)
        if pattern.kind == "interval":
            return cls("interval", every=pattern.every, weekday=day.weekday(), day=pattern.base, months=months)
        return cls("weekly", weekday=day.weekday(), months=months) if pattern.kind == "weekly" else cls("dates")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Reason({self.sentence('en')!r})"

    def _key(self) -> tuple[Any, ...]:
        return self.code, tuple(sorted(self.fields.items())), tuple(sorted(self.text.items()))

    def to_json(self) -> dict[str, Any]:
        """For programs: the code and its fields, days in ISO 8601, weekdays 0 Monday to 6 Sunday."""
        plain: dict[str, Any] = {"code": self.code}
        for name, value in self.fields.items():
            plain[name] = value.isoformat() if isinstance(value, dt.date) else value
        return plain

    def sentence(self, language: str) -> str:
        """A phrase in `ja` or `en`."""
        said = _SPOKEN[language](self)
        free = _text_in(self.text, language)
        if not free:
            return said
        return f"{said}（{free}）" if language == "ja" else f"{said} ({free})"


def sentence(reasons: Iterable[Reason], language: str) -> str:
    """All reasons as one sentence: what the rule says first, then what became of it."""
    changed = ("moved_from", "added", "moved_to", "closed", "holiday", "overlay", "suspended")
    ordered = sorted(reasons, key=lambda reason: reason.code in changed)
    joined = dict.fromkeys(reason.sentence(language) for reason in ordered)
    return ("、" if language == "ja" else "; ").join(joined)


def language_of(wanted: Iterable[str]) -> str:
    """The language of sentences for a reader: the first we speak on the way of the fallback chain."""
    return next((tag for tag in chain(tuple(wanted)) if tag in LANGUAGES), "ja")


def _text_in(text: Mapping[str, str], language: str) -> str:
    return next((text[tag] for tag in chain(language) if text.get(tag)), "")


def _day(day: dt.date, language: str) -> str:
    if language == "ja":
        return f"{day.month}月{day.day}日（{calendar.weekday_name(day.weekday())}）"
    return f"{day.day} {_MONTHS[day.month]}"


def _span(fields: Mapping[str, Any], language: str) -> str:
    first, last = fields["first"], fields["last"]
    if first == last:
        return _day(first, language)
    return f"{_day(first, language)}{'～' if language == 'ja' else '–'}{_day(last, language)}"


def _japanese(reason: Reason) -> str:
    fields = reason.fields
    months = "・".join(map(str, fields["months"])) + "月の" if fields.get("months") else ""
    weekday = calendar.weekday_name(fields["weekday"]) if "weekday" in fields else ""
    match reason.code:
        case "weekly":
            return f"{months}毎週{weekday}曜日"
        case "nth":
            return f"{months}第{fields['nth']}{weekday}曜日"
        case "interval":
            every = "隔週" if fields["every"] == 2 else f"{fields['every']}週に1回の"
            return f"{months}{every}{weekday}曜日（{_day(fields['day'], 'ja')}から）"
        case "moved_from":
            return f"{_day(fields['day'], 'ja')}の分の振替"
        case "moved_to":
            return f"{_day(fields['day'], 'ja')}に振替"
        case "closed":
            return f"{_span(fields, 'ja')}は収集休み"
        case "holiday":
            return f"祝日（{fields['name']}）のため収集なし"
    return {
        "dates": "日付で決まった収集日",
        "overlay": "臨時の収集日",
        "added": "追加の収集日",
        "suspended": "臨時の休止",
    }[reason.code]


def _english(reason: Reason) -> str:
    fields = reason.fields
    months = " of " + ", ".join(_MONTHS[month] for month in fields["months"]) if fields.get("months") else ""
    weekday = calendar.weekday_name(fields["weekday"], "en") if "weekday" in fields else ""
    match reason.code:
        case "weekly":
            return f"Every {weekday}{months}"
        case "nth":
            return f"{_ORDINALS[fields['nth']]} {weekday}{months}"
        case "interval":
            every = "Every other" if fields["every"] == 2 else f"Every {fields['every']} weeks on"
            return f"{every} {weekday}{months} from {_day(fields['day'], 'en')}"
        case "moved_from":
            return f"moved from {_day(fields['day'], 'en')}"
        case "moved_to":
            return f"moved to {_day(fields['day'], 'en')}"
        case "closed":
            return f"no collection {_span(fields, 'en')}"
        case "holiday":
            return f"no collection on {calendar.holiday_name(fields['name'], 'en')}"
    return {
        "dates": "on a date of its own",
        "overlay": "temporary arrangement",
        "added": "extra collection",
        "suspended": "suspended for the time being",
    }[reason.code]


_SPOKEN = {"ja": _japanese, "en": _english}
