"""/v1/garbage/areas: which area a home lies in, its collections with reasons, and its calendar feed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
from flask import Response, after_this_request
from flask.views import MethodView
from marshmallow import validate

from backend import clock
from backend.api import caching, cursor, speech
from backend.api import garbage_sights as sights
from backend.api.blueprint import Blueprint
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content import calendar
from content.garbage import areas, categories, coming, feed, picker, reasons, rules, sources
from content.garbage.areas import GarbageArea
from content.garbage.rules import AreaRules
from geo import postcodes
from geo.point import Point, PointError

blp = Blueprint("garbage", __name__, url_prefix="/v1/garbage", description="ごみと資源の日 · Garbage days")
AREA_FRESH_SECONDS = 3600
DAY_FRESH_SECONDS = 300  # a correction reaches everybody within minutes
LONGEST_DAYS = 400
_LANG = {"description": "言語。なければ Accept-Language。", "example": "en"}
_EARLIEST, _LATEST = dt.date(1990, 1, 1), dt.date(2100, 12, 31)


class GarbageAreasQuery(cursor.PageQuery):
    """Answers given so far, or a postcode, or a position."""

    ward = ma.fields.String(validate=validate.Length(max=100), metadata={"example": "青葉区"})
    reading = ma.fields.String(
        validate=validate.Length(1, 50),
        metadata={"description": "町名の読みの初め（どちらの仮名でも）。", "example": "あさ"},
    )
    town = ma.fields.String(validate=validate.Length(1, 100), metadata={"example": "旭ケ丘"})
    q = ma.fields.String(
        validate=validate.Length(1, 100),
        metadata={"description": "名前か読みの一部。区名を前に付けてよい。", "example": "青葉区旭ケ丘"},
    )
    postcode = ma.fields.String(validate=validate.Length(1, 20), metadata={"example": "981-0904"})
    lat = ma.fields.Float(metadata={"description": "緯度（WGS 84）。lon と共に。記録されない。", "example": 38.2931})
    lon = ma.fields.Float(metadata={"example": 140.8862})
    source = ma.fields.String(validate=validate.Regexp(sights.SOURCE), metadata={"example": "sample"})
    lang = ma.fields.String(validate=validate.Length(max=35), metadata=_LANG)

    @ma.validates_schema
    def one_way(self, data: dict[str, Any], **_: Any) -> None:
        """By answers, by postcode or by position: three different questions."""
        for here, there in (("lat", "lon"), ("lon", "lat")):
            if here in data and there not in data:
                raise ma.ValidationError(f"{here} was given without {there}.", there)
        answers = {"ward", "reading", "town", "q"} & data.keys()
        if len({"postcode", "lat"} & data.keys()) + bool(answers) > 1:
            raise ma.ValidationError("Ask either by postcode, or by lat and lon, or by names.", "postcode")
        if "postcode" in data and postcodes.digits(data["postcode"]) is None:
            raise ma.ValidationError("A postcode has seven digits, such as 981-0904.", "postcode")
        if "lat" in data:
            try:
                Point.checked(data["lat"], data["lon"])
            except PointError as error:
                raise ma.ValidationError(str(error), "lat") from None


class LanguageQuery(ma.Schema):
    """In which language."""

    lang = ma.fields.String(validate=validate.Length(max=35), metadata=_LANG)


class DaysQuery(LanguageQuery):
    """Which days: from and to, or a month; the next 31 days when nothing is said."""

    first = ma.fields.Date(data_key="from", metadata={"description": "初日。なければ今日。", "example": "2026-12-01"})
    last = ma.fields.Date(
        data_key="to", metadata={"description": f"最終日。最長{LONGEST_DAYS}日。", "example": "2027-01-31"}
    )
    month = ma.fields.String(
        validate=validate.Regexp(r"\A[0-9]{4}-(0[1-9]|1[0-2])\Z", error="Write a month as 2027-01."),
        metadata={"description": "from, to の代わりに一か月。", "example": "2027-01"},
    )

    @ma.validates_schema
    def span(self, data: dict[str, Any], **_: Any) -> None:
        """Days in order, not too many, of years a calendar is kept for."""
        if "month" in data:
            if {"first", "last"} & data.keys():
                raise ma.ValidationError("Ask either for a month or for from and to.", "month")
            if not _EARLIEST.year <= int(data["month"][:4]) <= _LATEST.year:
                raise ma.ValidationError("A month from 1990-01 to 2100-12.", "month")
        for name, field in (("first", "from"), ("last", "to")):
            if name in data and not _EARLIEST <= data[name] <= _LATEST:
                raise ma.ValidationError(f"A day from {_EARLIEST} to {_LATEST}.", field)


class GarbageAreaBrief(ma.Schema):
    """Whose days they are."""

    id = ma.fields.Integer()
    name = ma.fields.String(metadata={"example": "青葉区旭ケ丘（上記以外）"})


class Days(ma.Schema):
    """Collections of some days, and what is missed."""

    area = ma.fields.Nested(GarbageAreaBrief)
    first = ma.fields.Date(data_key="from")
    last = ma.fields.Date(data_key="to")
    language = ma.fields.String(metadata={"description": "why の実際の言語（ja か en）。", "example": "ja"})
    items = ma.fields.List(ma.fields.Nested(sights.CollectionShown))
    missed = ma.fields.List(
        ma.fields.Nested(sights.MissedShown), metadata={"description": "規則では収集日だが、ない日。"}
    )


class Coming(ma.Schema):
    """The next collection of each category."""

    area = ma.fields.Nested(GarbageAreaBrief)
    language = ma.fields.String(metadata={"example": "ja"})
    items = ma.fields.List(ma.fields.Nested(sights.CollectionShown))


@blp.route("/areas")
class AreasView(MethodView):
    @caching.public(max_age=AREA_FRESH_SECONDS)
    @blp.arguments(GarbageAreasQuery, location="query")
    @blp.response(200, sights.GarbageAreaPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """自分の地区を選ぶ：区 → 読み → 町 → 地番、または郵便番号・位置で。Finds the area of a home.

        `question` に次に尋ねることがあれば、その答えを付けてもう一度呼ぶ。町が分かれているときだけ地番まで尋ねる。
        位置で探した答えはどこにも保存されない。
        """
        wanted, limit, source = speech.wanted(), query["limit"], query.get("source")
        if "lat" in query:
            return _around(Point(query["lat"], query["lon"]), limit, source, wanted)
        asked = {name: query[name] for name in ("ward", "reading", "town", "q") if name in query}
        if "postcode" in query:
            known = [one for one in areas.by_postcode(session(), query["postcode"]) if source in (None, one.source)]
        else:
            known = areas.present(session(), source)
        found = picker.narrowed(known, **asked)
        if "postcode" in query:
            asked["reading"] = ""  # few enough: nobody is asked how his own town is read
        ask = picker.question(found, asked)
        after = cursor.decode(query["cursor"], int)
        if after is not None:
            found = found[1 + next((at for at, one in enumerate(found) if one.id == after[0]), len(found)) :]
        shown = [sights.area(one, wanted) for one in found[: limit + 1]]
        page = cursor.page(shown, limit, *([found[:limit][-1].id] if found else []))
        choices = [{"value": one.value, "count": one.count} for one in ask.choices]
        return {**page, "question": {"by": ask.by, "choices": choices}}


@blp.route("/areas/<int:area_id>")
class AreaView(MethodView):
    @caching.public(max_age=AREA_FRESH_SECONDS)
    @blp.arguments(LanguageQuery, location="query")
    @blp.response(200, sights.GarbageAreaFull)
    @blp.alt_response(404, description="no such area")
    def get(self, _query: dict[str, Any], area_id: int) -> dict[str, Any]:
        """一つの地区：区分、連絡先、注意、カレンダーの購読先。One area with its kinds, contact and calendar address."""
        one, wanted = _area(area_id), speech.wanted()
        links, source = areas.links_of(session(), one.id), sources.get(session(), one.source)
        own = rules.of_area(session(), one)
        kinds = categories.by_id(session(), [rule.category for rule in own.rules])
        ordered = sorted(kinds.values(), key=lambda kind: (kind.position, kind.id))
        here = f"/v1/garbage/areas/{one.id}/collections"
        return {
            **sights.area(one, wanted),
            "note": sights.spoken(one.note, wanted),
            "contact": one.contact,
            "areas": links["area"],
            "postcodes": links["postcode"],
            "categories": [sights.category_brief(kind, wanted) for kind in ordered],
            "collections_url": f"{settings().public_url}{here}",
            "calendar_url": f"{settings().public_url}{here}.ics",
            "licence": source.licence if source else None,
            "as_of": source.as_of if source else None,
        }


@blp.route("/areas/<int:area_id>/collections")
class CollectionsView(MethodView):
    @caching.public(max_age=DAY_FRESH_SECONDS)
    @blp.arguments(DaysQuery, location="query")
    @blp.response(200, Days)
    @blp.alt_response(404, description="no such area")
    def get(self, query: dict[str, Any], area_id: int) -> dict[str, Any]:
        """この地区の収集日を理由とともに。収集がない日もその理由とともに。Collections with their reasons."""
        one, wanted = _area(area_id), speech.wanted()
        first, last = _span(query)
        own = rules.of_area(session(), one)
        kinds = _kinds(own)
        plan = own.plan(first, last)
        return {
            "area": {"id": one.id, "name": one.full_name},
            "first": first,
            "last": last,
            "language": reasons.language_of(wanted),
            "items": [sights.collection(each, kinds, wanted) for each in plan.collections],
            "missed": [sights.missed(each, kinds, wanted) for each in plan.missed],
        }


@blp.route("/areas/<int:area_id>/next")
class NextView(MethodView):
    @caching.public(max_age=DAY_FRESH_SECONDS)
    @blp.arguments(LanguageQuery, location="query")
    @blp.response(200, Coming)
    @blp.alt_response(404, description="no such area")
    def get(self, _query: dict[str, Any], area_id: int) -> dict[str, Any]:
        """区分ごとの次の収集日。今日の分は締切時刻まで。The next collection of each kind; today's until its hour."""
        one, wanted = _area(area_id), speech.wanted()
        own = rules.of_area(session(), one)
        kinds = _kinds(own)
        here = clock.now().astimezone(settings().zone)
        cutoffs = {number: kind.cutoff for number, kind in kinds.items()}
        found = coming.next_collections(own, here.date(), here.time(), cutoffs)
        return {
            "area": {"id": one.id, "name": one.full_name},
            "language": reasons.language_of(wanted),
            "items": [sights.collection(each, kinds, wanted) for each in found],
        }


@blp.route("/areas/<int:area_id>/collections.ics")
class FeedView(MethodView):
    @caching.public(max_age=AREA_FRESH_SECONDS)
    @blp.arguments(LanguageQuery, location="query")
    @blp.response(200, {"type": "string"}, content_type="text/calendar", description="iCalendar (RFC 5545)")
    @blp.alt_response(404, description="no such area")
    def get(self, _query: dict[str, Any], area_id: int) -> Response:
        """カレンダーアプリで購読する収集日。振替は同じ予定が動き、休みは取消になる。The feed for calendar programs."""
        one, wanted = _area(area_id), speech.wanted()
        own, source = rules.of_area(session(), one), sources.get(session(), one.source)
        labels = {
            number: feed.Label(sights.spoken(kind.names, wanted) or kind.key, kind.cutoff)
            for number, kind in _kinds(own).items()
        }
        now, language = clock.now(), reasons.language_of(wanted)
        title = f"{'ごみの日' if language == 'ja' else 'Garbage days'} {one.full_name}"
        heading = feed.Heading(
            one.id,
            title,
            language,
            f"{settings().public_url}/v1/garbage/areas/{one.id}",
            source.schedule_version if source else 0,
            source.schedule_changed_at if source else now,
            settings().time_zone,
        )
        body = feed.feed(heading, own, labels, *feed.window(calendar.day_of(now, settings().zone)))
        return Response(body, mimetype="text/calendar")


def _area(area_id: int) -> GarbageArea:
    found = areas.get(session(), area_id)
    if found is None:
        raise of_status(404, "There is no such area.")
    return found


def _kinds(own: AreaRules) -> dict[int, categories.GarbageCategory]:
    numbers = [rule.category for rule in own.rules]
    numbers += [change.category for change in own.changes if change.category is not None]
    return categories.by_id(session(), numbers)


def _span(query: dict[str, Any]) -> tuple[dt.date, dt.date]:
    if "month" in query:
        first = dt.date.fromisoformat(f"{query['month']}-01")
        return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    first = query.get("first") or calendar.day_of(clock.now(), settings().zone)
    last = query.get("last") or first + dt.timedelta(days=30)
    if not first <= last or (last - first).days >= LONGEST_DAYS:
        reason = f"`to` must not lie before `from` nor {LONGEST_DAYS} days or more after it."
        raise of_status(422, reason, errors=[{"field": "to", "reason": reason}])
    return first, last


def _around(at: Point, limit: int, source: str | None, wanted: tuple[str, ...]) -> dict[str, Any]:
    @after_this_request
    def keep_nowhere(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers.pop("ETag", None)
        return response

    found = [one for one in areas.by_position(session(), at, 1000) if source in (None, one[0].source)][:limit]
    items = [
        {**sights.area(one, wanted), "distance_m": round(metres, 1), "inside": inside} for one, metres, inside in found
    ]
    return {"items": items, "next": None, "question": {"by": None, "choices": []}}
