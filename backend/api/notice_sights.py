"""What residents are shown of a notice: in the best language there is, with what it corrects and what is related."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from backend.api import speech
from backend.config import settings
from backend.transaction import session
from content import corrections, noticeboard
from content import texts as text
from content.notices import Notice

PHASES = "at_once 発災直後 | after 応急 | recovery 復旧 | rebuilding 復興 | null ふだん"
KINDS = "page | pdf | image | map | form | video | data"


class AttachmentShown(ma.Schema):
    """A link with its title in the best language there is."""

    url = ma.fields.String(metadata={"example": "https://www.city.mihon.example.jp/dansui/map.pdf"})
    kind = ma.fields.String(metadata={"description": KINDS, "example": "pdf"})
    title = ma.fields.String(metadata={"example": "断水区域の地図"})
    language = ma.fields.String(metadata={"description": "title の実際の言語。", "example": "ja"})


class Correcting(ma.Schema):
    """What this notice puts right of an earlier one."""

    corrects = ma.fields.String(metadata={"description": "訂正前のお知らせ。", "example": "q7oV3x0mS1yJ8fQm2b4K9A"})
    at = ma.fields.AwareDateTime(metadata={"description": "訂正した時刻。"})
    text = ma.fields.String(
        metadata={"description": "何を訂正したか。必ず見せる。", "example": "終わりの時刻を16時に訂正しました。"}
    )
    language = ma.fields.String(metadata={"description": "text の実際の言語。", "example": "ja"})
    url = ma.fields.String(metadata={"description": "訂正前の全文。"})


class Corrected(ma.Schema):
    """By what this notice was corrected."""

    id = ma.fields.String(metadata={"example": "x2Yb7KdP4nH6fJ0aXq3Ueg"})
    at = ma.fields.AwareDateTime()
    text = ma.fields.String(metadata={"example": "終わりの時刻を16時に訂正しました。"})
    language = ma.fields.String(metadata={"example": "ja"})
    url = ma.fields.String()


class NoticeSchema(ma.Schema):
    """A notice in one language."""

    id = ma.fields.String(metadata={"example": "q7oV3x0mS1yJ8fQm2b4K9A"})
    topic = ma.fields.String(allow_none=True, metadata={"example": "garbage"})
    areas = ma.fields.List(
        ma.fields.String(), metadata={"description": "対象の区域の符号。空なら市内全域。", "example": ["04991"]}
    )
    from_months = ma.fields.Integer(allow_none=True, metadata={"description": "対象の子の月齢（から）。", "example": 0})
    to_months = ma.fields.Integer(allow_none=True, metadata={"description": "この月齢になると対象外。", "example": 36})
    phase = ma.fields.String(allow_none=True, metadata={"description": PHASES, "example": "recovery"})
    language = ma.fields.String(metadata={"description": "title と body の実際の言語。", "example": "ja"})
    languages = ma.fields.List(ma.fields.String(), metadata={"description": "読める言語。", "example": ["ja", "en"]})
    title = ma.fields.String(metadata={"example": "断水のお知らせ"})
    body = ma.fields.String(metadata={"example": "泉町で水道工事のため断水します。"})
    link = ma.fields.String(allow_none=True)
    attachments = ma.fields.List(ma.fields.Nested(AttachmentShown))
    published_at = ma.fields.AwareDateTime(metadata={"description": "公開された時刻。"})
    expires_at = ma.fields.AwareDateTime(allow_none=True)
    expired = ma.fields.Boolean(metadata={"description": "掲載期間が終わった。一覧には出ない。"})
    correction = ma.fields.Nested(
        Correcting,
        allow_none=True,
        metadata={"description": "前のお知らせの訂正であるとき。「訂正」と分かるように見せる。"},
    )
    url = ma.fields.String()


class Brief(ma.Schema):
    """Another notice, by its title."""

    id = ma.fields.String(metadata={"example": "q7oV3x0mS1yJ8fQm2b4K9A"})
    title = ma.fields.String(metadata={"example": "断水のお知らせ"})
    language = ma.fields.String(metadata={"example": "ja"})
    topic = ma.fields.String(allow_none=True, metadata={"example": "notices.living"})
    phase = ma.fields.String(allow_none=True, metadata={"description": PHASES})
    published_at = ma.fields.AwareDateTime()
    url = ma.fields.String()


class NoticeWhole(NoticeSchema):
    """With its earlier and later versions, and what is related."""

    corrected_by = ma.fields.Nested(
        Corrected, allow_none=True, metadata={"description": "このお知らせは訂正された。新しいものへ案内する。"}
    )
    history = ma.fields.List(
        ma.fields.Nested(Brief), metadata={"description": "訂正前のもの、古い順。どれも id で読める。"}
    )
    related = ma.fields.List(
        ma.fields.Nested(Brief),
        metadata={"description": "話題・区域・段階が同じ、掲載中のもの。関係の深い順、新しい順。"},
    )


class NoticePage(ma.Schema):
    """By phase, and within it the newest first."""

    items = ma.fields.List(ma.fields.Nested(NoticeSchema))
    next = ma.fields.String(allow_none=True, metadata={"description": "続きの cursor。最後なら null。"})


def view(notice: Notice, wanted: tuple[str, ...], now: dt.datetime) -> dict[str, Any]:
    """A notice in the best language there is for a reader."""
    language, chosen = speech.choose(notice.texts, wanted)
    gaps = text.missing(notice.texts, notice.texts)
    attachments = [
        {"url": one["url"], "kind": one["kind"], **_phrase(one["titles"], wanted, "title")}
        for one in notice.attachments
    ]
    plain = ("topic", "areas", "from_months", "to_months", "phase", "link", "expires_at")
    return {
        **{name: getattr(notice, name) for name in plain},
        "id": notice.public_id,
        "language": language,
        "languages": [each for each in text.LANGUAGES if each in notice.texts and each not in gaps],
        **chosen,
        "attachments": attachments,
        "published_at": notice.shown_from,
        "expired": notice.expires_at is not None and notice.expires_at <= now,
        "correction": _correcting(notice, wanted),
        "url": address(notice),
    }


def whole(notice: Notice, wanted: tuple[str, ...], now: dt.datetime) -> dict[str, Any]:
    """A notice with its versions and what is related."""
    later = corrections.correction_of(session(), notice, now)
    earlier = corrections.history(session(), notice)
    apart = [one.id for one in (*earlier, *([later] if later is not None else []))]
    found = noticeboard.related(session(), notice, now, apart)
    corrected = None
    if later is not None:
        said = _phrase(later.correction, wanted, "text")
        corrected = {"id": later.public_id, "at": later.shown_from, "url": address(later), **said}
    return view(notice, wanted, now) | {
        "corrected_by": corrected,
        "history": [_brief(one, wanted) for one in earlier],
        "related": [_brief(one, wanted) for one in found],
    }


def address(notice: Notice) -> str:
    """Where a notice is read."""
    return f"{settings().public_url}/v1/notices/{notice.public_id}"


def _correcting(notice: Notice, wanted: tuple[str, ...]) -> dict[str, Any] | None:
    earlier = corrections.corrected_by(session(), notice)
    if earlier is None:
        return None
    said = _phrase(notice.correction, wanted, "text")
    return {"corrects": earlier.public_id, "at": notice.shown_from, "url": address(earlier), **said}


def _brief(notice: Notice, wanted: tuple[str, ...]) -> dict[str, Any]:
    language, chosen = speech.choose(notice.texts, wanted)
    return {
        "id": notice.public_id,
        "title": chosen["title"],
        "language": language,
        "topic": notice.topic,
        "phase": notice.phase,
        "published_at": notice.shown_from,
        "url": address(notice),
    }


def _phrase(phrases: Mapping[str, str], wanted: tuple[str, ...], name: str) -> dict[str, str]:
    """The best of a short text's languages, and which it is."""
    language = next(one for one in (*text.chain(wanted), *text.LANGUAGES) if one in phrases)
    return {name: phrases[language], "language": language}
