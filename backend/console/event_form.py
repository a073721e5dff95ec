"""The form of an event: from what is typed to the facts that are kept, and back; what was typed is never lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from backend.console.language import mark
from content.event_edits import DAYS, LINES, LONG, MONTHS, TIMES, EventRefused
from content.events import EventStatus
from content.texts import LANGUAGES

FATES = {
    EventStatus.SCHEDULED: mark("予定どおり"),
    EventStatus.POSTPONED: mark("延期（新しい日は未定）"),
    EventStatus.CANCELLED: mark("中止"),
}
STATUSES = FATES | {EventStatus.CHANGED: mark("日時・場所の変更あり"), EventStatus.POSTPONED: mark("延期")}
LABELS = {
    "name": mark("名前"),
    "name_kana": mark("読み（カタカナ）"),
    "name_en": mark("英語の名前"),
    "starts_on": mark("初日"),
    "ends_on": mark("最終日"),
    "start_time": mark("始まる時刻"),
    "end_time": mark("終わる時刻"),
    "time_note": mark("日時の注意"),
    "description": mark("説明"),
    "category": mark("種類"),
    "audience": mark("対象の人"),
    "from_months": mark("月齢（か月以上）"),
    "to_months": mark("月齢（か月未満）"),
    "fee": mark("料金"),
    "capacity": mark("定員"),
    "apply_until": mark("申し込みの期限"),
    "apply_note": mark("申し込み方法"),
    "organiser": mark("主催"),
    "contact": mark("問い合わせ先"),
    "phone": mark("電話"),
    "place_name": mark("場所"),
    "address": mark("住所"),
    "access": mark("行き方"),
    "lat": mark("緯度"),
    "lon": mark("経度"),
    "url": mark("詳しいページ"),
    "note": mark("備考"),
    "status": mark("開催状況"),
    "withdrawn": mark("取り下げ"),
}
_PLAIN = ("name", "url", *LINES, *LONG, *DAYS, *TIMES, *MONTHS, "lat", "lon")
OTHERS = tuple(one for one in LANGUAGES if one != "ja")


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields, all of it text."""

    fields: dict[str, str] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    status: str = EventStatus.SCHEDULED.value
    seen: str = ""  # the mark of the state that the form was made of

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


def of_body(body: Mapping[str, Any], seen: str = "") -> Typed:
    """The form of a state as the history keeps it."""
    fields = {name: "" if body.get(name) is None else str(body[name]) for name in _PLAIN}
    status = str(body.get("status") or EventStatus.SCHEDULED)
    texts = {language: dict(text) for language, text in (body.get("texts") or {}).items()}
    return Typed(fields, texts, EventStatus.SCHEDULED.value if status == EventStatus.CHANGED else status, seen)


def read(form: MultiDict[str, str]) -> Typed:
    """What was typed, right or wrong."""
    return Typed(
        {name: form.get(name, "").replace("\r\n", "\n").strip() for name in _PLAIN},
        {
            one: {part: form.get(f"{one}.{part}", "").replace("\r\n", "\n").strip() for part in ("title", "body")}
            for one in LANGUAGES
            if f"{one}.title" in form
        },
        form.get("status", ""),
        form.get("seen", ""),
    )


def facts_of(typed: Typed, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that were typed; `kept`: texts of languages that have no field here stay.

    Raises EventRefused for what cannot be read; what is read is checked where every event is.
    """
    wrong: list[tuple[str, str]] = []
    facts: dict[str, Any] = {name: typed[name] or None for name in ("name", "url", *LINES, *LONG, *TIMES)}

    def parsed(name: str, parse: Any, reason: str) -> None:
        try:
            facts[name] = parse(typed[name]) if typed[name] else None
        except ValueError:
            facts[name] = None
            wrong.append((name, reason))

    for name in DAYS:
        parsed(name, _day, "must be a day")
    for name in MONTHS:
        parsed(name, _months, "must be a number of months")
    for name in ("lat", "lon"):
        parsed(name, float, "latitude and longitude in degrees, both or neither")
    if wrong:
        raise EventRefused(wrong)
    texts = {one: text for one, text in typed.texts.items() if any(text.values())}
    stay = {one: text for one, text in (kept.get("texts") or {}).items() if one not in typed.texts}
    return facts | {"texts": stay | texts, "status": typed.status}


def _day(written: str) -> dt.date:
    day = dt.date.fromisoformat(written)
    if not 2000 <= day.year < 2200:
        raise ValueError("no year of an event")
    return day


def _months(written: str) -> int:
    if not (written.isascii() and written.isdecimal() and len(written) < 5):
        raise ValueError("no number of months")
    return int(written)
