"""/v1/events: what takes place where and when, for children of which age; called off and moved ones said so."""

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
from backend.api.where import WhereQuery, inside_of, point_of
from backend.config import settings
from backend.errors import Problem, of_status
from backend.transaction import session
from content import calendar
from content import events as house
from content import texts as text
from content.events import Event, EventStatus
from geo.point import Point, distance_m
from geo.within import around, overlap

blp = Blueprint("events", __name__, url_prefix="/v1/events", description="イベント · Events")
FRESH_SECONDS = 60
STATUSES = "scheduled 予定どおり | changed 日時・場所が変わった | postponed 延期 | cancelled 中止"


class Before(ma.Schema):
    """What stood there before a change."""

    starts_on = ma.fields.Date()
    ends_on = ma.fields.Date()
    start_time = ma.fields.String(allow_none=True)
    end_time = ma.fields.String(allow_none=True)
    place_name = ma.fields.String(allow_none=True)


class EventShown(ma.Schema):
    """An event in one language."""

    id = ma.fields.Integer(metadata={"example": 12})
    language = ma.fields.String(metadata={"description": "name と description の実際の言語。", "example": "ja"})
    languages = ma.fields.List(ma.fields.String(), metadata={"example": ["ja", "en"]})
    name = ma.fields.String(metadata={"example": "親子であそぼう"})
    name_kana = ma.fields.String(allow_none=True)
    name_en = ma.fields.String(allow_none=True)
    description = ma.fields.String(allow_none=True)
    status = ma.fields.String(metadata={"description": STATUSES, "example": "scheduled"})
    changed_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "変更・中止が伝えられた時刻。"})
    was = ma.fields.Nested(Before, allow_none=True, metadata={"description": "変わる前の日時・場所（変わった項目）。"})
    starts_on = ma.fields.Date(metadata={"example": "2026-12-05"})
    ends_on = ma.fields.Date(metadata={"example": "2026-12-05"})
    start_time = ma.fields.String(allow_none=True, metadata={"example": "10:00"})
    end_time = ma.fields.String(allow_none=True, metadata={"example": "11:30"})
    time_note = ma.fields.String(allow_none=True, metadata={"description": "時間の特記事項。必ず見せる。"})
    category = ma.fields.String(allow_none=True, metadata={"example": "子育て"})
    audience = ma.fields.String(allow_none=True, metadata={"description": "対象。", "example": "0歳～2歳"})
    from_months = ma.fields.Integer(allow_none=True, metadata={"example": 0})
    to_months = ma.fields.Integer(allow_none=True, metadata={"example": 36})
    suits = ma.fields.String(
        allow_none=True,
        metadata={"description": "age_months の子に yes | unknown（対象年齢の記載なし）。", "example": "yes"},
    )
    fee = ma.fields.String(allow_none=True, metadata={"example": "無料"})
    capacity = ma.fields.String(allow_none=True, metadata={"example": "先着20組"})
    apply_until = ma.fields.Date(allow_none=True)
    apply_note = ma.fields.String(allow_none=True)
    organiser = ma.fields.String(allow_none=True)
    contact = ma.fields.String(allow_none=True)
    phone = ma.fields.String(allow_none=True)
    place_name = ma.fields.String(allow_none=True, metadata={"example": "見本児童館"})
    address = ma.fields.String(allow_none=True)
    access = ma.fields.String(allow_none=True)
    lat = ma.fields.Float(allow_none=True, metadata={"example": 38.2301})
    lon = ma.fields.Float(allow_none=True, metadata={"example": 140.9402})
    distance_m = ma.fields.Integer(allow_none=True, metadata={"description": "直線距離（m）。"})
    municipality_code = ma.fields.String(allow_none=True)
    url = ma.fields.String(allow_none=True)
    note = ma.fields.String(allow_none=True)
    source = ma.fields.String(metadata={"example": "sample"})
    licence = ma.fields.String(allow_none=True)
    as_of = ma.fields.Date(allow_none=True)


class EventPage(ma.Schema):
    """A page of events in the order of their first day."""

    items = ma.fields.List(ma.fields.Nested(EventShown))
    next = ma.fields.String(allow_none=True)


class EventsQuery(WhereQuery, cursor.PageQuery):
    """Which of them."""

    since = ma.fields.Date(metadata={"description": "この日以後に行われるもの。既定は今日。", "example": "2026-11-21"})
    until = ma.fields.Date(metadata={"description": "この日までに始まるもの。", "example": "2026-12-31"})
    radius_m = ma.fields.Integer(
        load_default=3000,
        validate=validate.Range(100, 50_000),
        metadata={"description": "lat・lon または cell からの距離（m）。"},
    )
    age_months = ma.fields.Integer(
        validate=validate.Range(0, 300),
        metadata={"description": "子の月齢。対象外と分かるものを除き、記載のないものは残す。", "example": 8},
    )
    category = ma.fields.String(
        validate=validate.Length(1, 100), metadata={"description": "種類にこの語を含むもの。", "example": "子育て"}
    )
    status = DelimitedList(
        ma.fields.Enum(EventStatus, by_value=True),
        metadata={"description": f"{STATUSES}。既定はすべて。", "example": "scheduled,changed"},
    )
    lang = ma.fields.String(validate=validate.Length(max=35), metadata={"description": "言語。", "example": "ja"})

    @ma.validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        """until is not before since."""
        if "since" in data and "until" in data and data["until"] < data["since"]:
            raise ma.ValidationError("This is before since.", "until")


class LanguageQuery(ma.Schema):
    """In which language."""

    lang = ma.fields.String(validate=validate.Length(max=35), metadata={"example": "ja"})


@blp.route("")
class EventsView(MethodView):
    """Events."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(EventsQuery, location="query")
    @blp.response(200, EventPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """これからのイベントを初日の早い順に。期間・区域・近さ・子の月齢で絞る。中止・変更も見える。Events to come."""
        limit: int = query["limit"]
        point = point_of(query)
        box, within = inside_of(query)
        reach = float(query["radius_m"])
        if point is not None:
            box = overlap(box, around(point, reach))

        def keep(event: Event) -> bool:
            if "category" in query and query["category"] not in (event.category or ""):
                return False
            if event.lat is None or event.lon is None:
                return box is None and within is None
            here = Point(event.lat, event.lon)
            return (within is None or (here.lat, here.lon) in within) and (
                point is None or distance_m(point, here) <= reach
            )

        found = house.listed(
            session(),
            since=query.get("since", calendar.day_of(clock.now(), settings().zone)),
            until=query.get("until"),
            box=box,
            age_months=query.get("age_months"),
            status=query.get("status", ()),
            keep=keep,
            place=_place(query["cursor"]),
            limit=limit + 1,
        )
        wanted = speech.wanted()
        items = [shown(event, wanted, point=point, age_months=query.get("age_months")) for event in found]
        last = found[:limit][-1] if found else None
        return cursor.page(items, limit, *((last.starts_on.isoformat(), last.id) if last else ("", 0)))


@blp.route("/<int:event_id>")
class EventView(MethodView):
    """One event."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(LanguageQuery, location="query")
    @blp.response(200, EventShown)
    @blp.alt_response(404, description="no such event")
    @blp.alt_response(410, description="withdrawn")
    def get(self, _query: dict[str, Any], event_id: int) -> dict[str, Any]:
        """一つのイベント。終わったものも読める。一覧から消えたものは 410。One event; 410 when its list dropped it."""
        event = house.get(session(), event_id) if event_id < 2**63 else None
        if event is None:
            raise of_status(404, "There is no event with this id.")
        if event.withdrawn_at is not None:
            raise Problem(410, "withdrawn", "This event was withdrawn", "Its list no longer has it.")
        return shown(event, speech.wanted())


_SAME = tuple(
    name
    for name in EventShown().fields
    if name not in ("language", "languages", "name", "description", "suits", "distance_m")
)


def shown(
    event: Event, wanted: tuple[str, ...], *, point: Point | None = None, age_months: int | None = None
) -> dict[str, Any]:
    """An event in the best language there is for a reader; Japanese where nobody translated it."""
    own: dict[str, Any] = {"ja": {"title": event.name, "body": event.description or event.name}}
    languages = {**own, **(event.texts or {})}
    language, chosen = speech.choose(languages, wanted)
    japanese = language == "ja" and "ja" not in (event.texts or {})
    at = Point(event.lat, event.lon) if event.lat is not None and event.lon is not None else None
    suits = event.suits(age_months) if age_months is not None else None
    return {
        **{name: getattr(event, name) for name in _SAME},
        "was": _before(event.was),
        "language": language,
        "languages": [each for each in text.LANGUAGES if each in languages],
        "name": chosen["title"],
        "description": event.description if japanese else chosen["body"],
        "suits": None if age_months is None else "yes" if suits else "unknown",
        "distance_m": round(distance_m(point, at)) if point is not None and at is not None else None,
    }


def _before(was: dict[str, Any] | None) -> dict[str, Any] | None:
    """The values before a change; days come back from JSON as text."""
    if was is None:
        return None
    return {name: dt.date.fromisoformat(value) if name.endswith("_on") else value for name, value in was.items()}


def _place(given: str | None) -> tuple[dt.date, int] | None:
    """The place in the list that a cursor stands for."""
    key = cursor.decode(given, str, int)
    if key is None:
        return None
    try:
        return dt.date.fromisoformat(key[0]), key[1]
    except ValueError:
        raise Problem(400, "bad-cursor", "This cursor is not one of this list", field="cursor") from None
