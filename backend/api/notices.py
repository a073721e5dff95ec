"""/v1/notices: what the city says now, searched and narrowed, in the reader's language, and what a push opens."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
from flask.views import MethodView
from marshmallow import validate

from backend import clock
from backend.api import caching, cursor, speech
from backend.api.blueprint import Blueprint
from backend.api.notice_sights import PHASES, NoticePage, NoticeWhole, view, whole
from backend.errors import Problem, of_status
from backend.transaction import session
from content import noticeboard
from content import notices as house
from content.childcare.ages import OLDEST_MONTHS
from content.childcare.published import codes_above
from content.noticeboard import Place, Wishes
from content.notices import Phase

FRESH_SECONDS = 30
_LANG = "言語。なければ Accept-Language。ないものは次の言語で返す。"


class NoticeQuery(cursor.PageQuery):
    """Which notices, in which language and order."""

    q = ma.fields.String(
        load_default=None,
        validate=validate.Length(1, 100),
        metadata={
            "description": "さがす言葉。空白で区切るとすべてを含むもの。かな・カナ、全角・半角、旧字体、長音の違いは"
            "問わない。求めた言語と、その代わりになる言語の文からさがす。",
            "example": "ごみ 年末",
        },
    )
    topic = ma.fields.String(
        load_default=None,
        validate=validate.Length(1, 100),
        metadata={"description": "話題と、その下の話題。", "example": "notices"},
    )
    area = ma.fields.String(
        load_default=None,
        validate=validate.Length(1, 100),
        metadata={
            "description": "/v1/areas の符号。その区域・それを含む区域・市内全域が対象のもの。", "example": "04991",
        },
    )  # fmt: skip
    age_months = ma.fields.Integer(
        load_default=None,
        validate=validate.Range(0, OLDEST_MONTHS),
        metadata={"description": "子の月齢。対象外のものを除き、年齢を問わないものは残す。", "example": 8},
    )
    phase = ma.fields.Enum(Phase, by_value=True, load_default=None, metadata={"description": PHASES})
    since = ma.fields.AwareDateTime(
        load_default=None,
        validate=validate.Range(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)),
        metadata={"description": "この時刻以後に公開されたもの。", "example": "2026-11-01T00:00:00+09:00"},
    )
    order = ma.fields.String(
        load_default="phase",
        validate=validate.OneOf(["phase", "newest"]),
        metadata={"description": "phase：災害の段階の早いもの、ふだんのものは最後。newest：段階を問わず新しい順。"},
    )
    lang = ma.fields.String(load_default=None, metadata={"description": _LANG, "example": "ja-x-easy"})


class LanguageQuery(ma.Schema):
    """In which language."""

    lang = ma.fields.String(load_default=None, metadata={"description": _LANG, "example": "en"})


blp = Blueprint("notices", __name__, url_prefix="/v1/notices", description="市からのお知らせ · What the city says now")


@blp.route("")
class Notices(MethodView):
    """The board."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(NoticeQuery, location="query")
    @blp.response(200, NoticePage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """掲載中のお知らせを、災害の段階の早いもの、新しいものから。

        訂正されたもの、期間が終わったもの、取り下げたものは出ない（キャッシュに残るのは最長 60 秒）。
        What is shown now, by phase, the newest first. Corrected, expired and withdrawn ones are not.
        """
        now, wanted = clock.now(), speech.wanted()
        found = noticeboard.current(session(), now, _wishes(query, wanted), _after(query["cursor"]), query["limit"] + 1)
        last = Place.of(found[: query["limit"]][-1]) if found else None
        key = (last.rank, last.shown_from.isoformat(), last.id) if last is not None else ()
        return cursor.page([view(notice, wanted, now) for notice in found], query["limit"], *key)


@blp.route("/<public_id>")
class OneNotice(MethodView):
    """One of them."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(LanguageQuery, location="query")
    @blp.response(200, NoticeWhole)
    @blp.alt_response(404, description="no such notice")
    @blp.alt_response(410, description="withdrawn")
    def get(self, _query: dict[str, Any], public_id: str) -> dict[str, Any]:
        """一件。期間が終わったもの、訂正されたものも読める。取り下げたものは 410。

        One notice, also an expired or corrected one, with its versions and what is related; 410 when it was withdrawn.
        """
        now = clock.now()
        notice = house.by_public_id(session(), public_id) if "\0" not in public_id else None
        if notice is None or not notice.ever_shown(now):
            raise of_status(404, "There is no notice with this id.")
        if notice.state == "withdrawn":
            raise Problem(410, "withdrawn", "This notice was withdrawn", "The city has taken it back.")
        return whole(notice, speech.wanted(), now)


def _wishes(query: dict[str, Any], wanted: tuple[str, ...]) -> Wishes:
    areas = codes_above(session(), query["area"]) if query["area"] is not None else None
    if areas == ():
        raise of_status(422, "There is no such area: look it up under /v1/areas.", field="area")
    topic = query["topic"]
    if topic is not None and "\0" in topic:
        raise of_status(422, "A topic holds no NUL.", field="topic")
    plain = {name: query[name] for name in ("topic", "age_months", "phase", "since", "q")}
    return Wishes(**plain, areas=areas, languages=wanted, by_phase=query["order"] == "phase")


def _after(given: str | None) -> Place | None:
    """The place in the list that a cursor stands for."""
    key = cursor.decode(given, int, str, int)
    if key is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(key[1])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year < 2200:
        raise Problem(400, "bad-cursor", "This cursor is not one of this list", field="cursor")
    return Place(key[0], moment, key[2])
