"""/v1/areas: wards, towns and zones, for those who cannot or will not share their position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
from flask.views import MethodView
from marshmallow import validate

from backend.api import caching, cursor, garbage_sights, speech
from backend.api.blueprint import Blueprint
from backend.errors import of_status
from backend.transaction import session
from geo import areas, postcodes
from geo.areas import Area, AreaKind

blp = Blueprint("areas", __name__, url_prefix="/v1/areas", description="区・町・区域 · Wards, towns and zones")
_LANG = {"description": "言語。なければ Accept-Language。", "example": "en"}
FRESH_SECONDS = 3600  # names and boundaries change a few times a year


class AreaShown(ma.Schema):
    """A named part of the city."""

    code = ma.fields.String(
        metadata={"description": "市区町村は5桁、町は「区のコード-町名」。", "example": "04103-荒井"}
    )
    kind = ma.fields.String(metadata={"description": "prefecture | city | ward | town | zone", "example": "town"})
    name = ma.fields.String(metadata={"description": "求めた言語での名前。なければ日本語。", "example": "荒井"})
    names = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.String(),
        metadata={"description": "言語ごとの名前。日本語は必ずある。", "example": {"ja": "荒井", "en": "Arai"}},
    )  # fmt: skip
    name_kana = ma.fields.String(allow_none=True, metadata={"description": "全角カタカナ。", "example": "アライ"})
    parent_code = ma.fields.String(allow_none=True, metadata={"example": "04103"})
    lat = ma.fields.Float(allow_none=True, metadata={"description": "代表点の緯度（WGS 84）。", "example": 38.233649})
    lon = ma.fields.Float(allow_none=True, metadata={"example": 140.955872})
    has_boundary = ma.fields.Boolean(metadata={"description": "境界があり、発令の対象に選べるか。"})
    source = ma.fields.String()
    licence = ma.fields.String(allow_none=True)
    as_of = ma.fields.Date(allow_none=True)


class AreaFull(AreaShown):
    """An area, with its boundary when asked for."""

    geometry = ma.fields.Dict(allow_none=True, metadata={"description": "GeoJSON。geometry=true のときだけ。"})


class AreaPage(ma.Schema):
    """A page of areas in the order of their readings."""

    items = ma.fields.List(ma.fields.Nested(AreaShown))
    next = ma.fields.String(allow_none=True)


class AreasQuery(cursor.PageQuery):
    """Below what, of which kind, read how; or found by name or postcode."""

    lang = ma.fields.String(validate=validate.Length(max=35), metadata=_LANG)
    parent = ma.fields.String(
        validate=validate.Length(1, 100), metadata={"description": "この区域の直下だけ。", "example": "04103"}
    )
    kind = ma.fields.Enum(AreaKind, by_value=True)
    reading = ma.fields.String(
        validate=validate.Length(1, 50), metadata={"description": "読みの初め（ひらがな・カタカナ）。", "example": "あ"}
    )
    q = ma.fields.String(
        validate=validate.Length(1, 100),
        metadata={"description": "名前か読みの初め。区名などを前に付けてよい。", "example": "若林区荒井"},
    )
    postcode = ma.fields.String(validate=validate.Length(1, 20), metadata={"example": "984-0032"})

    @ma.validates_schema
    def one_way(self, data: dict[str, Any], **_: Any) -> None:
        """q, postcode and the list below an area are three different questions."""
        listed = {"parent", "kind", "reading"} & data.keys()
        if len({"q", "postcode"} & data.keys()) + bool(listed) > 1:
            raise ma.ValidationError("Ask either q, or postcode, or parent, kind and reading.", "q")
        if "postcode" in data and postcodes.digits(data["postcode"]) is None:
            raise ma.ValidationError("A postcode has seven digits, such as 984-0032.", "postcode")


class OneQuery(ma.Schema):
    """How much of an area."""

    geometry = ma.fields.Boolean(load_default=False, metadata={"description": "境界も返す。"})
    lang = ma.fields.String(validate=validate.Length(max=35), metadata=_LANG)


def shown(area: Area, wanted: Sequence[str]) -> dict[str, Any]:
    """An area for lists, named in the reader's language."""
    names = {"ja": area.name, **area.names}
    return {
        "code": area.code,
        "kind": area.kind,
        "name": garbage_sights.spoken(names, wanted),
        "names": names,
        "name_kana": area.name_kana,
        "parent_code": area.parent_code,
        "lat": area.lat,
        "lon": area.lon,
        "has_boundary": area.geometry is not None,
        "source": area.source,
        "licence": area.licence,
        "as_of": area.as_of,
    }


@blp.route("")
class AreasView(MethodView):
    """The areas of the city."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(AreasQuery, location="query")
    @blp.response(200, AreaPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """区 → 町 とたどるか、名前・郵便番号で探す。Follow wards to towns, or find by name or postcode."""
        limit: int = query["limit"]
        wanted = speech.wanted()
        if "q" in query or "postcode" in query:
            if "q" in query:
                found = areas.find(session(), query["q"], limit)
            else:
                found = areas.by_postcode(session(), query["postcode"])
            return {"items": [shown(area, wanted) for area in found], "next": None}
        after = cursor.decode(query["cursor"], str)
        found = areas.children(
            session(),
            query.get("parent"),
            query.get("reading"),
            after[0] if after else None,
            limit + 1,
            kind=query.get("kind"),
        )
        items = [shown(area, wanted) for area in found]
        return cursor.page(items, limit, items[:limit][-1]["code"] if items else "")


@blp.route("/<code>")
class AreaView(MethodView):
    """One area."""

    @caching.public(max_age=FRESH_SECONDS)
    @blp.arguments(OneQuery, location="query")
    @blp.response(200, AreaFull)
    def get(self, query: dict[str, Any], code: str) -> dict[str, Any]:
        """一つの区域。geometry=true で境界も。One area, with its boundary when asked."""
        area = areas.get(session(), code)
        if area is None:
            raise of_status(404, "There is no such area.")
        return {**shown(area, speech.wanted()), **({"geometry": area.geometry} if query["geometry"] else {})}
