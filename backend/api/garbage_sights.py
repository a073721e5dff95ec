"""What is shown of garbage: areas, categories, collections with their reasons, items of the dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import marshmallow as ma

from backend.api import speech
from content.garbage import cautions
from content.garbage.areas import GarbageArea
from content.garbage.categories import GarbageCategory
from content.garbage.dictionary import Hit
from content.garbage.reasons import CODES, Reason, language_of, sentence
from content.garbage.schedule import Collection, Missed
from content.texts import chain

SOURCE = r"\A[a-z0-9._-]{1,64}\Z"  # keys under which data are kept
FITS = ("exact", "beginning", "reading", "inside")


class CategoryBrief(ma.Schema):
    """A kind of garbage, for lists."""

    id = ma.fields.Integer(metadata={"example": 3})
    name = ma.fields.String(metadata={"example": "紙類"})
    colour = ma.fields.String(allow_none=True, metadata={"example": "#1e6bb8"})
    cutoff = ma.fields.String(
        allow_none=True, metadata={"description": "収集日当日の何時までに出すか。", "example": "08:30"}
    )


class Category(CategoryBrief):
    """A kind of garbage with everything about putting it out."""

    names = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    bag = ma.fields.String(allow_none=True, metadata={"description": "袋・容器。", "example": "指定袋（緑）"})
    limits = ma.fields.String(allow_none=True, metadata={"example": "一度に45リットルか10kgまで。30cm未満。"})
    how = ma.fields.String(allow_none=True, metadata={"description": "出し方。"})
    note = ma.fields.String(allow_none=True)
    link = ma.fields.String(allow_none=True, metadata={"description": "申込みなどのページ。"})
    source = ma.fields.String(metadata={"example": "sample"})


class GarbageAreaShown(ma.Schema):
    """A collection area: one calendar."""

    id = ma.fields.Integer(metadata={"description": "変わらない番号。カレンダーの購読先に使える。", "example": 12})
    ward = ma.fields.String(metadata={"description": "区。なければ空。", "example": "青葉区"})
    town = ma.fields.String(metadata={"example": "旭ケ丘"})
    block = ma.fields.String(metadata={"description": "町を分けた部分。", "example": "（上記以外）"})
    name = ma.fields.String(metadata={"description": "市の一覧のとおりの名前。", "example": "旭ケ丘（上記以外）"})
    reading = ma.fields.String(
        metadata={"description": "カタカナ。初めの数文字だけのこともある。", "example": "アサヒガオカ"}
    )
    source = ma.fields.String(metadata={"example": "sample"})
    distance_m = ma.fields.Float(
        metadata={"description": "位置で探したときだけ。町の代表点までのm。", "example": 240.0}
    )
    inside = ma.fields.Boolean(metadata={"description": "位置で探したときだけ。公表された境界の内側にある。"})


class GarbageAreaFull(GarbageAreaShown):
    """An area with what to know about it."""

    note = ma.fields.String(allow_none=True, metadata={"example": "集積所のシールの曜日が正しいものです。"})
    contact = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    areas = ma.fields.List(ma.fields.String(), metadata={"description": "/v1/areas のコード。"})
    postcodes = ma.fields.List(ma.fields.String())
    categories = ma.fields.List(ma.fields.Nested(CategoryBrief))
    collections_url = ma.fields.String()
    calendar_url = ma.fields.String(metadata={"description": "カレンダーアプリで購読する iCalendar。"})
    licence = ma.fields.String(allow_none=True)
    as_of = ma.fields.Date(allow_none=True)


class Choice(ma.Schema):
    """An answer to the next question."""

    value = ma.fields.String(metadata={"example": "青葉区"})
    count = ma.fields.Integer(metadata={"description": "残る地区の数。", "example": 11})


class Question(ma.Schema):
    """What to ask the resident next."""

    by = ma.fields.String(
        allow_none=True,
        metadata={"description": "ward | reading | town。null なら items から選ぶ。", "example": "ward"},
    )
    choices = ma.fields.List(ma.fields.Nested(Choice))


class GarbageAreaPage(ma.Schema):
    """Areas, and how to ask for fewer."""

    items = ma.fields.List(ma.fields.Nested(GarbageAreaShown))
    next = ma.fields.String(allow_none=True)
    question = ma.fields.Nested(Question)


class CollectionShown(ma.Schema):
    """A category is collected on a day."""

    date = ma.fields.Date(metadata={"example": "2027-01-29"})
    category = ma.fields.Nested(CategoryBrief)
    origin = ma.fields.Date(metadata={"description": "規則どおりの日。date と違えば振替。", "example": "2027-01-01"})
    moved = ma.fields.Boolean()
    reasons = ma.fields.List(ma.fields.Dict(), metadata={"description": f"code とその項目: {' | '.join(CODES)}"})
    why = ma.fields.String(metadata={"example": "第1金曜日、1月1日（金）の分の振替（年末年始）"})
    notes = ma.fields.List(ma.fields.String())


class MissedShown(ma.Schema):
    """A category that the rules would collect on a day, and why it is not."""

    date = ma.fields.Date(metadata={"example": "2027-01-01"})
    category = ma.fields.Nested(CategoryBrief)
    instead = ma.fields.Date(allow_none=True, metadata={"description": "代わりの日。", "example": "2027-01-29"})
    reasons = ma.fields.List(ma.fields.Dict())
    why = ma.fields.String(metadata={"example": "1月29日（金）に振替（年末年始）"})


class GarbageItemShown(ma.Schema):
    """One thing and where it goes."""

    id = ma.fields.Integer(metadata={"example": 77})
    name = ma.fields.String(metadata={"example": "モバイルバッテリー"})
    names = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    reading = ma.fields.String(metadata={"example": "もばいるばってりー"})
    aliases = ma.fields.List(ma.fields.String())
    category = ma.fields.Nested(CategoryBrief, allow_none=True)
    note = ma.fields.String(allow_none=True)
    size_rule = ma.fields.String(allow_none=True)
    cautions = ma.fields.List(
        ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()),
        metadata={"description": "code と text。必ず利用者に見せる。"},
    )
    link = ma.fields.String(allow_none=True)
    fits = ma.fields.String(metadata={"description": " | ".join(FITS), "example": "exact"})
    source = ma.fields.String()


def spoken(words: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    """The best of some texts for a reader: his languages, then easy Japanese and Japanese, then whatever there is."""
    for tag in (*chain(tuple(wanted)), *words):
        if words.get(tag):
            speech.spoke(tag)
            return words[tag]
    return None


def category_brief(one: GarbageCategory, wanted: Sequence[str]) -> dict[str, Any]:
    """A category for lists."""
    name = spoken(one.names, wanted) or one.key
    return {"id": one.id, "name": name, "colour": one.colour, "cutoff": one.cutoff}


def category(one: GarbageCategory, wanted: Sequence[str]) -> dict[str, Any]:
    """A category with everything."""
    texts = {name: spoken(getattr(one, name), wanted) for name in ("bag", "limits", "how", "note")}
    return {**category_brief(one, wanted), "names": one.names, **texts, "link": one.link, "source": one.source}


def area(one: GarbageArea, wanted: Sequence[str]) -> dict[str, Any]:
    """An area for lists."""
    return {
        "id": one.id,
        "ward": one.ward,
        "town": one.town,
        "block": one.block,
        "name": spoken({"ja": one.name, **one.names}, wanted),
        "reading": one.reading,
        "source": one.source,
    }


def collection(one: Collection, kinds: Mapping[int, GarbageCategory], wanted: Sequence[str]) -> dict[str, Any]:
    """A collection with its reasons."""
    return {
        "date": one.day,
        "category": category_brief(kinds[one.category], wanted),
        "origin": one.origin,
        "moved": one.moved,
        "reasons": [reason.to_json() for reason in one.reasons],
        "why": _why(one.reasons, wanted),
        "notes": [text for note in one.notes if (text := spoken(note, wanted))],
    }


def missed(one: Missed, kinds: Mapping[int, GarbageCategory], wanted: Sequence[str]) -> dict[str, Any]:
    """A collection that is not."""
    return {
        "date": one.day,
        "category": category_brief(kinds[one.category], wanted),
        "instead": one.instead,
        "reasons": [reason.to_json() for reason in one.reasons],
        "why": _why(one.reasons, wanted),
    }


def item(hit: Hit, kinds: Mapping[int, GarbageCategory], wanted: Sequence[str]) -> dict[str, Any]:
    """An item of the dictionary with its category and what is dangerous about it."""
    one = hit.item
    return {
        "id": one.id,
        "name": spoken(one.names, wanted),
        "names": one.names,
        "reading": one.reading,
        "aliases": one.aliases,
        "category": category_brief(kinds[one.category_id], wanted) if one.category_id is not None else None,
        "note": spoken(one.notes, wanted),
        "size_rule": spoken(one.size_rule, wanted),
        "cautions": [{"code": code, "text": cautions.text(code, wanted)[1]} for code in one.cautions],
        "link": one.link,
        "fits": FITS[hit.rank],
        "source": one.source,
    }


def _why(reasons: Sequence[Reason], wanted: Sequence[str]) -> str:
    return sentence(reasons, language_of(wanted))
