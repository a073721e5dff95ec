"""/v1/childcare: a family's timeline from birth months alone, guides, dated programmes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
from flask.views import MethodView
from marshmallow import validate
from webargs.fields import DelimitedList

from backend import clock
from backend.api import caching, cursor, speech
from backend.api.blueprint import Blueprint
from backend.api.childcare_sights import (
    KINDS,
    STATUSES,
    GuidePage,
    GuideShown,
    ProgrammePage,
    Timeline,
    guide,
    item,
    programme,
)
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content import calendar, offices
from content.childcare import guides, programmes
from content.childcare.ages import days_of
from content.childcare.plans import Kind
from content.childcare.published import codes_above
from content.childcare.timeline import Status, of_month
from content.childcare.words import PROMISE, told

blp = Blueprint("childcare", __name__, url_prefix="/v1/childcare", description="子育て · Child-rearing")
FRESH_SECONDS = 600
MOST_CHILDREN = 8
OLDEST_YEARS = 20
EXPECTED_DAYS = 300  # a child may be asked for before it is born

_AREA = {"description": "/v1/areas のコード。その区域と、それを含む区・市の制度を返す。", "example": "04991"}
_LANG = {"description": "言語。なければ Accept-Language。", "example": "ja"}


class TimelineQuery(ma.Schema):
    """When the children were born, by month only, and where they live."""

    born = ma.fields.List(
        ma.fields.String(validate=validate.Regexp(r"\A[0-9]{4}-[0-9]{2}\Z", error="Write a month as 2026-03.")),
        required=True,
        validate=validate.Length(1, MOST_CHILDREN),
        metadata={
            "description": "生まれた（または予定の）年月。きょうだいは繰り返す: born=2026-03&born=2023-11",
            "example": ["2026-03", "2023-11"],
        },
    )
    area = ma.fields.String(load_default=None, validate=validate.Length(1, 100), metadata=_AREA)
    status = DelimitedList(
        ma.fields.Enum(Status, by_value=True),
        metadata={"description": f"{STATUSES}。コンマ区切りで複数可。", "example": "maybe_passed,due_now,soon"},
    )
    kind = DelimitedList(ma.fields.Enum(Kind, by_value=True), metadata={"description": KINDS, "example": "vaccine"})
    lang = ma.fields.String(load_default=None, validate=validate.Length(max=35), metadata=_LANG)


class GuidesQuery(cursor.PageQuery):
    """Which guides."""

    topic = ma.fields.String(
        load_default=None,
        validate=validate.Length(1, 100),
        metadata={"description": "この話題とその下。", "example": "childcare"},
    )
    area = ma.fields.String(load_default=None, validate=validate.Length(1, 100), metadata=_AREA)
    age_months = ma.fields.Integer(
        load_default=None, validate=validate.Range(0, 300), metadata={"description": "子の月齢。", "example": 8}
    )
    lang = ma.fields.String(load_default=None, validate=validate.Length(max=35), metadata=_LANG)


class ProgrammesQuery(cursor.PageQuery):
    """Which programmes."""

    kind = DelimitedList(ma.fields.Enum(Kind, by_value=True), metadata={"description": KINDS, "example": "check"})
    area = ma.fields.String(load_default=None, validate=validate.Length(1, 100), metadata=_AREA)
    on = ma.fields.Date(load_default=None, metadata={"description": "この日に有効なもの。既定は今日。"})
    lang = ma.fields.String(load_default=None, validate=validate.Length(max=35), metadata=_LANG)


class LanguageQuery(ma.Schema):
    """In which language."""

    lang = ma.fields.String(load_default=None, validate=validate.Length(max=35), metadata=_LANG)


@blp.route("/timeline")
class TimelineView(MethodView):
    """What is due for a family."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(TimelineQuery, location="query")
    @blp.response(200, Timeline)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """生まれた月だけから、健診・予防接種・手当・届出の時期。何も記録しない。What is due, from birth months alone.

        期限は一番早い日、始まりは一番遅い日を返すので、その月のどの日に生まれていても、守れば遅れも早すぎもしない。
        """
        today, wanted = _today(), speech.wanted()
        codes = _codes(query["area"])
        months = [_month(month, today) for month in query["born"]]
        kinds, statuses = query.get("kind", Kind), query.get("status", Status)
        plans = [plan for plan in programmes.plans(session(), codes) if plan.kind in kinds]
        children = []
        for month, days in months:
            items = of_month(plans, month, today, offices.are_open)
            told_items = [item(one, today, wanted) for one in items if one.status in statuses]
            children.append({"born": month, "expected": days[0] > today, "items": told_items})
        return {"on": today, "area": query["area"], "promise": told(PROMISE, wanted), "children": children}


@blp.route("/guides")
class GuidesView(MethodView):
    """Guides for parents."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(GuidesQuery, location="query")
    @blp.response(200, GuidePage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """子育ての案内を、話題・区域・月齢で。Guides by topic, area and the child's age."""
        limit: int = query["limit"]
        if query["topic"] is not None and "\0" in query["topic"]:
            return {"items": [], "next": None}
        found = guides.listed(
            session(),
            _today(),
            topic=query["topic"],
            codes=_codes(query["area"]),
            age_months=query["age_months"],
            place=cursor.decode(query["cursor"], int, str, int),
            limit=limit + 1,
        )
        wanted = speech.wanted()
        return cursor.page([guide(one, wanted) for one in found], limit, *_place(found, limit))


@blp.route("/guides/<key>")
class GuideView(MethodView):
    """One guide."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(LanguageQuery, location="query")
    @blp.response(200, GuideShown)
    def get(self, _query: dict[str, Any], key: str) -> dict[str, Any]:
        """一つの案内。One guide."""
        found = guides.get(session(), key, _today()) if "\0" not in key else None
        if found is None:
            raise of_status(404, "There is no guide with this id in effect today.")
        return guide(found, speech.wanted())


@blp.route("/programmes")
class ProgrammesView(MethodView):
    """Dated programmes."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(ProgrammesQuery, location="query")
    @blp.response(200, ProgrammePage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """健診・定期接種・手当・届出の制度と期間の規則。Checks, vaccines, allowances, applications and their windows.

        端末が正確な誕生日を知っているなら、この規則から端末の中で計算できる（誕生日を送らずに済む）。
        """
        limit: int = query["limit"]
        found = programmes.listed(
            session(),
            query["on"] or _today(),
            kinds=query.get("kind", ()),
            codes=_codes(query["area"]),
            place=cursor.decode(query["cursor"], int, str, int),
            limit=limit + 1,
        )
        wanted = speech.wanted()
        return cursor.page([programme(one, wanted) for one in found], limit, *_place(found, limit))


def _today() -> dt.date:
    return calendar.day_of(clock.now(), settings().zone)


def _codes(area: str | None) -> tuple[str, ...] | None:
    """An area's code and those above it; None when none was asked for. Raises Problem for an unknown one."""
    if area is None:
        return None
    codes = codes_above(session(), area)
    if not codes:
        raise of_status(422, "There is no such area: look it up under /v1/areas.", field="area")
    return codes


def _month(month: str, today: dt.date) -> tuple[str, list[dt.date]]:
    """A month of birth and its days. Raises Problem for one that is none, or of which nothing can be due."""
    try:
        days = days_of(month)
    except ValueError as error:
        raise of_status(422, str(error), field="born") from None
    if days[-1].year < today.year - OLDEST_YEARS or days[0] > today + dt.timedelta(days=EXPECTED_DAYS):
        raise of_status(422, f"{month} is not the month of birth of a child, nor an expected one.", field="born")
    return month, days


def _place(found: list[Any], limit: int) -> tuple[int, str, int]:
    """Where the page of a list ended."""
    last = found[:limit][-1] if found else None
    return (last.position, last.key, last.version) if last is not None else (0, "", 0)
