"""/v1/notices: what the city says now, in the reader's language, and what a push about it opens."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
from flask.views import MethodView
from marshmallow import validate

from backend import clock
from backend.api import caching, cursor, speech
from backend.api.blueprint import Blueprint
from backend.config import settings
from backend.errors import Problem, of_status
from backend.transaction import session
from content import noticeboard
from content import notices as house
from content import texts as text
from content.noticeboard import Place, Wishes
from content.notices import Notice

FRESH_SECONDS = 30


class NoticeSchema(ma.Schema):
    """A notice in one language."""

    id = ma.fields.String(metadata={"example": "q7oV3x0mS1yJ8fQm2b4K9A"})
    topic = ma.fields.String(allow_none=True, metadata={"example": "garbage"})
    language = ma.fields.String(metadata={"description": "title と body の実際の言語。", "example": "ja"})
    languages = ma.fields.List(ma.fields.String(), metadata={"description": "読める言語。"})
    title = ma.fields.String()
    body = ma.fields.String()
    link = ma.fields.String(allow_none=True)
    published_at = ma.fields.AwareDateTime(metadata={"description": "公開された時刻。"})
    expires_at = ma.fields.AwareDateTime(allow_none=True)
    expired = ma.fields.Boolean(metadata={"description": "掲載期間が終わった。一覧には出ない。"})
    url = ma.fields.String()


class NoticeQuery(cursor.PageQuery):
    """Which notices, in which language."""

    topic = ma.fields.String(load_default=None, validate=validate.Length(1, 100))
    lang = ma.fields.String(
        load_default=None,
        metadata={"description": "言語。なければ Accept-Language。ないものは次の言語で返す。", "example": "ja-x-easy"},
    )


class NoticePage(ma.Schema):
    """The newest first."""

    items = ma.fields.List(ma.fields.Nested(NoticeSchema))
    next = ma.fields.String(allow_none=True, metadata={"description": "続きの cursor。最後なら null。"})


class LanguageQuery(ma.Schema):
    """In which language."""

    lang = ma.fields.String(load_default=None, metadata={"example": "en"})


blp = Blueprint("notices", __name__, url_prefix="/v1/notices", description="市からのお知らせ · What the city says now")


@blp.route("")
class Notices(MethodView):
    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(NoticeQuery, location="query")
    @blp.response(200, NoticePage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """掲載中のお知らせを新しい順に。Notices shown now, the newest first."""
        now, wanted = clock.now(), speech.wanted()
        found = noticeboard.current(
            session(), now, Wishes(topic=query["topic"]), _after(query["cursor"]), query["limit"] + 1
        )
        last = found[: query["limit"]][-1] if found else None
        key = (last.phase_rank, last.shown_from.isoformat(), last.id) if last and last.shown_from else ()
        return cursor.page([view(notice, wanted, now) for notice in found], query["limit"], *key)


@blp.route("/<public_id>")
class OneNotice(MethodView):
    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(LanguageQuery, location="query")
    @blp.response(200, NoticeSchema)
    @blp.alt_response(404, description="no such notice")
    @blp.alt_response(410, description="withdrawn")
    def get(self, _query: dict[str, Any], public_id: str) -> dict[str, Any]:
        """一件。期間が終わったものも読める。取り下げたものは 410。One notice; 410 when it was withdrawn."""
        now = clock.now()
        notice = house.by_public_id(session(), public_id)
        if notice is None or notice.shown_from is None or notice.shown_from > now:
            raise of_status(404, "There is no notice with this id.")
        if notice.state == "withdrawn":
            raise Problem(410, "withdrawn", "This notice was withdrawn", "The city has taken it back.")
        return view(notice, speech.wanted(), now)


def view(notice: Notice, wanted: tuple[str, ...], now: dt.datetime) -> dict[str, Any]:
    """A notice in the best language there is for a reader."""
    language, chosen = text.choose(notice.texts, wanted)
    gaps = text.missing(notice.texts, notice.texts)
    return {
        "id": notice.public_id,
        "topic": notice.topic,
        "language": language,
        "languages": [each for each in text.LANGUAGES if each in notice.texts and each not in gaps],
        **chosen,
        "link": notice.link,
        "published_at": notice.shown_from,
        "expires_at": notice.expires_at,
        "expired": notice.expires_at is not None and notice.expires_at <= now,
        "url": f"{settings().public_url}/v1/notices/{notice.public_id}",
    }


def _after(given: str | None) -> Place | None:
    """The place in the list that a cursor stands for."""
    key = cursor.decode(given, int, str, int)
    if key is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(key[1])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Problem(400, "bad-cursor", "This cursor is not one of this list", field="cursor")
    return Place(key[0], moment, key[2])
