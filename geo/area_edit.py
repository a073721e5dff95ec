"""A named area changed by a person: its name, its reading, its boundary. Nobody is notified, nothing issued changes."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import jaconv
import shapely
import sqlalchemy as sa
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from geo import areas
from geo.areas import Area, search_key
from geo.geofence import GeofenceError, compose, polygon_from_geojson, to_geojson
from geo.postcodes import Postcode
from geo.sites import bump_revision

MOST_PARTS = 200  # areas that are put together
Body = dict[str, Any]


def body(area: Area) -> Body:
    """What a person may change of an area, as it is; the boundary as text, "" for none."""
    drawn = json.dumps(area.geometry, separators=(",", ":")) if area.geometry is not None else ""
    return {"name": area.name, "name_kana": area.name_kana or "", "names": dict(area.names), "boundary": drawn}


def save(session: Session, area: Area, said: Mapping[str, Any], now: dt.datetime) -> None:
    """Brings an area to a body of `body`. The caller holds the turn of the importers.

    Alerts keep the area they were issued for; a body without `names`, as histories from before they were kept have
    it, leaves them. Raises ValueError for an empty or too long name, GeofenceError for a bad boundary.
    """
    name = unicodedata.normalize("NFC", str(said["name"])).strip()
    if not name or not name.isprintable():
        raise ValueError("an area needs a name")
    names = areas.read_names(said.get("names", area.names))
    kana = str(jaconv.hira2kata(unicodedata.normalize("NFKC", str(said["name_kana"])))).strip()
    area.name, area.name_kana, area.names, area.search_name = name, kana or None, names, search_key(name)
    if said["boundary"] != body(area)["boundary"]:
        drawn = drawn_of(str(said["boundary"]))
        area.geometry = to_geojson(drawn) if drawn is not None else None
        if drawn is not None and (
            area.lat is None or area.lon is None or not drawn.covers(shapely.Point(area.lon, area.lat))
        ):
            inside = drawn.representative_point()
            area.lat, area.lon = inside.y, inside.x
    session.flush()
    bump_revision(session, "areas", now)


def drawn_of(boundary: str) -> BaseGeometry | None:
    """The shape of a boundary as `body` has it, None for none. Raises GeofenceError."""
    if not boundary.strip():
        return None
    try:
        return polygon_from_geojson(json.loads(boundary))
    except json.JSONDecodeError:
        raise GeofenceError("not_a_polygon", "a GeoJSON Polygon or MultiPolygon is needed, not other text") from None


def from_file(data: bytes) -> BaseGeometry:
    """All polygons of a GeoJSON file, whatever it wraps them in, as one shape. Raises GeofenceError."""
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise GeofenceError("not_a_polygon", "a GeoJSON Polygon or MultiPolygon is needed, not other text") from None
    features = raw.get("features", [raw]) if isinstance(raw, dict) else [raw]
    if not isinstance(features, list) or not features:
        raise GeofenceError("empty", "the shape has no corners")
    plain = [one.get("geometry") if isinstance(one, dict) and one.get("type") == "Feature" else one for one in features]
    return compose([polygon_from_geojson(one) for one in plain])


def composed(session: Session, plus: Iterable[str], minus: Iterable[str]) -> BaseGeometry:
    """The union of areas less others. Raises areas.AreaError for one without a boundary, GeofenceError."""
    both = [list(plus)[:MOST_PARTS], list(minus)[:MOST_PARTS]]
    return compose(*(areas.geometry_of(session, codes) for codes in both))


def shape_of(area: Area) -> BaseGeometry | None:
    """The boundary of an area as it is, mended where its list has faults."""
    return shapely.make_valid(shape(area.geometry)) if area.geometry is not None else None


def postcodes_of(session: Session, area: Area) -> list[str]:
    """The postcodes of a town (every 丁目 of it has them), or of a municipality as a whole; sorted."""
    town = areas.without_chome(area.search_name) if area.kind == areas.AreaKind.TOWN.value else ""
    municipality = area.parent_code if town else area.code
    rows = session.execute(
        sa.select(Postcode.postcode, Postcode.town).where(Postcode.municipality_code == municipality)
    )
    return sorted({row.postcode for row in rows if search_key(row.town) == town})
