"""/v1/shelters: where to go from here for this hazard, and all designated places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
from flask import after_this_request
from flask.views import MethodView
from flask.wrappers import Response
from marshmallow import validate
from webargs.fields import DelimitedList

from backend import clock, sheltering
from backend.api import caching, cursor, speech
from backend.api.blueprint import Blueprint
from backend.api.shelter_sights import HAZARDS, KINDS, Nearest, Shelter, ShelterPage, nearest, shelter, way
from backend.api.where import WhereQuery, inside_of, point_of
from backend.errors import of_status
from backend.nearby import nearby
from backend.transaction import session
from content.texts import LANGUAGES, chain
from geo import areas, facilities, mesh, postcodes, sites
from geo.hazards import Hazard
from geo.mesh import MeshError
from geo.nearest import OPEN_FIRST_WITHIN_M
from geo.point import Point, PointError
from geo.sites import Site, SiteKind, SiteStatus
from geo.within import Box, Within
from notifications.wording import shelter_line

blp = Blueprint("shelters", __name__, url_prefix="/v1/shelters", description="避難先 · Where to go")
FRESH_SECONDS = 10
STALE_SECONDS = 7 * 86_400  # while the server is out of reach, a week-old list of places is better than none
MOST_NEAREST = 20
# Nobody is sent to a welfare shelter first: a list by distance has them only when they are asked for.
FIRST_KINDS = tuple(kind for kind in KINDS if kind is not SiteKind.WELFARE_SHELTER)

HAZARD_NEEDED = (
    f"Say which hazard it is: {HAZARDS}. A place that is safe from one may be deadly in another. "
    "災害の種別を指定してください。"
)


class HazardQuery(ma.Schema):
    """For which hazard, and how many."""

    hazard = ma.fields.Enum(
        Hazard,
        by_value=True,
        required=True,
        error_messages={"required": HAZARD_NEEDED, "unknown": HAZARD_NEEDED},
        metadata={"description": "災害の種別。種別ごとに指定が違うため必須。", "example": "flood"},
    )
    limit = ma.fields.Integer(load_default=3, validate=validate.Range(1, MOST_NEAREST), metadata={"example": 3})
    lang = ma.fields.String(
        validate=validate.Length(max=35), metadata={"description": "advice の言語。なければ Accept-Language。"}
    )


class NearestQuery(HazardQuery):
    """From a position, or without GPS from an area or postcode: exactly one of them."""

    lat = ma.fields.Float(metadata={"description": "緯度（WGS 84）。lon と共に。", "example": 38.2416})
    lon = ma.fields.Float(metadata={"description": "経度（WGS 84）。", "example": 140.9552})
    area = ma.fields.String(
        validate=validate.Length(1, 100),
        metadata={"description": "/v1/areas のコード。その代表点から測る。"},
    )
    postcode = ma.fields.String(
        validate=validate.Length(1, 20), metadata={"description": "郵便番号。その町の代表点から測る。"}
    )

    @ma.validates_schema
    def one_place(self, data: dict[str, Any], **_: Any) -> None:
        """lat and lon together, or an area, or a postcode."""
        for here, there in (("lat", "lon"), ("lon", "lat")):
            if here in data and there not in data:
                raise ma.ValidationError(f"{here} was given without {there}.", there)
        if len({"lat", "area", "postcode"} & data.keys()) != 1:
            raise ma.ValidationError("Say where: either lat and lon, or area, or postcode.", "lat")
        if "postcode" in data and postcodes.digits(data["postcode"]) is None:
            raise ma.ValidationError("A postcode has seven digits, such as 984-0032.", "postcode")


class SheltersQuery(WhereQuery, cursor.PageQuery):
    """Which of them."""

    hazard = ma.fields.Enum(
        Hazard, by_value=True, metadata={"description": "この災害に指定された所だけ。", "example": "flood"}
    )
    status = DelimitedList(
        ma.fields.Enum(SiteStatus, by_value=True),
        metadata={"description": "コンマ区切りで複数可。", "example": "open,preparing"},
    )
    kind = DelimitedList(
        ma.fields.String(validate=validate.OneOf([kind.value for kind in KINDS])),
        metadata={"description": "コンマ区切りで複数可。", "example": "shelter"},
    )


@blp.route("/nearest")
class NearestView(MethodView):
    """Where to go from here."""

    @blp.arguments(NearestQuery, location="query")
    @blp.response(200, Nearest)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """最寄りの、その災害に適した避難先。位置は記録されない。The nearest suitable shelters; positions are not kept.

        アプリはふだん /v1/shelters/nearest/{cell} を使い、端末の中で並べ直す（位置を送らずに済み、キャッシュも効く）。
        """
        _keep_nowhere()
        point, measured_from = _place(query)
        return _answer(point, measured_from, query, aged=True)


@blp.route("/nearest/<cell>")
class NearestToCellView(MethodView):
    """Where to go from a grid square."""

    @caching.public(max_age=FRESH_SECONDS, stale_if_error=STALE_SECONDS)
    @blp.arguments(HazardQuery, location="query")
    @blp.response(200, Nearest)
    def get(self, query: dict[str, Any], cell: str) -> dict[str, Any]:
        """125 m メッシュ（JIS X 0410、11桁）の中心から最寄りの避難先。From the centre of a 125 m grid square."""
        try:
            code = mesh.parse_cell(cell)
        except MeshError as refused:
            raise of_status(400, str(refused), field="cell") from None
        centre = mesh.centre(code)
        measured_from = {"kind": "cell", "name": cell, "lat": round(centre.lat, 6), "lon": round(centre.lon, 6)}
        return _answer(centre, measured_from, query, aged=False)


@blp.route("")
class SheltersView(MethodView):
    """All designated places."""

    @caching.public(max_age=FRESH_SECONDS, stale_if_error=STALE_SECONDS)
    @blp.arguments(SheltersQuery, location="query")
    @blp.response(200, ShelterPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """避難先の一覧。近い順（lat・lon か cell）、範囲・区域・災害・状況・種類で絞る。All shelters, filtered.

        近い順の一覧は地図のためのもので、危険な区域の中の所も含む。逃げる先を選ぶには /v1/shelters/nearest を使う。
        福祉避難所は後から開くため、近い順では kind で求めたときだけ出る。
        """
        limit: int = query["limit"]
        point = point_of(query)
        box, within = inside_of(query)
        kinds = [SiteKind(kind) for kind in query.get("kind", KINDS if point is None else FIRST_KINDS)]
        hazard, statuses = query.get("hazard"), query.get("status", ())

        def keep(site: Site) -> bool:
            at = (site.lat, site.lon)
            inside = box is None or (box[0] <= at[0] <= box[2] and box[1] <= at[1] <= box[3])
            wanted = hazard is None or bool(site.hazards & hazard.bit)
            return inside and wanted and (within is None or at in within) and (not statuses or site.status in statuses)

        if point is not None:
            if query["cursor"] is not None:
                raise of_status(422, "A list by distance has no further pages: raise the limit.", field="cursor")
            index = nearby().index(session())
            near = facilities.nearest(session(), index, point, kinds, keep, min(limit, facilities.MOST_NEAREST))
            items = [{**shelter(one.site), **way(one.distance_m, one.bearing_deg)} for one in near]
            return {"items": items, "next": None}
        after = cursor.decode(query["cursor"], int)
        found = _listed(box, within, query, kinds, after[0] if after else 0, limit + 1)
        items = [{**shelter(site), **way(None, None)} for site in found]
        return cursor.page(items, limit, found[:limit][-1].id if found else 0)


@blp.route("/<int:site_id>")
class ShelterView(MethodView):
    """One place."""

    @caching.public(max_age=FRESH_SECONDS, stale_if_error=STALE_SECONDS)
    @blp.response(200, Shelter)
    def get(self, site_id: int) -> dict[str, Any]:
        """一つの避難先。One shelter."""
        return shelter(sheltering.one(site_id))


def _listed(
    box: Box | None, within: Within | None, query: dict[str, Any], kinds: Sequence[SiteKind], after_id: int, limit: int
) -> list[Site]:
    """Sites by id; the store looks at everything but the exact boundary of an area."""
    found: list[Site] = []
    step = limit if within is None else max(limit, 500)
    while len(found) < limit:
        page = sites.in_bbox(session(), box, query.get("hazard"), query.get("status", ()), kinds, after_id, step)
        found += [site for site in page if within is None or (site.lat, site.lon) in within]
        if len(page) < step:
            break
        after_id = page[-1].id
    return found[:limit]


def _answer(point: Point, measured_from: dict[str, Any], query: dict[str, Any], *, aged: bool) -> dict[str, Any]:
    hazard: Hazard = query["hazard"]
    now = clock.now()
    index, danger = nearby().index(session()), nearby().danger(session(), now)
    found = index.nearest(point, hazard, limit=query["limit"], outside=danger)
    return nearest(
        hazard,
        measured_from,
        found,
        index.nearest_unconfirmed(point, hazard, outside=danger) if found else None,
        advice=None if found and found[0].distance_m <= OPEN_FIRST_WITHIN_M else _advice(hazard),
        status_as_of=index.status_as_of,
        now=now if aged else None,
    )


def _advice(hazard: Hazard) -> dict[str, str]:
    """What to do when there is nowhere to go, in the reader's language as far as it is written."""
    language = next(one for one in chain(speech.wanted()) if one in LANGUAGES)
    return {"language": language, "text": shelter_line(language, [], hazard=hazard)}


def _place(query: dict[str, Any]) -> tuple[Point, dict[str, Any]]:
    """The point to measure from, and what is said of it. Raises Problem for a place that is none."""
    if "lat" in query:
        try:
            return Point.checked(query["lat"], query["lon"]), {"kind": "position"}
        except PointError as refused:
            raise of_status(422, str(refused), field="lat") from None
    if "area" in query:
        kind, name = "area", query["area"]
        area = areas.get(session(), name)
        found = [area] if area is not None else []
    else:
        kind, name = "postcode", query["postcode"]
        found = list(areas.by_postcode(session(), name))
    places = [(one.lat, one.lon) for one in found if one.lat is not None and one.lon is not None]
    if not places:
        raise of_status(404, f"No place is known for the {kind} {name!r}: look it up under /v1/areas.", field=kind)
    lat, lon = (sum(axis) / len(places) for axis in zip(*places, strict=True))
    name = found[0].name if kind == "area" else name
    return Point(lat, lon), {"kind": kind, "name": name, "lat": round(lat, 6), "lon": round(lon, 6)}


def _keep_nowhere() -> None:
    """The address holds a position: no cache may keep it."""

    @after_this_request
    def no_store(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response
