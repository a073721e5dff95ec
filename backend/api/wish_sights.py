"""What a resident wants to be reminded of, as it is said over HTTP: fields, and how they are shown."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
from marshmallow import validate

from backend.transaction import session
from content import texts as text
from notifications import children, garbage_days, preferences, why
from notifications.devices import Device
from notifications.garbage_days import LABELS
from notifications.places import PlaceName
from notifications.reminders import ahead

_HALF_HOUR = validate.Regexp(
    r"\A(?:[01][0-9]|2[0-3]):(?:00|30)\Z", error="A whole or half hour, written as 19:00 or 06:30."
)


def _hour(description: str, example: str | None) -> ma.fields.String:
    return ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=_HALF_HOUR,
        metadata={"description": description, "example": example},
    )


class GarbageArea(ma.Schema):
    """A collection area and its hours, by the city's clock."""

    area = ma.fields.Integer(
        required=True,
        validate=validate.Range(1, 2**63 - 1),
        metadata={"description": "/v1/garbage/areas の番号。", "example": 12},
    )
    label = ma.fields.String(
        load_default=PlaceName.HOME.value,
        validate=validate.OneOf([label.value for label in LABELS]),
        metadata={"description": "自宅 home、職場・学校 work、家族 family。", "example": "home"},
    )
    evening = _hour("収集日の前の日に知らせる時刻。null は知らせない。", "19:00")
    morning = _hour("収集日に知らせる時刻。収集の締切より後なら届かない。", "06:30")
    categories = ma.fields.List(
        ma.fields.Integer(validate=validate.Range(1, 2**63 - 1)),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={"description": "知らせる種類（/v1/garbage/categories の番号）。空はすべて。", "example": []},
    )


class GarbageAreas(ma.Schema):
    """All collection areas of a phone."""

    areas = ma.fields.List(
        ma.fields.Nested(GarbageArea), required=True, validate=validate.Length(max=garbage_days.MOST_AREAS)
    )


class Children(ma.Schema):
    """The months in which a family's children were born: never a day, never a name."""

    born = ma.fields.List(
        ma.fields.String(validate=validate.Regexp(r"\A[0-9]{4}-[0-9]{2}\Z", error="Write a month as 2026-03.")),
        required=True,
        validate=validate.Length(max=children.MOST_CHILDREN),
        metadata={"description": "生まれた（または予定の）年月。誕生日は受け取らない。", "example": ["2026-03"]},
    )
    area = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 100),
        metadata={"description": "制度を見る区域（/v1/areas のコード）。null は市全体の制度だけ。", "example": "04991"},
    )
    at = _hour("健診・予防接種・手当などの時期を知らせる時刻。null は知らせない。", "10:00")


class Quiet(ma.Schema):
    """Quiet hours by the city's clock, over midnight where `from` is later."""

    from_ = ma.fields.String(
        required=True, data_key="from", attribute="from", validate=_HALF_HOUR, metadata={"example": "22:00"}
    )
    until = ma.fields.String(required=True, validate=_HALF_HOUR, metadata={"example": "06:30"})


class Wishes(ma.Schema):
    """How everyday things are told. Evacuation alerts (level 3 to 5, tsunami) ring at any hour all the same."""

    quiet = ma.fields.Nested(
        Quiet,
        load_default=None,
        allow_none=True,
        metadata={"description": "この間、ふだんのお知らせは鳴らさず、終わってから届ける。古くなるものは受信箱だけ。"},
    )
    a_day = ma.fields.Integer(
        load_default=preferences.A_DAY,
        validate=validate.Range(1, preferences.MOST_A_DAY),
        metadata={"description": "お知らせを鳴らす1日の上限。超えた分は受信箱だけ。", "example": 5},
    )
    inbox_only = ma.fields.List(
        ma.fields.String(validate=validate.OneOf(preferences.SORTS)),
        load_default=list,
        metadata={
            "description": "鳴らさず受信箱だけで読む種類: notice、garbage、child、drill（訓練）。避難情報は選べない。",
            "example": ["drill"],
        },
    )
    inbox_topics = ma.fields.List(
        ma.fields.String(validate=validate.Length(1, 100)),
        load_default=list,
        validate=validate.Length(max=200),
        metadata={"description": "鳴らさず受信箱だけで読む話題とその下。", "example": ["notices.living"]},
    )


class RemindersQuery(ma.Schema):
    """How far ahead."""

    days = ma.fields.Integer(
        load_default=14, validate=validate.Range(1, ahead.MOST_DAYS), metadata={"description": "何日先まで。"}
    )


class Reminder(ma.Schema):
    """A reminder to come, as things stand; it is reckoned anew when its hour comes."""

    at = ma.fields.AwareDateTime(metadata={"example": "2026-11-21T19:00:00+09:00"})
    kind = ma.fields.String(metadata={"description": "garbage | child", "example": "garbage"})
    day = ma.fields.Date(metadata={"description": "収集日、または知らせる日。", "example": "2026-11-22"})
    language = ma.fields.String(metadata={"example": "ja"})
    title = ma.fields.String(metadata={"example": "【ごみ】11月22日（日）は家庭ごみ・紙類"})
    body = ma.fields.String(metadata={"example": "当日の8時30分までに出してください。"})
    area = ma.fields.String(metadata={"description": "収集区域の番号、または区域コード。", "example": "12"})
    label = ma.fields.String(allow_none=True, metadata={"example": "home"})
    reason = ma.fields.String(metadata={"example": "reminder:garbage:evening"})
    why = ma.fields.String(
        metadata={"example": "この区域の収集日の前の日に知らせるよう、あなたが選んだためです。（自宅）"}
    )
    link = ma.fields.String(metadata={"example": "yobikake://garbage/2026-11-22"})


class Reminders(ma.Schema):
    """Soonest first."""

    items = ma.fields.List(ma.fields.Nested(Reminder))


class Wished(ma.Schema):
    """All that a resident asked for."""

    garbage = ma.fields.Nested(GarbageAreas)
    children = ma.fields.Nested(Children)
    preferences = ma.fields.Nested(Wishes)


def wished(device: Device) -> dict[str, Any]:
    """All that a resident asked for, as it is shown."""
    return {
        "garbage": garbage_view(device),
        "children": children_view(device),
        "preferences": preferences_view(device),
    }


def garbage_view(device: Device) -> dict[str, Any]:
    """The collection areas of a phone as they are shown."""
    return {
        "areas": [
            {
                "area": wish.area_id,
                "label": wish.label.value,
                "evening": _shown(wish.evening),
                "morning": _shown(wish.morning),
                "categories": sorted(wish.categories),
            }
            for wish in garbage_days.of_device(session(), device.id)
        ]
    }


def children_view(device: Device) -> dict[str, Any]:
    """The birth months of a family as they are shown."""
    family = children.of_device(session(), device.id)
    return {"born": list(family.born), "area": family.area or None, "at": _shown(family.minute)}


def preferences_view(device: Device) -> dict[str, Any]:
    """A phone's wishes as they are shown."""
    kept, silent = preferences.of_device(session(), device)
    quiet = None if kept.quiet is None else {"from": _shown(kept.quiet[0]), "until": _shown(kept.quiet[1])}
    return {"quiet": quiet, "a_day": kept.a_day, "inbox_only": sorted(kept.inbox_only), "inbox_topics": silent}


def reminder_view(one: ahead.Ahead, wanted: str, zone: ZoneInfo) -> dict[str, Any]:
    """A reminder to come, in the phone's language."""
    language, chosen = text.choose(one.texts, wanted)
    return {
        "at": one.at.astimezone(zone),
        "kind": one.kind.value,
        "day": one.day,
        "language": language,
        **chosen,
        "area": one.area,
        "label": one.label,
        "reason": one.reason,
        "why": why.sentence(one.reason, one.label, language),
        "link": one.link,
    }


def minute_of(hour: str | None) -> int | None:
    """The minute of the day of an hour as it is said."""
    return None if hour is None else int(hour[:2]) * 60 + int(hour[3:])


def _shown(minute: int | None) -> str | None:
    return None if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"
