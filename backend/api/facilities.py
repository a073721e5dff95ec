"""/v1/facilities: child-care facilities, public facilities and AEDs: nearest, open at a moment, by kind and area."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
from flask.views import MethodView
from marshmallow import validate
from webargs.fields import DelimitedList

from backend.api import caching, cursor
from backend.api.blueprint import Blueprint
from backend.api.where import WhereQuery, inside_of, point_of
from backend.config import settings
from backend.errors import of_status
from backend.nearby import nearby
from backend.transaction import session
from content.calendar import holiday
from geo import facilities, sites
from geo.hours import Opening
from geo.sites import Site, SiteKind

blp = Blueprint("facilities", __name__, url_prefix="/v1/facilities", description="施設 · Facilities and AEDs")
FRESH_SECONDS = 300
KINDS = "childcare_facility 子育て施設 | public_facility 公共施設 | aed AED"


class HoursShown(ma.Schema):
    """Opening hours as the list states them."""

    days = ma.fields.String(allow_none=True, metadata={"example": "月火水木金土"})
    opens = ma.fields.String(allow_none=True, metadata={"example": "09:00"})
    closes = ma.fields.String(allow_none=True, metadata={"example": "17:00"})
    note = ma.fields.String(allow_none=True, metadata={"example": "祝日、12/29～1/3を除く"})


class Facility(ma.Schema):
    """A facility as its list states it."""

    id = ma.fields.Integer(metadata={"example": 31})
    name = ma.fields.String(metadata={"example": "見本児童館"})
    name_kana = ma.fields.String(allow_none=True, metadata={"example": "ミホンジドウカン"})
    name_en = ma.fields.String(allow_none=True, metadata={"example": "Mihon Children's Hall"})
    kind = ma.fields.String(metadata={"description": KINDS, "example": "childcare_facility"})
    category = ma.fields.String(allow_none=True, metadata={"description": "種別。", "example": "児童館"})
    ages = ma.fields.String(allow_none=True, metadata={"description": "受入年齢。", "example": "0歳～小学生"})
    lat = ma.fields.Float(metadata={"example": 38.2301})
    lon = ma.fields.Float(metadata={"example": 140.9402})
    address = ma.fields.String(allow_none=True, metadata={"example": "見本市中央区本町1-1"})
    capacity = ma.fields.Integer(allow_none=True, metadata={"example": 60})
    phone = ma.fields.String(allow_none=True, metadata={"example": "022-000-0000"})
    url = ma.fields.String(allow_none=True)
    note = ma.fields.String(allow_none=True, metadata={"description": "備考、AED の設置位置など。"})
    hours = ma.fields.Nested(HoursShown)
    opening = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "open_at の時点で open | closed | unknown。公表資料から確かに言えないときは unknown。"
            "open_at がなければ null。",
            "example": "open",
        },
    )
    distance_m = ma.fields.Integer(
        allow_none=True, metadata={"description": "直線距離（m）。位置を指定したときだけ。", "example": 420}
    )
    bearing_deg = ma.fields.Integer(allow_none=True, metadata={"example": 270})
    municipality_code = ma.fields.String(allow_none=True, metadata={"example": "049905"})
    source = ma.fields.String(metadata={"example": "sample"})
    licence = ma.fields.String(allow_none=True)
    as_of = ma.fields.Date(allow_none=True, metadata={"example": "2026-11-01"})


class FacilityPage(ma.Schema):
    """A page of facilities: by distance when a position is given, else by id."""

    items = ma.fields.List(ma.fields.Nested(Facility))
    next = ma.fields.String(allow_none=True, metadata={"description": "位置を指定した一覧には続きがない。"})


class MomentQuery(ma.Schema):
    """At which moment."""

    open_at = ma.fields.AwareDateTime(
        metadata={"description": "この時刻の開館状況（時差つき）。", "example": "2026-11-24T10:00:00+09:00"}
    )


class FacilitiesQuery(WhereQuery, MomentQuery, cursor.PageQuery):
    """Which of them."""

    kind = DelimitedList(
        ma.fields.String(validate=validate.OneOf([kind.value for kind in facilities.KINDS])),
        metadata={"description": f"{KINDS}。コンマ区切りで複数可。", "example": "childcare_facility"},
    )
    category = ma.fields.String(
        validate=validate.Length(1, 100), metadata={"description": "種別にこの語を含むもの。", "example": "児童館"}
    )
    opening = DelimitedList(
        ma.fields.Enum(Opening, by_value=True),
        metadata={"description": "open_at と共に。既定は open だけ。unknown も見るなら open,unknown。"},
    )

    @ma.validates_schema
    def with_a_moment(self, data: dict[str, Any], **_: Any) -> None:
        """opening asks about open_at."""
        if "opening" in data and "open_at" not in data:
            raise ma.ValidationError("Give open_at: the moment at which it is asked.", "opening")


@blp.route("")
class FacilitiesView(MethodView):
    """Facilities."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(FacilitiesQuery, location="query")
    @blp.response(200, FacilityPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """施設の一覧。近い順（lat・lon か cell）、範囲、区域、種類、開館中で絞る。Nearest, by box, area, kind, open.

        開館の判定は控えめで、公表された曜日・時間・特記事項から確かに言えるときだけ open とする。
        """
        limit: int = query["limit"]
        point = point_of(query)
        box, within = inside_of(query)
        kinds = [SiteKind(kind) for kind in query.get("kind", ())] or list(facilities.KINDS)
        moment = _local(query.get("open_at"))
        wanted = query.get("opening", [Opening.OPEN]) if moment is not None else ()

        def keep(site: Site) -> bool:
            at = (site.lat, site.lon)
            inside = box is None or (box[0] <= at[0] <= box[2] and box[1] <= at[1] <= box[3])
            return (
                inside
                and (within is None or at in within)
                and ("category" not in query or query["category"] in (site.category or ""))
                and (moment is None or facilities.opening(site, moment, _is_holiday) in wanted)
            )

        if point is not None:
            if query["cursor"] is not None:
                raise of_status(422, "A list by distance has no further pages: raise the limit.", field="cursor")
            most = min(limit, facilities.MOST_NEAREST)
            index = nearby().index(session())
            found = facilities.nearest(session(), index, point, kinds, keep, most)
            items = [
                {**shown(one.site, moment), "distance_m": round(one.distance_m), "bearing_deg": _bearing(one)}
                for one in found
            ]
            return {"items": items, "next": None}
        after = cursor.decode(query["cursor"], int)
        listed = facilities.listed(session(), box, kinds, keep, after[0] if after else 0, limit + 1)
        last = listed[:limit][-1].id if listed else 0
        return cursor.page([shown(site, moment) for site in listed], limit, last)


@blp.route("/<int:site_id>")
class FacilityView(MethodView):
    """One facility."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(MomentQuery, location="query")
    @blp.response(200, Facility)
    def get(self, query: dict[str, Any], site_id: int) -> dict[str, Any]:
        """一つの施設。One facility."""
        site = sites.get(session(), site_id) if site_id < 2**63 else None
        if site is None or site.withdrawn_at is not None or site.kind not in facilities.KINDS:
            raise of_status(404, "There is no facility with this id; it may have been withdrawn from its list.")
        return shown(site, _local(query.get("open_at")))


_SAME = ("id", "name", "name_kana", "name_en", "kind", "category", "ages", "lat", "lon", "address", "capacity", "phone")
_ALSO = ("url", "note", "municipality_code", "source", "licence", "as_of")


def shown(site: Site, moment: dt.datetime | None) -> dict[str, Any]:
    """A facility for residents, open or not at a moment of the city's clock."""
    return {
        **{name: getattr(site, name) for name in (*_SAME, *_ALSO)},
        "hours": {
            "days": site.available_days,
            "opens": site.available_from,
            "closes": site.available_until,
            "note": site.available_note,
        },
        "opening": facilities.opening(site, moment, _is_holiday).value if moment is not None else None,
        "distance_m": None,
        "bearing_deg": None,
    }


def _local(moment: dt.datetime | None) -> dt.datetime | None:
    """The moment on the city's clock. Raises Problem for a year that no clock shows."""
    if moment is None:
        return None
    if not 2000 <= moment.year <= 2100:
        raise of_status(422, "Give a moment between 2000 and 2100.", field="open_at")
    return moment.astimezone(settings().zone)


def _is_holiday(day: dt.date) -> bool:
    return holiday(day) is not None


def _bearing(found: facilities.Near) -> int:
    return round(found.bearing_deg) % 360
